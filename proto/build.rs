//! Compiles the business protos. See `trato-codegen`.

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let build = trato_codegen::Build {
        root: Path::new("."),
        folders: &["trato/customers", "trato/directory", "trato/sales", "trato/billing", "vendor/google/rpc"],
        elsewhere: &[
            (".google.rpc", "::tonic_types::pb"),
            (".google.type", "::trato_contract::google::value"),
            (".trato.events", "::trato_contract::events"),
            (".trato.access", "::trato_contract::access"),
            (".trato.directory", "::trato_contract::directory"),
        ],
    };
    Ok(build.run()?)
}
