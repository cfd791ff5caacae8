-- Tokens that are refused although they are good.

create table platform.revocation (
  -- SHA-256 of what is revoked: the signed part of a token, an issuer and an id of its, or a tenant and a subject of its.
  key bytea not null,
  -- For people: whose it is; never the token.
  description text not null,
  -- Only tokens that were issued up to then, or do not say when; null for a single one.
  issued_until timestamptz,
  create_time timestamptz not null default now(),
  -- By then it has ended by itself; null where nobody can tell when that is.
  expire_time timestamptz,
  constraint revocation_pkey primary key (key),
  constraint revocation_key_check check (octet_length(key) = 32)
);
comment on table platform.revocation is 'Tokens that are refused although they are good, until they have ended by themselves or are allowed again.';
-- Whoever serves calls must not be able to let itself in again, nor see whose tokens leaked.
do $$ begin
  execute format('grant select, insert, update, delete on platform.revocation to %I', platform.system_role());
end $$;
