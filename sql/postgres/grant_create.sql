-- Lets the owner of hx's objects make others in this database: a copy by CREATE DATABASE does not come with that right.
do $$
begin
  if not pg_catalog.has_database_privilege('hx_owner', pg_catalog.current_database(), 'CREATE') then
    execute pg_catalog.format('grant create on database %I to hx_owner', pg_catalog.current_database());
  end if;
exception
  -- Only the owner of the database may; hx doctor names the statement where it is still missing.
  when insufficient_privilege then null;
end
$$
