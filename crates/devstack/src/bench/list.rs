//! P4: a page of 50 accounts, filtered and ordered, against hand-written keyset SQL; and the last page against the first.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use bytes::BytesMut;
use reqwest::Url;
use serde_json::Value;

use super::{
    client::{Call, Link, Target, Wire, put_number, put_text},
    drive::{self, Maker, Model},
    figure::{Figure, Goal},
    get, import,
    pgbench::Script,
    room::Room,
    versus::{self, Side},
};

/// gRPC's path of the method.
pub const METHOD: &str = "/trato.customers.v1.AccountService/ListAccounts";
/// Accounts on a page.
const PAGE: usize = 50;
const FILTER: &str = "customer = true";
const ORDER: &str = "display_name";

pub async fn measure(room: &mut Room) -> Result<Vec<Figure>> {
    let tenant = import::accounts(room).await?;
    let target = room.gateway(&tenant)?;
    let tokens = Arc::new(tokens(&target).await?);
    let last = Arc::new(vec![last_page(&target, tokens.last().map_or("", String::as_str)).await?]);
    let first = Arc::new(vec![String::new()]);

    let columns = get::columns(room).await?;
    let owner = room.stack.facts().database("customers")?.owner_url.clone();
    // The same starts: one of as many places, evenly over all rows.
    let text = format!(
        "\\set n random(0, {places})\n\
         select {columns} from account_copy where tenant_id = '{id}' and is_customer and delete_time is null \
         and (display_name, id) > ('Account ' || lpad((:n::bigint * 2000)::text, 9, '0'), '{nil}'::uuid) \
         order by display_name, id limit {limit};\n",
        places = tokens.len() - 1,
        id = tenant.id,
        nil = uuid::Uuid::nil(),
        limit = PAGE + 1
    );
    let limit = Script::write(room.file("list.sql"), &owner, &text, Vec::new())?;

    let mut sides = versus::sides();
    let mut ends = Vec::new();
    room.quiet().await?;
    for _ in 0..room.rounds {
        versus::round(room, &limit, &target, &mut sides, |wire| maker(wire, &tokens)).await?;
        let mut medians = Vec::new();
        for place in [&last, &first] {
            let links = target.links(Wire::Grpc, 1).await?;
            let model = Model::Closed(room.span / 2);
            medians.push(drive::run(links, &target, model, maker(Wire::Grpc, place)).await?.quantile(0.5));
        }
        ends.push((medians[0], medians[1]));
    }
    let figure = |side: Side| {
        let what = format!("list 50 of {} accounts, filter and order, {}, c=32", room.rows, side.name);
        let limit = "pgbench, keyset SQL by hand, no row-level security, the same starts, c=32";
        side.figure("P4", what, limit, Goal::AtLeast(0.15)).stretch(0.25)
    };
    let mut figures: Vec<Figure> = sides.map(figure).into();
    let what = "list: p50 of the last page over the first, gRPC, c=1";
    figures.push(Figure::ratio("P4", what, "ms", "p50 of the first page", &ends, Goal::AtMost(1.2)));
    Ok(figures)
}

/// Each call reads a page that begins at one of the tokens, picked at random.
pub fn maker(wire: Wire, tokens: &Arc<Vec<String>>) -> Maker {
    let tokens = tokens.clone();
    Arc::new(move |_| {
        let token = &tokens[rand::random_range(0..tokens.len())];
        match wire {
            Wire::Json => Call::get(path(PAGE, token)),
            Wire::Grpc => {
                let mut message = BytesMut::with_capacity(256);
                put_number(&mut message, 1, PAGE);
                if !token.is_empty() {
                    put_text(&mut message, 2, token);
                }
                put_text(&mut message, 3, FILTER);
                put_text(&mut message, 4, ORDER);
                Call::grpc(METHOD, message)
            }
        }
    })
}

/// Tokens of every thousandth place: the list walked once from its start.
pub async fn tokens(target: &Target) -> Result<Vec<String>> {
    let mut link = target.links(Wire::Json, 1).await?;
    let link = link.first_mut().context("a link was made")?;
    let mut tokens = vec![String::new()];
    loop {
        let (rows, next) = page(link, target, 1000, tokens.last().map_or("", String::as_str)).await?;
        if next.is_empty() {
            return Ok(tokens);
        }
        ensure!(rows == 1000, "a page of {rows} rows has a next one");
        tokens.push(next);
    }
}

/// The token of the last page of 50, searched from a place near the end.
async fn last_page(target: &Target, near: &str) -> Result<String> {
    let mut link = target.links(Wire::Json, 1).await?;
    let link = link.first_mut().context("a link was made")?;
    let mut token = near.to_owned();
    loop {
        let (rows, next) = page(link, target, PAGE, &token).await?;
        ensure!(rows == PAGE, "a page has {rows} rows");
        if next.is_empty() {
            return Ok(token);
        }
        token = next;
    }
}

/// Rows of a page and the token of the next.
async fn page(link: &mut Link, target: &Target, size: usize, token: &str) -> Result<(usize, String)> {
    let answer: Value = serde_json::from_slice(&link.call(target, Call::get(path(size, token))).await?)?;
    let rows = answer["accounts"].as_array().map_or(0, Vec::len);
    Ok((rows, answer["nextPageToken"].as_str().unwrap_or_default().to_owned()))
}

fn path(size: usize, token: &str) -> String {
    let size = size.to_string();
    let mut query = vec![("pageSize", size.as_str()), ("filter", FILTER), ("orderBy", ORDER)];
    if !token.is_empty() {
        query.push(("pageToken", token));
    }
    // The host is left out again: a request names it in a header.
    let url = Url::parse_with_params("http://gateway/v1/accounts", query).map(String::from);
    let url = url.unwrap_or_default().trim_start_matches("http://gateway").to_owned();
    // Envoy takes a plus for a plus, so that spaces must be spelt out for both.
    url.replace('+', "%20")
}
