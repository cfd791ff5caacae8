//! The contract that is served.

use prost_reflect::{DescriptorError, DescriptorPool};

/// The contract, as encoded `google.protobuf.FileDescriptorSet`s of the compiler's own.
#[derive(Clone, Copy, Debug)]
pub struct Contract {
    /// With all annotations: what routes and JSON are made of.
    pub bare: &'static [u8],
    /// With the comments as well, which are the most of it: for the API document and for reflection.
    pub documented: &'static [u8],
}

impl Contract {
    /// The contract without its comments.
    pub(super) fn read(self) -> Result<DescriptorPool, DescriptorError> {
        pool(self.bare)
    }

    /// The contract with its comments. As long as it is held it takes many times its size.
    pub(super) fn read_documented(self) -> Result<DescriptorPool, DescriptorError> {
        pool(self.documented)
    }
}

fn pool(descriptors: &[u8]) -> Result<DescriptorPool, DescriptorError> {
    let mut pool = DescriptorPool::decode(descriptors)?;
    for name in ["google.rpc.Status", "google.rpc.ErrorInfo"] {
        // Errors carry these whether or not the contract mentions them.
        if pool.get_message_by_name(name).is_none() {
            pool.decode_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)?;
        }
    }
    Ok(pool)
}
