-- What is remembered of the broker, so that a service may start while it is away.

create table platform.declared_queue (
  -- SHA-256 of the queue's name, of the types of events that are bound to it, and of where the broker is.
  bindings bytea not null,
  declare_time timestamptz not null default now(),
  constraint declared_queue_pkey primary key (bindings)
);
comment on table platform.declared_queue is 'Queues that were declared once, by what is bound to them; durable as they are, they are there since then.';
do $$ begin
  execute format('grant select, insert on platform.declared_queue to %I', platform.system_role());
end $$;
