-- The day of a delivery note is told in the zone of the legal entity that makes it out.
alter table legal_entity add column time_zone text collate "C";
comment on column legal_entity.time_zone is
  'Of the IANA database. Null of one that was heard of before zones were kept, until it is heard of again: UTC then.';
