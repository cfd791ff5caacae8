-- A service's database and its roles, made by a superuser; or, where a managed server has none to give, by an administrator
-- that may create roles and databases:
--
--   psql -v service=sales -v owner_password=… -v password=… -v system_password=… -f service.sql
--
-- With `-v backup_password=…` it also makes `<service>_backup`, the login of `trato backup`: it reads all rows, since a
-- copy must be whole, may write nothing, and no service is given it.
--
-- Repeatable; a second run only sets the passwords anew. `<service>_owner` migrates, `<service>` serves,
-- `<service>_system` runs the relay and periodic jobs. None of these three may bypass row-level security.
\set ON_ERROR_STOP on
\set owner :service _owner
\set system :service _system

-- Only a superuser may name rights at all. Another administrator makes roles without any, and owns nothing of others.
select rolsuper as is_superuser from pg_roles where rolname = current_user
\gset
\if :is_superuser
\set rights 'nosuperuser nobypassrls nocreatedb nocreaterole noreplication'
\else
\set rights ''
\endif

select format('create role %I', role)
from unnest(array[:'owner', :'service', :'system']) as role
where not exists (select from pg_roles where rolname = role)
\gexec

alter role :"owner" login :rights password :'owner_password';
alter role :"service" login :rights password :'password';
alter role :"system" login :rights password :'system_password';

\if :is_superuser
\else
grant :"owner" to current_user;
\endif

select format('create database %I owner %I', :'service', :'owner')
where not exists (select from pg_database where datname = :'service')
\gexec

revoke all on database :"service" from public;
grant connect on database :"service" to :"owner", :"service", :"system";

\if :{?backup_password}
\set backup :service _backup
select format('create role %I', :'backup')
where not exists (select from pg_roles where rolname = :'backup')
\gexec
alter role :"backup" login nosuperuser bypassrls nocreatedb nocreaterole noreplication password :'backup_password';
alter role :"backup" set default_transaction_read_only = on;
grant pg_read_all_data to :"backup";
grant connect on database :"service" to :"backup";
\endif
