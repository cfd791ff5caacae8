//! The gateway's own gRPC services: health, and reflection over the whole contract.

use std::collections::BTreeSet;

use http::{Request, Response};
use prost_reflect::DescriptorPool;
use tonic::{body::Body, service::Routes};
use tonic_health::{ServingStatus, server::HealthReporter};
use tower::Service;

/// True for the paths of health and reflection.
pub fn is_local(path: &str) -> bool {
    [
        "/grpc.health.v1.Health/",
        "/grpc.reflection.v1.ServerReflection/",
        "/grpc.reflection.v1alpha.ServerReflection/",
    ]
    .iter()
    .any(|prefix| path.starts_with(prefix))
}

/// Health and reflection.
pub struct Local {
    routes: Routes,
    reporter: HealthReporter,
    services: BTreeSet<String>,
}

impl Local {
    /// Reflects the descriptors with their annotations as they are.
    pub fn new(descriptors: &[u8], pool: &DescriptorPool) -> Result<Self, tonic_reflection::server::Error> {
        let (reporter, health) = tonic_health::server::health_reporter();
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(descriptors)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let routes = Routes::new(health)
            .add_service(reflection().build_v1()?)
            .add_service(reflection().build_v1alpha()?)
            .prepare();
        let services = pool.services().map(|service| service.full_name().to_owned()).collect();
        Ok(Self { routes, reporter, services })
    }

    /// What health checks hear, of the whole and of each service.
    pub async fn set_serving(&self, is_serving: bool) {
        let status = if is_serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        self.reporter.set_service_status("", status).await;
        for service in &self.services {
            self.reporter.set_service_status(service, status).await;
        }
    }

    /// Answers a call.
    pub async fn call(&self, request: Request<Body>) -> Response<Body> {
        match self.routes.clone().call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}
