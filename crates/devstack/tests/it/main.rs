//! The runner with real servers, without the suite's programs.

mod issuer;
mod servers;
