//! Billing alone: its real server over a database of its own per test, without a broker.

mod access;
mod chain;
mod credit_note;
mod e_invoice;
mod exchange_rate;
mod harness;
mod invoice;
mod issue;
mod legal_entity;
mod logo;
mod number_series;
mod payment_term;
mod render;
mod tax_code;
