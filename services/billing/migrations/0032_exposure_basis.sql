-- What counts against a credit limit, and what of orders is delivered.
alter table credit_profile add column exposure_basis text collate "C" not null default 'ORDER';
alter table credit_profile add column held_by_limit boolean not null default false;
alter table credit_profile add constraint credit_profile_exposure_basis_check
  check (exposure_basis in ('ORDER', 'DELIVERY', 'INVOICE')) not valid;
alter table credit_profile add constraint credit_profile_held_by_limit_check check (hold or not held_by_limit) not valid;
comment on column credit_profile.exposure_basis is
  'From which step on orders count against the limit: when they are confirmed, delivered or invoiced.';
comment on column credit_profile.held_by_limit is 'The limit set the hold, and takes it back.';

-- The program before this does not know of the limit's hold, and takes it back all the same when somebody asks it to.
create function credit_profile_hold() returns trigger language plpgsql as $$
begin
  new.held_by_limit := new.held_by_limit and new.hold;
  return new;
end $$;
create trigger credit_profile_hold before update on credit_profile
  for each row when (new.held_by_limit and not new.hold) execute function credit_profile_hold();

alter table credit_reservation add column delivered bigint;
alter table credit_reservation add constraint credit_reservation_delivered_check check (delivered >= 0) not valid;
comment on column credit_reservation.delivered is
  'What of the amount is delivered and has not come back; null while nothing was heard of it, and all of it counts as delivered.';
