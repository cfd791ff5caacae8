-- A service's database and its three roles, made by a superuser on a server of your own:
--
--   psql -v service=sales -v owner_password=… -v password=… -v system_password=… -f service.sql
--
-- Repeatable; a second run only sets the passwords anew. `<service>_owner` migrates, `<service>` serves,
-- `<service>_system` runs the relay and periodic jobs. None of them may bypass row-level security.
\set ON_ERROR_STOP on
\set owner :service _owner
\set system :service _system

select format('create role %I', role)
from unnest(array[:'owner', :'service', :'system']) as role
where not exists (select from pg_roles where rolname = role)
\gexec

alter role :"owner" login nosuperuser nobypassrls nocreatedb nocreaterole noreplication password :'owner_password';
alter role :"service" login nosuperuser nobypassrls nocreatedb nocreaterole noreplication password :'password';
alter role :"system" login nosuperuser nobypassrls nocreatedb nocreaterole noreplication password :'system_password';

select format('create database %I owner %I', :'service', :'owner')
where not exists (select from pg_database where datname = :'service')
\gexec

revoke all on database :"service" from public;
grant connect on database :"service" to :"owner", :"service", :"system";
