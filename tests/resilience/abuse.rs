//! Abuse of HTTP/2 at the gateway and at a service's own port: no memory is lost by it, and others are answered.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use reqwest::Method;
use tonic::Code;

use crate::harness::{
    breakable::on_a_breakable_stack,
    client::channel,
    dynamic::{self, method},
    eventually::lasts,
    frames::*,
    memory,
    onlooker::Onlooker,
    report::say,
    stack::is_long_run,
    tenant::Tenant,
};

/// Most memory that an attack may cost a process, in kilobytes.
const MOST: u64 = 64 * 1024;
/// How long what a flood brings back is listened to.
const LISTEN: Duration = Duration::from_secs(2);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// HTTP/2's word for a client that asks too much.
const ENHANCE_YOUR_CALM: u32 = 11;

/// How many times longer 99 % of the calls of others may take meanwhile.
const FELT: u32 = 2;

/// How long an attack is made again and again. In the long form enough calls of others fall into it to judge by.
fn span() -> Duration {
    Duration::from_secs(if is_long_run() { 30 } else { 0 })
}

/// Where, and with which token.
struct Attack<'a> {
    door: SocketAddr,
    token: &'a str,
}

type Told = String;

impl Attack<'_> {
    async fn open(&self) -> Raw {
        Raw::open(self.door).await.expect("the port listens")
    }

    fn head(&self, more: &[(&str, &str)]) -> Vec<u8> {
        let bearer = format!("Bearer {}", self.token);
        let mut fields = vec![
            (":method", "POST"),
            (":scheme", "http"),
            (":path", "/trato.customers.v1.AccountService/ListAccounts"),
            (":authority", "trato"),
            ("content-type", "application/grpc"),
            ("authorization", bearer.as_str()),
        ];
        fields.extend(more);
        block(&fields)
    }

    /// Calls that are taken back at once, 20,000 of them.
    async fn rapid_reset(&self) -> Told {
        let head = self.head(&[("te", "trailers")]);
        let mut bytes = Vec::new();
        for stream in (1..40_000).step_by(2) {
            bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, stream, &head));
            bytes.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
        }
        let (flood, came) = self.open().await.flood_and_read(&bytes, LISTEN).await;
        let told = goaway(&came);
        assert_eq!(told, Some(ENHANCE_YOUR_CALM), "{flood:?}");
        format!("{flood:?}, ENHANCE_YOUR_CALM")
    }

    /// Ten thousand calls whose messages never come.
    async fn ten_thousand_streams(&self) -> Told {
        let head = self.head(&[("te", "trailers")]);
        let bytes: Vec<u8> =
            (1..20_000).step_by(2).flat_map(|stream| frame(HEADERS, END_HEADERS, stream, &head)).collect();
        let (flood, came) = self.open().await.flood_and_read(&bytes, LISTEN).await;
        format!("{flood:?}, GOAWAY {:?}", goaway(&came))
    }

    /// Connections that begin and do not go on: within the preface, and within a head.
    async fn slow_loris(&self) -> Told {
        let mut held = Vec::new();
        for _ in 0..200 {
            let mut letters = Raw::silent(self.door).await.expect("the port listens");
            letters.send(&PREFACE[..7]).await.expect("it takes seven letters");
            let mut half = self.open().await;
            let head = frame(HEADERS, END_HEADERS, 1, &self.head(&[]));
            half.send(&head[..head.len() / 2]).await.expect("it takes half a head");
            held.extend([letters, half]);
        }
        lasts(Duration::from_secs(2)).await;
        format!("{} connections held", held.len())
    }

    /// A head that never ends.
    async fn continuation_flood(&self) -> Told {
        let mut bytes = frame(HEADERS, END_STREAM, 1, &self.head(&[]));
        for number in 0..50_000 {
            let field = block(&[(format!("x-{number}").as_str(), "a".repeat(200).as_str())]);
            bytes.extend(frame(CONTINUATION, 0, 1, &field));
        }
        let (flood, came) = self.open().await.flood_and_read(&bytes, LISTEN).await;
        assert_ne!(flood, Flood::Taken, "a head of {} bytes was taken", bytes.len());
        format!("{flood:?}, GOAWAY {:?}", goaway(&came))
    }

    /// Two million frames that each ask for an answer, which nobody reads.
    async fn frame_flood(&self, kind: u8, payload: &[u8]) -> Told {
        let bytes = frame(kind, 0, 0, payload).repeat(2_000_000);
        let mut connection = self.open().await;
        let flood = connection.flood(&bytes).await;
        assert_ne!(flood, Flood::Taken, "two million answers are kept for nobody");
        format!("{flood:?}")
    }

    /// A message of 64 MiB in 64 KiB.
    async fn gzip_bomb(&self) -> Told {
        let channel = channel(&format!("http://{}", self.door));
        let list = method("trato.customers.v1.AccountService.ListAccounts");
        let bomb = vec![0; 64 << 20].into();
        let refused = dynamic::compressed(&channel, Some(self.token), &list, bomb).await;
        let status = refused.expect_err("it is far too large");
        assert_eq!(status.code(), Code::Unimplemented, "{status}");
        format!("refused: {}", status.message())
    }

    /// A call without `te: trailers`, which proxies lose.
    async fn missing_te(&self) -> Told {
        let mut connection = self.open().await;
        connection.send(&frame(HEADERS, END_HEADERS, 1, &self.head(&[]))).await.expect("it is taken");
        connection.send(&frame(DATA, END_STREAM, 1, &[0; 5])).await.expect("it is taken");
        let answered = connection.wait_for(HEADERS, 1, PATIENCE).await;
        assert!(answered.is_some(), "a call without te was not answered");
        "answered".to_owned()
    }

    async fn run(&self, name: &str) -> Told {
        match name {
            "rapid reset" => self.rapid_reset().await,
            "ten thousand streams" => self.ten_thousand_streams().await,
            "slow loris" => self.slow_loris().await,
            "continuation flood" => self.continuation_flood().await,
            "ping flood" => self.frame_flood(PING, &[7; 8]).await,
            "settings flood" => self.frame_flood(SETTINGS, &[0, 4, 0, 1, 0, 0]).await,
            "gzip bomb" => self.gzip_bomb().await,
            _ => self.missing_te().await,
        }
    }
}

