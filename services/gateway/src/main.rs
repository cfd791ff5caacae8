//! The gateway process. What it does is in `lib.rs`.

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let contract =
        trato_gateway::Contract { bare: trato_proto::BARE_DESCRIPTORS, documented: trato_proto::DESCRIPTORS };
    trato_gateway::run(contract).await
}
