-- In its place is invoice_number_takeover_key. By itself, since it wants the table for itself, if only for a moment.
drop index invoice_number_key;
