//! E-invoices against what others publish: the schemas of both syntaxes, and the rules of EN 16931 as its keepers check
//! them; and the PDF that carries one.

mod hybrid;
mod published;
mod samples;
mod validity;
