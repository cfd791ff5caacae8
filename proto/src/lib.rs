//! The contract of the suite as Rust: one module per proto package, the descriptors and the shipped roles; and how
//! Google's common types are read and written.

pub mod wire;

pub use generated::{billing, customers, sales};
pub use trato_contract::{access, directory, events, google};

mod generated {
    //! What the build script wrote, as it is.

    #![allow(
        missing_docs,
        unused_qualifications,
        clippy::all,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        reason = "generated code; the documentation is in the proto files"
    )]

    /// Invoices, credit notes, legal entities, tax codes, payment terms, exchange rates and number series.
    pub mod billing {
        pub mod v1 {
            tonic::include_proto!("trato.billing.v1");
            include!(concat!(env!("OUT_DIR"), "/trato.billing.v1.standard.rs"));
        }
    }

    /// Accounts, contacts and timelines.
    pub mod customers {
        pub mod v1 {
            tonic::include_proto!("trato.customers.v1");
            include!(concat!(env!("OUT_DIR"), "/trato.customers.v1.standard.rs"));
        }
    }

    /// Pipelines, opportunities and the funnel; products, prices, promotions and what documents cost.
    pub mod sales {
        pub mod v1 {
            tonic::include_proto!("trato.sales.v1");
            include!(concat!(env!("OUT_DIR"), "/trato.sales.v1.standard.rs"));
        }
    }
}

/// Every file of the contract with all annotations and comments, as an encoded `google.protobuf.FileDescriptorSet`.
pub static DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.binpb"));

/// The same without the comments, which are most of it: for whoever serves the contract and does not explain it.
pub static BARE_DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/bare_descriptors.binpb"));

/// The roles the suite ships, as TOML. An installation may put its own in their place.
pub static ROLES: &str = include_str!("../roles.toml");
