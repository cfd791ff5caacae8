//! PDF: how many documents one core prints in a second, and how large they are. One caller asks for the same invoice again
//! and again; every answer is printed anew.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    client::{Call, Link, Target, Wire},
    figure::{Figure, Goal},
    room::Room,
    usage,
};
use crate::trade;

/// Lines of the invoices that are printed.
const LINES: [usize; 2] = [5, 100];
/// As what, in the words of the contract and of the table.
const FORMATS: [(&str, &str); 2] = [("PDF", "PDF"), ("PDF_HYBRID", "PDF with its e-invoice inside")];

/// What every invoice refers to.
struct Desk {
    account: Value,
    legal_entity: Value,
    series: Value,
    tax_code: Value,
}

pub async fn measure(room: &mut Room) -> Result<Vec<Figure>> {
    let (_, target) = room.tenant()?;
    let mut link = target.links(Wire::Json, 1).await?.pop().context("there is a connection")?;
    let desk = Desk::open(&mut link, &target).await?;
    let billing = room.stack.pid("billing")?.context("billing runs on this machine")?;
    let mut figures = Vec::new();
    for lines in LINES {
        let invoice = desk.issued(&mut link, &target, lines).await?;
        for (format, name) in FORMATS {
            let path = format!("/v1/{invoice}:render?format={format}&language=es");
            let size = size(&mut link, &target, &path).await?;
            let mut rates = Vec::new();
            for _ in 0..room.rounds {
                let (before, begun, mut printed) = (usage::millis(billing), Instant::now(), 0_u32);
                while begun.elapsed() < room.span {
                    link.call(&target, Call::get(path.clone())).await?;
                    printed += 1;
                }
                let seconds = (usage::millis(billing) - before) / 1000.0;
                ensure!(seconds > 0.0, "{printed} documents cost nothing");
                rates.push(f64::from(printed) / seconds);
            }
            let what = format!("{name} of an invoice of {lines} lines, by processor time of billing");
            let figure = Figure::absolute("PDF", what, "documents/s of one core", &rates, Goal::Unset);
            figures.push(figure.note(format!("{:.1} kB each", size as f64 / 1000.0)));
        }
    }
    Ok(figures)
}

impl Desk {
    async fn open(link: &mut Link, target: &Target) -> Result<Self> {
        let account = name(link, target, "/v1/accounts", &json!({ "displayName": "Hotel Miramar" })).await?;
        let tax_code = name(link, target, "/v1/taxCodes", &trade::standard_rate("ES21")).await?;
        let mut legal_entity = trade::legal_entity("EUR");
        legal_entity["address"]["postalCode"] = json!("28013");
        legal_entity["iban"] = json!("ES9121000418450200051332");
        legal_entity["documentFooter"] = json!("Registro Mercantil de Madrid");
        let legal_entity = name(link, target, "/v1/legalEntities", &legal_entity).await?;
        let series = trade::billing_numbers(legal_entity.as_str().unwrap_or_default(), "INVOICE", "F");
        let series = name(link, target, "/v1/numberSeries", &series).await?;
        Ok(Self { account, legal_entity, series, tax_code })
    }

    /// Records an invoice and issues it.
    async fn issued(&self, link: &mut Link, target: &Target, count: usize) -> Result<String> {
        let line = |number: usize| {
            json!({
                "key": number.to_string(), "description": format!("Coffee machine with two groups, number {number}"),
                "quantity": "2.5", "unitPrice": "1250.5", "taxCodes": [self.tax_code],
            })
        };
        let invoice = json!({
            "account": self.account, "legalEntity": self.legal_entity, "currencyCode": "EUR",
            "billTo": {
                "displayName": "Hotel Miramar", "taxId": "ESA28000001",
                "address": { "lines": ["Paseo 2"], "postalCode": "20001", "locality": "Donostia", "countryCode": "ES" },
            },
            "lines": (1..=count).map(line).collect::<Vec<_>>(),
        });
        let invoice = name(link, target, "/v1/invoices", &invoice).await?;
        let invoice = invoice.as_str().context("a name is a text")?.to_owned();
        let issue = json!({ "numberSeries": self.series, "requestId": Uuid::now_v7() });
        link.call(target, Call::post(format!("/v1/{invoice}:issue"), &issue)).await?;
        Ok(invoice)
    }
}

/// Records something and answers its name.
async fn name(link: &mut Link, target: &Target, path: &str, body: &Value) -> Result<Value> {
    let answer = link.call(target, Call::post(path, body)).await?;
    let mut answer: Value = serde_json::from_slice(&answer)?;
    Ok(answer["name"].take())
}

/// Bytes of a document, which travel as base64.
async fn size(link: &mut Link, target: &Target, path: &str) -> Result<usize> {
    let answer: Value = serde_json::from_slice(&link.call(target, Call::get(path)).await?)?;
    let content = answer["content"].as_str().context("a document has a content")?;
    Ok(content.trim_end_matches('=').len() * 3 / 4)
}
