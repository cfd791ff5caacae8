-- A job counts the refunds that are owed, for the alarm. By itself, since it wants the table for itself, if only for a moment.
select platform.admit_system('invoice', 'select');
