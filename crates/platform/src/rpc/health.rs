//! Health and reflection, which anybody may ask: they tell nothing about tenants.

use tonic::service::Routes;
use tonic_health::ServingStatus;

use super::readiness::Readiness;

/// True for the services that need no token.
pub(super) fn is_open(path: &str) -> bool {
    path.starts_with("/grpc.health.v1.Health/") || path.starts_with("/grpc.reflection.v1.ServerReflection/")
}

/// `grpc.health.v1` for the server ("") and each service, following readiness; reflection v1 of the descriptors.
pub(super) async fn routes(
    services: &[String],
    descriptors: &'static [u8],
    readiness: &Readiness,
) -> Result<Routes, tonic_reflection::server::Error> {
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(descriptors)
        .build_v1()?;
    let (reporter, health) = tonic_health::server::health_reporter();
    let names: Vec<String> = std::iter::once(String::new()).chain(services.iter().cloned()).collect();
    let mut changes = readiness.subscribe();
    let now = changes.borrow_and_update().is_ready();
    for name in &names {
        reporter.set_service_status(name, serving(now)).await;
    }
    tokio::spawn(async move {
        // Ends with the last handle of readiness, that is, with the program.
        while changes.changed().await.is_ok() {
            let ready = changes.borrow_and_update().is_ready();
            for name in &names {
                reporter.set_service_status(name, serving(ready)).await;
            }
        }
    });
    Ok(Routes::new(health).add_service(reflection).prepare())
}

const fn serving(ready: bool) -> ServingStatus {
    if ready { ServingStatus::Serving } else { ServingStatus::NotServing }
}
