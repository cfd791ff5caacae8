//! A gateway in a test's own process: the few methods a load calls, over real sockets, with faults on demand.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{Method, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch};

/// What happens to a call instead of, or after, doing it.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// 503, not done.
    Down,
    /// 500, not done.
    Broken,
    /// Done, but answered with 503.
    LostAnswer,
    /// Every item is answered UNAVAILABLE.
    ItemsDown,
    /// 401.
    Stranger,
}

/// The gateway and what it holds.
#[derive(Clone)]
pub struct Stub(Arc<Inner>);

struct Inner {
    state: Mutex<Held>,
    /// How many calls may pass, since the beginning.
    allowed: watch::Sender<usize>,
}

#[derive(Default)]
struct Held {
    resources: BTreeMap<(String, String), Value>,
    answers: HashMap<String, Value>,
    faults: VecDeque<Fault>,
    in_flight: usize,
    capacity: usize,
    waiting: usize,
    calls: usize,
}

impl Stub {
    /// One that takes `capacity` calls at a time and answers 429 to more.
    pub fn new(capacity: usize) -> Self {
        let state = Mutex::new(Held { capacity, ..Held::default() });
        Self(Arc::new(Inner { state, allowed: watch::Sender::new(usize::MAX) }))
    }

    /// Begins to answer; its URL.
    pub async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        self.serve_at(listener)
    }

    /// Begins to answer at a port.
    pub fn serve_at(&self, listener: TcpListener) -> String {
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    /// The next calls meet these faults, one each.
    pub fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.held().faults.extend(faults);
    }

    /// Holds further calls back until `open`.
    pub fn close(&self) {
        self.0.allowed.send_replace(self.calls());
    }

    /// Lets so many more calls through.
    pub fn open(&self, calls: usize) {
        self.0.allowed.send_modify(|allowed| *allowed = allowed.saturating_add(calls));
    }

    /// Calls that wait at the closed gate.
    pub fn waiting(&self) -> usize {
        self.held().waiting
    }

    /// Calls so far, refused ones included.
    pub fn calls(&self) -> usize {
        self.held().calls
    }

    /// Resources of a collection by external id.
    pub fn resources(&self, collection: &str) -> BTreeMap<String, Value> {
        let held = self.held();
        let of_it = held.resources.iter().filter(|((name, _), _)| name == collection);
        of_it.map(|((_, id), resource)| (id.clone(), resource.clone())).collect()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.state.lock().expect("no test panics while it holds the state")
    }
}

