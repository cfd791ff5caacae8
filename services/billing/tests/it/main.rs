//! Billing alone: its real server over a database of its own per test, without a broker.

mod access;
mod bank_statement;
mod chain;
mod credit;
mod credit_note;
mod exchange_rate;
mod foreign;
mod harness;
mod invoice;
mod issue;
mod ledger;
mod legal_entity;
mod number_series;
mod payment;
mod payment_concurrency;
mod payment_term;
mod posting;
mod receivables;
mod tax_code;
