//! Turns proto files into Rust at build time, without protoc: messages, gRPC traits and the standard shapes.
//!
//! Nothing generated is committed. The descriptors are embedded as encoded bytes, because the typed form drops the
//! annotations that are enforced at run time.

mod fields;
mod shapes;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use prost_reflect::DescriptorPool;

/// What to compile into one crate.
pub struct Build<'a> {
    /// Folder that `import` paths start from.
    pub root: &'a Path,
    /// Folders below `root` whose files become code of this crate, such as `trato/sales`.
    pub folders: &'a [&'a str],
    /// Packages whose Rust types live elsewhere: proto prefix and Rust path.
    pub elsewhere: &'a [(&'a str, &'a str)],
}

impl Build<'_> {
    /// Writes the code, `descriptors.binpb` and, without comments, `bare_descriptors.binpb` into the build script's
    /// folder, and tells cargo what to watch.
    pub fn run(&self) -> Result<()> {
        #[expect(clippy::disallowed_methods, reason = "cargo names a build script's folder by a variable")]
        let out = PathBuf::from(std::env::var("OUT_DIR")?);
        let files = self.files()?;
        let mut compiler = protox::Compiler::new([self.root.join("vendor").as_path(), self.root])?;
        compiler.include_imports(true).include_source_info(true).open_files(&files)?;
        let encoded = compiler.encode_file_descriptor_set();
        fs::write(out.join("descriptors.binpb"), &encoded)?;

        let mut builder =
            tonic_prost_build::configure().build_transport(false).emit_rerun_if_changed(false).out_dir(&out);
        for (package, path) in self.elsewhere {
            builder = builder.extern_path(*package, *path);
        }
        // Names let any message find its own descriptor, and become the type of an `Any`.
        let mut config = prost_build::Config::new();
        config.enable_type_names().type_name_domain(["."], "type.googleapis.com");
        builder.compile_fds_with_config(compiler.file_descriptor_set(), config)?;
        let bare = compiler.include_source_info(false).encode_file_descriptor_set();
        fs::write(out.join("bare_descriptors.binpb"), bare)?;

        let pool = DescriptorPool::decode(encoded.as_slice())?;
        for package in self.packages(&pool) {
            let code = [fields::impls(&pool, &package), shapes::impls(&pool, &package)].concat();
            fs::write(out.join(format!("{package}.standard.rs")), code)?;
        }
        Ok(())
    }

    fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for folder in self.folders {
            let folder = self.root.join(folder);
            println_cargo(&format!("rerun-if-changed={}", folder.display()));
            collect(&folder, &mut files).with_context(|| format!("cannot read {}", folder.display()))?;
        }
        files.sort();
        Ok(files)
    }

    fn packages(&self, pool: &DescriptorPool) -> Vec<String> {
        let inside =
            |package: &str| self.folders.iter().any(|folder| package.starts_with(&folder.replace('/', ".")));
        let mut packages: Vec<String> = pool
            .files()
            .map(|file| file.package_name().to_owned())
            .filter(|package| inside(package))
            .collect();
        packages.sort();
        packages.dedup();
        packages
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "cargo reads a build script's instructions from standard output")]
fn println_cargo(instruction: &str) {
    println!("cargo:{instruction}");
}
