-- Open items that are taken over from another system: invoices that it issued, and payments that it received.
alter table invoice add column takeover_date date;
alter table payment add column takeover_date date;
comment on column invoice.takeover_date is
  'Day on which it was taken over from another system, which had issued it, and posted; null for what is issued here.';
comment on column payment.takeover_date is
  'Day on which it was taken over from another system, which had received it; null for what is recorded here.';

-- As before of what is issued here. What another system issued has its days, a number if that was told, and nothing that issuing here
-- gives: no place in a series, no seller, no hash.
alter table invoice drop constraint invoice_number_check;
alter table invoice add constraint invoice_number_check check (
  (state = 'DRAFT') = (issue_date is null) and (issue_date is null) = (due_date is null)
  and (takeover_date is not null or (number is null) = (issue_date is null))
  and (issue_date is null or takeover_date is not null) = (number_series is null)
  and (number_series is null) = (period is null) and (number_series is null) = (ordinal is null)
  and (number_series is null) = (seller is null)
) not valid;

-- It is owed as it was taken over: nobody here takes it back as a document.
alter table invoice add constraint invoice_takeover_check check (
  takeover_date is null
  or (state = 'SENT' and issue_date <= takeover_date and credited = 0 and hash is null and source_document = '' and due > 0)
) not valid;
