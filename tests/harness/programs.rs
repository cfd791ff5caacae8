//! The suite's own programs.

/// Services that own data.
pub const SERVICES: [&str; 3] = ["customers", "sales", "billing"];

/// All of them, the gateway last.
pub const PROGRAMS: [&str; 4] = ["customers", "sales", "billing", "gateway"];
