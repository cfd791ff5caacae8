-- Takes everything away that the owner, who is logged in, has made in this database.
do $$
declare
  command text;
begin
  for command in
    select format('drop schema %I cascade', nspname)
    from pg_namespace
    where nspowner = current_user::regrole and nspname !~ '^pg_' and nspname not in ('public', 'information_schema')
  loop
    execute command;
  end loop;
  for command in
    select format('drop %s if exists public.%I cascade', case relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end, relname)
    from pg_class
    where relnamespace = 'public'::regnamespace and relowner = current_user::regrole and relkind in ('r', 'p', 'v', 'S')
  loop
    execute command;
  end loop;
  for command in
    select format('drop routine if exists %s cascade', oid::regprocedure)
    from pg_proc
    where pronamespace = 'public'::regnamespace and proowner = current_user::regrole
  loop
    execute command;
  end loop;
  for command in
    select format('drop type if exists public.%I cascade', typname)
    from pg_type
    where typnamespace = 'public'::regnamespace and typowner = current_user::regrole and typtype in ('d', 'e')
  loop
    execute command;
  end loop;
end $$