async fn answer(State(stub): State<Stub>, method: Method, uri: Uri, body: Bytes) -> Response {
    let number = {
        let mut held = stub.held();
        held.calls += 1;
        held.waiting += 1;
        held.calls - 1
    };
    let passed = stub.0.allowed.subscribe().wait_for(|allowed| number < *allowed).await.is_ok();
    {
        let mut held = stub.held();
        held.waiting -= 1;
        if !passed || held.in_flight == held.capacity {
            return error(StatusCode::TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED", "too much at once");
        }
        held.in_flight += 1;
    }
    // Room for other calls to arrive meanwhile, so that capacity means something.
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    let mut held = stub.held();
    held.in_flight -= 1;
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let fault = held.faults.pop_front();
    match fault {
        Some(Fault::Down) => return error(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", "sales is down"),
        Some(Fault::Broken) => return error(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "a bug"),
        Some(Fault::Stranger) => return error(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", "who are you"),
        _ => {}
    }
    let answer = held.act(&method, &uri, &body, matches!(fault, Some(Fault::ItemsDown)));
    if matches!(fault, Some(Fault::LostAnswer)) {
        return error(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", "connection lost");
    }
    answer
}

impl Held {
    fn act(&mut self, method: &Method, uri: &Uri, body: &Value, items_down: bool) -> Response {
        let path = uri.path().trim_start_matches("/v1/");
        if method == Method::PATCH {
            let found = self.resources.values_mut().find(|resource| resource["name"] == path);
            let Some(found) = found else { return error(StatusCode::NOT_FOUND, "NOT_FOUND", "not there") };
            found["teams"] = body["teams"].clone();
            return Json(found.clone()).into_response();
        }
        if let Some(id) = path.strip_suffix(":link") {
            let found = self.resources.values_mut().find(|resource| resource["name"] == id);
            let Some(found) = found else { return error(StatusCode::NOT_FOUND, "NOT_FOUND", "not there") };
            let mut links = found["accountLinks"].as_array().cloned().unwrap_or_default();
            links.push(json!({ "account": body["account"], "role": body["role"] }));
            found["accountLinks"] = links.into();
            return Json(found.clone()).into_response();
        }
        if path == "funnel:query" {
            return Json(self.funnel()).into_response();
        }
        let Some((collection, _)) = path.split_once(':') else {
            return error(StatusCode::NOT_FOUND, "NOT_FOUND", "no such method");
        };
        let request = body["requestId"].as_str().unwrap_or_default().to_owned();
        if let Some(known) = self.answers.get(&request) {
            return Json(known.clone()).into_response();
        }
        let items = body["requests"].as_array().or(body["items"].as_array()).cloned().unwrap_or_default();
        if items.iter().any(|item| item.to_string().contains("poison")) {
            return error(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", "poison");
        }
        let results: Vec<Value> =
            items.into_iter().map(|item| self.item(collection, item, items_down)).collect();
        let answer = json!({ "results": results });
        self.answers.insert(request, answer.clone());
        Json(answer).into_response()
    }

    fn item(&mut self, collection: &str, item: Value, down: bool) -> Value {
        if down {
            return json!({ "error": { "code": 14, "message": "customers is down" } });
        }
        let nouns = item.as_object().into_iter().flatten();
        let Some((noun, mut resource)) =
            nouns.map(|(noun, it)| (noun.clone(), it.clone())).find(|(_, it)| it.is_object())
        else {
            return json!({ "error": { "code": 3, "message": "no resource" } });
        };
        if resource["displayName"].as_str().is_some_and(|name| name.contains("odd")) {
            return json!({ "error": { "code": 3, "message": "is odd", "details": [
                { "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "ODD" },
            ] } });
        }
        let id = resource["externalId"].as_str().unwrap_or_default().to_owned();
        let number = self.resources.len();
        let key = (collection.to_owned(), id);
        let created = !self.resources.contains_key(&key);
        let subject = resource["subject"].as_str().map_or_else(|| number.to_string(), str::to_owned);
        resource["name"] = format!("{collection}/{subject}").into();
        let stored = self.resources.entry(key).or_insert(resource);
        json!({ noun: stored, "created": created })
    }

    fn funnel(&self) -> Value {
        let all: Vec<&Value> = self
            .resources
            .iter()
            .filter(|((name, _), _)| name == "opportunities")
            .map(|(_, it)| it)
            .collect();
        let count = |wanted: &dyn Fn(&Value) -> bool| all.iter().filter(|it| wanted(it)).count().to_string();
        let units =
            all.iter().filter(|it| it["state"] == "WON").filter_map(|it| it["amount"]["units"].as_str());
        let won: Decimal = units.filter_map(|units| units.parse::<Decimal>().ok()).sum();
        let open = |stage: &str| count(&|it| it["state"] == "OPEN" && it["stage"] == stage);
        json!({ "total": {
            "total": { "count": count(&|_| true) },
            "won": { "count": count(&|it| it["state"] == "WON"), "amounts": [{ "currencyCode": "USD", "units": won.to_string() }] },
            "lost": { "count": count(&|it| it["state"] == "LOST") },
            "stages": [
                { "stage": "prospecting", "open": { "count": open("prospecting") } },
                { "stage": "engaging", "open": { "count": open("engaging") } },
            ],
        } })
    }
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({ "error": { "code": status.as_u16(), "status": code, "message": message } })))
        .into_response()
}
