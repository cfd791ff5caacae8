//! Random bytes and mutilated requests on every method: a clear answer every time, and every process lives on.

use std::time::{Duration, Instant};

use futures::future::join_all;
use prost::Message as _;
use prost_reflect::MethodDescriptor;
use rand::{Rng, RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::Method;

use super::{samples::World, transcode};
use crate::harness::{
    answer::Refusal,
    caller::Caller,
    dynamic::{self, methods},
    report::say,
    stack::{Vigil, is_long_run},
    tenant::Tenant,
};

/// How long it goes on: bounded in an ordinary run.
fn budget() -> Duration {
    Duration::from_secs(if is_long_run() { 60 } else { 15 })
}

/// Codes nobody may be able to provoke.
const DEFECTS: [&str; 4] = ["INTERNAL", "UNKNOWN", "DATA_LOSS", "UNAVAILABLE"];

/// One method with a good request in both encodings, to be mutilated.
struct Target {
    method: MethodDescriptor,
    bytes: Vec<u8>,
    call: transcode::Call,
}

#[tokio::test]
async fn random_and_mutilated_requests_get_a_clear_answer_and_harm_nothing() {
    let vigil = Vigil::begin();
    let seed: u64 = rand::random();
    say(format!("seed {seed}"));
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    let mut targets = Vec::new();
    for method in methods().into_iter().filter(|method| method.name() != "SubscribeEvents") {
        let request = world.sample(&method).await.request;
        let bytes = dynamic::message(&method.input(), &request).encode_to_vec();
        targets.push(Target { call: transcode::call(&method, &request), method, bytes });
    }

    // Several callers, since each has a rate of its own.
    let end = Instant::now() + budget();
    let callers = (0..8).map(|number| {
        let caller = tenant.caller(&format!("fuzzer-{number}"), &["administrator"]);
        let (targets, channel) = (&targets, tenant.channel());
        async move {
            let mut random = StdRng::seed_from_u64(seed + number);
            let mut sent = 0;
            while Instant::now() < end {
                let target = &targets[random.random_range(0..targets.len())];
                if random.random_bool(0.5) {
                    by_grpc(channel, &caller, target, &mut random).await;
                } else {
                    by_json(&caller, target, &mut random).await;
                }
                sent += 1;
            }
            sent
        }
    });
    let sent: u64 = join_all(callers).await.into_iter().sum();
    say(format!("{sent} requests"));
    assert!(sent > 500, "only {sent} requests were sent");
    vigil.all_live().await;
}

async fn by_grpc(channel: &tonic::transport::Channel, caller: &Caller, target: &Target, random: &mut StdRng) {
    let body = if random.random_bool(0.3) { noise(random, 200) } else { mutilated(&target.bytes, random) };
    let answer = dynamic::bytes(channel, Some(caller.token()), &target.method, body.clone().into()).await;
    let Err(status) = answer else { return };
    let refusal = Refusal::of(&status);
    let clear = !DEFECTS.contains(&refusal.code.as_str()) && !refusal.reason.is_empty();
    assert!(clear, "{} with {body:?}: {status:?}", target.method.full_name());
}

async fn by_json(caller: &Caller, target: &Target, random: &mut StdRng) {
    let text = target.call.body.as_ref().map(|body| body.to_string().into_bytes()).unwrap_or_default();
    let body = if random.random_bool(0.2) { noise(random, 200) } else { mutilated(&text, random) };
    let mut path = target.call.target();
    if random.random_bool(0.5) {
        // What a client library would not send cannot be tried; the rest of the path and the query can.
        let changed = mutilated(path.as_bytes(), random);
        let visible = changed.into_iter().filter(|byte| byte.is_ascii_graphic() && *byte != b'#');
        path = format!("/{}", String::from_utf8_lossy(&visible.collect::<Vec<_>>()).trim_start_matches('/'));
    }
    if reqwest::Url::parse(&format!("{}{path}", caller.base())).is_err() {
        return;
    }
    let verb = if random.random_bool(0.9) { target.call.verb.clone() } else { Method::PUT };
    let request = caller.request(verb, &path).header("content-type", "application/json").body(body.clone());
    let answer = caller.send(request).await;
    let clear = answer.status < 500 || answer.status == 501;
    assert!(clear, "{} with {:?}: {}", answer.asked, String::from_utf8_lossy(&body), answer.text());
    if answer.status >= 400 {
        assert!(!answer.refused().reason.is_empty(), "{}: {}", answer.asked, answer.text());
    }
}

fn noise(random: &mut StdRng, most: usize) -> Vec<u8> {
    let mut bytes = vec![0; random.random_range(0..most)];
    random.fill_bytes(&mut bytes);
    bytes
}

/// Good bytes with a few of them changed, taken away, doubled or moved.
fn mutilated(bytes: &[u8], random: &mut StdRng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..random.random_range(1..5) {
        let length = bytes.len();
        if length == 0 {
            return noise(random, 20);
        }
        let at = random.random_range(0..length);
        match random.random_range(0..5) {
            0 => bytes[at] = random.random(),
            1 => bytes[at] ^= 1 << random.random_range(0..8),
            2 => bytes.truncate(at),
            3 => {
                let piece = bytes[at..length.min(at + 16)].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => drop(bytes.drain(at..length.min(at + 8))),
        }
    }
    bytes
}
