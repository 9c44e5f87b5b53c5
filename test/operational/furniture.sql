-- One object of every kind that our own migrations do not make, so that a test can change it.
create schema side;
create type mood as enum ('sad', 'happy');
create domain share as numeric check (value between 0 and 1);
create type pair as (one integer, two text);
create type span as range (subtype = integer);
create sequence counter;
create table owners (id integer primary key, code text);
create table things (
  id integer generated always as identity primary key,
  owner integer constraint things_owner_fkey references owners,
  name text default 'none',
  size integer,
  twice integer generated always as (size * 2) stored,
  constraint things_size_check check (size > 0)
);
create table parts (day date not null) partition by range (day);
create table parts_2026 partition of parts for values from ('2026-01-01') to ('2027-01-01');
create index things_name_idx on things (name);
create view big_things as select id, name from things where size > 10;
create materialized view thing_count as select count(*) as n from things;
create function add_one(n integer) returns integer language sql as 'select n + 1';
create procedure tidy() language sql as 'delete from things';
create aggregate largest (integer) (sfunc = int4larger, stype = integer);
create function note_change() returns trigger language plpgsql as 'begin return new; end';
create trigger things_change before update on things for each row execute function note_change();
create function note_command() returns event_trigger language plpgsql as 'begin end';
create event trigger commands on ddl_command_end execute function note_command();
create rule things_keep as on delete to things do instead nothing;
create policy things_read on things for select using (size > 0);
create statistics things_stat on name, size from things;
create publication feed for table things;
create collation plain_text (provider = icu, locale = 'und');
alter default privileges in schema side grant select on tables to hx_export;
