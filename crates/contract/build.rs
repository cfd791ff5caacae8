//! Compiles the protos the platform may know. See `trato-codegen`.

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let build = trato_codegen::Build {
        root: Path::new("../../proto"),
        folders: &["trato/options", "trato/events", "trato/access", "trato/directory", "vendor/google/type"],
        elsewhere: &[(".google.rpc", "::tonic_types::pb")],
    };
    Ok(build.run()?)
}
