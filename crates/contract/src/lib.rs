//! The small part of the contract that the platform itself speaks: events, access and the directory.
//!
//! Business packages live in `trato-proto`; the platform does not know them.

#![allow(
    missing_docs,
    unused_qualifications,
    clippy::all,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated code; the documentation is in the proto files"
)]

/// Google's published types that our messages use.
pub mod google {
    pub mod api {
        tonic::include_proto!("google.api");
    }
    /// `google.type`, under a name that is no Rust keyword.
    pub use r#type as value;
    pub mod r#type {
        tonic::include_proto!("google.r#type");
    }
}

pub use trato::*;

/// The module tree mirrors the proto packages, which generated code relies on.
mod trato {
    /// Events: what is published and what foreign consumers read.
    pub mod events {
        pub mod v1 {
            tonic::include_proto!("trato.events.v1");
        }
    }

    /// Access: who may do what, and why.
    pub mod access {
        pub mod v1 {
            tonic::include_proto!("trato.access.v1");
        }
    }

    /// The directory: members and teams.
    pub mod directory {
        pub mod v1 {
            tonic::include_proto!("trato.directory.v1");
            include!(concat!(env!("OUT_DIR"), "/trato.directory.v1.standard.rs"));
        }
    }
}
