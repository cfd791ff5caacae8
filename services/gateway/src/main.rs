//! The gateway process. What it does is in `lib.rs`.

#[tokio::main]
async fn main() -> std::process::ExitCode {
    trato_gateway::run(trato_proto::DESCRIPTORS).await
}
