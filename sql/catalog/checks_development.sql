-- Every measurement taken in the development environment.
SELECT * FROM checks WHERE env = 'development';
