-- The day of a delivery note is not before that of the number before, so that it may be later than the day on which it was issued
-- where it is made out: what arrives is compared with the latter.
alter table delivery_note add column issue_time timestamptz;
comment on column delivery_note.issue_time is
  'When it was issued. Null of a draft, and of one that was issued before this was kept: on its issue_date then.';
