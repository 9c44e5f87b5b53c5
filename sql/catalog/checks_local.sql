-- Every measurement taken in the local environment.
SELECT * FROM checks WHERE env = 'local';