const ATTACKS: [&str; 8] = [
    "rapid reset",
    "ten thousand streams",
    "slow loris",
    "continuation flood",
    "ping flood",
    "settings flood",
    "gzip bomb",
    "missing te",
];

/// I3: what HTTP/2 can be abused for costs neither memory nor anybody else's answer, at the gateway and behind it.
#[test]
fn abuse_of_http2_costs_neither_memory_nor_the_answers_of_others() {
    on_a_breakable_stack(async |stack| {
        let facts = stack.facts().await;
        let caller = stack.tenant().await.director();
        let attacker = stack.tenant().await.director();
        // What is made at first use is made now.
        attacker.get("/v1/accounts").await.ok();
        let quiet = Onlooker::start(&caller, Duration::from_millis(10));
        lasts(span().max(Duration::from_secs(2))).await;
        let quiet = quiet.stop().await;
        say(format!("in peace: {} calls, p99 {:.1?}", quiet.count(), quiet.percentile(99)));

        let gateway = facts.gateway.as_ref().expect("it has one");
        let customers = facts.service("customers").expect("it runs");
        let pids = [gateway.pid.expect("it runs"), customers.pid.expect("it runs")];
        for (name, url) in [("gateway", &gateway.url), ("customers", &customers.grpc)] {
            let door = url.trim_start_matches("http://").parse().expect("an address of this machine");
            let attack = Attack { door, token: attacker.token() };
            for kind in ATTACKS {
                pids.iter().for_each(|pid| memory::forget_peak(*pid));
                let before = pids.map(memory::of);
                let onlooker = Onlooker::start(&caller, Duration::from_millis(10));
                let begun = Instant::now();
                let mut told = attack.run(kind).await;
                while begun.elapsed() < span() {
                    told = attack.run(kind).await;
                }
                let seen = onlooker.stop().await;
                let after = pids.map(memory::of);
                let grown = [0, 1].map(|at| after[at].peak.saturating_sub(before[at].now));
                say(format!(
                    "{kind} at the {name}: {told}; gateway and service grew by {grown:?} kB; \
                     {} calls of others, p99 {:.1?}",
                    seen.count(),
                    seen.percentile(99)
                ));
                assert!(seen.failed.is_empty(), "{kind} at the {name} cost others {:?}", seen.failed);
                if is_long_run() {
                    let (felt, usual) = (seen.percentile(99), quiet.percentile(99));
                    assert!(
                        felt <= usual * FELT,
                        "{kind} at the {name}: p99 {felt:.1?}, in peace {usual:.1?}"
                    );
                }
                assert!(grown.iter().all(|grown| *grown <= MOST), "{kind} at the {name} cost {grown:?} kB");
            }
        }
        stack.nobody_panicked().await;
    });
}

/// I3: a compressed body is refused before it is unpacked, over JSON as over gRPC.
#[tokio::test]
async fn a_compressed_body_is_refused() {
    let director = Tenant::fresh().director();
    let request = director.request(Method::POST, "/v1/accounts").header("content-encoding", "gzip");
    let answer = director.send(request.json(&serde_json::json!({ "displayName": "Packed" }))).await;
    assert_eq!(answer.status, 415, "{}", answer.text());
    answer.refused_as("UNSUPPORTED_CONTENT_ENCODING");
}
