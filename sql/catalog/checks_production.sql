-- Every measurement taken in the production environment.
SELECT * FROM checks WHERE env = 'production';
