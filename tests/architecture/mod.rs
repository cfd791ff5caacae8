//! What must stay true of the whole, whatever one change is about.

mod credentials;
mod layout;
