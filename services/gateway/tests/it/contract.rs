//! The test contract: compiled from `tests/schema` when the tests run.

use std::{path::Path, sync::LazyLock};

use prost_reflect::{DescriptorPool, MessageDescriptor};
use trato_gateway::{routes::Routes, schema::Schema};

/// The encoded descriptors, with options, comments and imports, as `trato-proto` has them.
pub static DESCRIPTORS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [root.join("tests/schema"), root.join("../../proto/vendor")];
    let mut compiler = protox::Compiler::new(folders).expect("the folders are there");
    compiler.include_imports(true).include_source_info(true);
    compiler.open_file("example/library/v1/library.proto").expect("the contract compiles");
    compiler.encode_file_descriptor_set()
});

/// The same as a pool.
pub static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS.as_slice()).expect("descriptors"));

/// The gateway's tables of it.
pub static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::new(&POOL).expect("a schema"));

/// The gateway's routes of it.
pub static ROUTES: LazyLock<Routes> = LazyLock::new(|| Routes::new(&POOL, &SCHEMA).expect("routes"));

/// Descriptor of a message of the contract, by its short name.
pub fn message(name: &str) -> MessageDescriptor {
    POOL.get_message_by_name(&format!("example.library.v1.{name}")).expect("a message of the contract")
}

/// A pool made of one more file, which may import what the contract imports.
pub fn pool_with(source: &str) -> DescriptorPool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut resolver = protox::file::ChainFileResolver::new();
    resolver.add(Single(source.to_owned()));
    resolver.add(protox::file::IncludeFileResolver::new(root.join("../../proto/vendor")));
    resolver.add(protox::file::GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_imports(true);
    compiler.open_file("single.proto").expect("the file compiles");
    DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice()).expect("descriptors")
}

struct Single(String);

impl protox::file::FileResolver for Single {
    fn open_file(&self, name: &str) -> Result<protox::file::File, protox::Error> {
        match name {
            "single.proto" => protox::file::File::from_source(name, &self.0),
            _ => Err(protox::Error::file_not_found(name)),
        }
    }
}
