//! P14: what traces, metrics and logs cost: creating with OTLP off, at 10 % and at 100 % sampling.
//!
//! The receiver lives in this process, takes every export and throws it away; its processor time is the load client's.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, ensure};
use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::{
    Request, Response,
    body::{Frame, Incoming},
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
    server::conn::http2,
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

use super::{
    create,
    figure::{Figure, Goal},
    room::{PROGRAMS, Room},
};
use crate::wait::eventually;

const ENDPOINT: &str = "TRATO_TELEMETRY__OTLP_ENDPOINT";
const RATIO: &str = "TRATO_TELEMETRY__SAMPLING_RATIO";
/// Longest wait for the first export of a round.
const EXPORT_PATIENCE: Duration = Duration::from_secs(15);

pub async fn measure(room: &mut Room) -> Result<Vec<Figure>> {
    let received = Arc::new(AtomicU64::new(0));
    let endpoint = receiver(received.clone()).await?;
    let (tenant, target) = room.tenant()?;
    let (mut tenth, mut whole, mut bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..room.rounds {
        let mut rates = Vec::new();
        for (endpoint, ratio) in [("", "0.1"), (endpoint.as_str(), "0.1"), (endpoint.as_str(), "1.0")] {
            for program in PROGRAMS {
                room.restart(program, &[(ENDPOINT, endpoint.to_owned()), (RATIO, ratio.to_owned())]).await?;
            }
            room.quiet().await?;
            let before = received.load(Ordering::Relaxed);
            rates.push(create::counted_round(room, &tenant, &target).await?.rate());
            if !endpoint.is_empty() {
                // Exports go out in batches, the first perhaps after a short round.
                let some = async || (received.load(Ordering::Relaxed) > before).then_some(());
                eventually(EXPORT_PATIENCE, "an export to arrive", some).await?;
            }
            bytes = received.load(Ordering::Relaxed) - before;
            ensure!(!endpoint.is_empty() || bytes == 0, "the receiver got {bytes} bytes with telemetry off");
        }
        tenth.push((rates[1], rates[0]));
        whole.push((rates[2], rates[0]));
    }
    for program in PROGRAMS {
        room.restart(program, &[(ENDPOINT, String::new())]).await?;
    }
    let limit = "the same without an endpoint";
    let what = |share| format!("create account with telemetry at {share} sampling, c=32");
    let note = format!("the receiver got {:.1} MB in the last round at 100 %", bytes as f64 / 1e6);
    Ok(vec![
        Figure::ratio("P14", what("10 %"), "calls/s", limit, &tenth, Goal::AtLeast(0.95)).stretch(0.97),
        Figure::ratio("P14", what("100 %"), "calls/s", limit, &whole, Goal::AtLeast(0.88)).note(note),
    ])
}

/// Starts a receiver that counts bytes; its URL.
async fn receiver(received: Arc<AtomicU64>) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let received = received.clone();
            let service = service_fn(move |request| take(request, received.clone()));
            let server = http2::Builder::new(TokioExecutor::new());
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    });
    Ok(url)
}

/// Answers an export with an empty message, which means that all was taken.
async fn take(
    request: Request<Incoming>,
    received: Arc<AtomicU64>,
) -> Result<Response<impl hyper::body::Body<Data = Bytes, Error = hyper::Error>>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    received.fetch_add(body.len() as u64, Ordering::Relaxed);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let frames = [Frame::data(Bytes::from_static(&[0; 5])), Frame::trailers(trailers)];
    let mut answer = Response::new(StreamBody::new(stream::iter(frames.map(Ok))));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    Ok(answer)
}
