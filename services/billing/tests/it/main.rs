//! Billing alone: its real server over a database of its own per test, without a broker.

mod access;
mod bank_statement;
mod bank_statement_keys;
mod billable;
mod chain;
mod credit;
mod credit_note;
mod e_invoice;
mod exchange_rate;
mod foreign;
mod harness;
mod invoice;
mod issue;
mod ledger;
mod legal_entity;
mod logo;
mod number_series;
mod payment;
mod payment_concurrency;
mod payment_taken_back;
mod payment_term;
mod posting;
mod receivables;
mod render;
mod tax_code;
