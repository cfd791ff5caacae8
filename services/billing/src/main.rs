//! What is owed. What it is made of is in `lib.rs`.

#[tokio::main]
async fn main() -> std::process::ExitCode {
    trato_platform::run(trato_billing::service()).await
}
