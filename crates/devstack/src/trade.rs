//! Commerce through the public API alone: what documents name, a chain from an opportunity to cash, and the way back.
//!
//! Whoever drives it brings the calls: a test asks until it is answered, a measurement takes the time.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

/// Longest wait until sales has heard of a tax code of billing.
const HEARD: Duration = Duration::from_secs(30);
/// Pause before it is asked again.
const PAUSE: Duration = Duration::from_millis(50);
/// Code of the policy by which returns are judged.
const RETURNS: &str = "STANDARD";

/// Whom we are: Acme of Madrid, with books in this currency.
pub fn legal_entity(currency: &str) -> Value {
    json!({
        "displayName": "Acme", "legalName": "Acme S.L.", "timeZone": "Europe/Madrid", "baseCurrencyCode": currency,
        "taxIds": [{ "countryCode": "ES", "scheme": "VAT", "value": "ESB12345678" }],
        "address": { "lines": ["Calle Mayor 1"], "locality": "Madrid", "countryCode": "ES" },
    })
}

/// The standard rate of Spain, 21 %.
pub fn standard_rate(code: &str) -> Value {
    json!({
        "code": code, "displayName": "Standard rate", "countryCode": "ES", "tax": "VAT", "category": "STANDARD",
        "rates": [{ "percent": "21", "validFrom": { "year": 2012, "month": 9, "day": 1 } }],
    })
}

/// A series of sales that is the default of its kind: `Q1`, `Q2`.
pub fn numbers(document_kind: &str, prefix: &str) -> Value {
    json!({ "displayName": document_kind, "documentKind": document_kind, "prefix": prefix, "isDefault": true })
}

/// A gap-free series of billing: `F1`, `F2`.
pub fn billing_numbers(legal_entity: &str, document_kind: &str, prefix: &str) -> Value {
    json!({
        "displayName": document_kind, "legalEntity": legal_entity, "documentKind": document_kind, "prefix": prefix,
        "gapFree": true,
    })
}

/// Whoever makes the calls of a chain, with the token of an administrator.
pub trait Client {
    /// Sends a POST of JSON under a request id of its own, and answers the resource. An error ends the chain.
    fn ask(&mut self, path: String, body: Value) -> impl Future<Output = Result<Value>> + Send;
}

/// What the chains of a tenant name: resource names.
#[derive(Clone, Debug)]
pub struct Ground {
    /// Who buys.
    pub account: String,
    /// A thousand dollars a piece, and 21 % on top.
    pub product: String,
    /// Who sells.
    pub legal_entity: String,
    /// Of invoices, gap-free from `F1`.
    pub invoices: String,
    /// Of credit notes, gap-free from `C1`.
    pub credit_notes: String,
}

/// Which document of a chain is invoiced.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Billed {
    /// The accepted quote.
    Quote,
    /// The delivery note of its order.
    DeliveryNote,
}

/// What came of a chain: resource names.
#[derive(Clone, Debug)]
pub struct Cashed {
    /// The opportunity, won.
    pub opportunity: String,
    /// The order, delivered and invoiced.
    pub order: String,
    /// The delivery note, all of it with its receiver.
    pub delivery_note: String,
    /// The invoice, paid.
    pub invoice: String,
    /// Its number.
    pub number: String,
    /// The payment.
    pub payment: String,
}

/// What came of the way back: resource names.
#[derive(Clone, Debug)]
pub struct Returned {
    /// The return, settled.
    pub sales_return: String,
    /// The credit note, issued.
    pub credit_note: String,
    /// Its number.
    pub number: String,
}

/// Calls of one chain.
pub const CALLS: usize = 13;
/// What one chain brings in, in cents.
pub const GROSS: i64 = 242_000;

impl Ground {
    /// Makes it.
    pub async fn make(client: &mut (impl Client + Send)) -> Result<Self> {
        let account = made(client, "accounts", json!({ "displayName": "Hotel Miramar" })).await?;
        let stages = json!([{ "key": "talk", "displayName": "Talk" }]);
        made(client, "pipelines", json!({ "displayName": "Sales", "stages": stages })).await?;
        for (kind, prefix) in [("QUOTE", "Q"), ("ORDER", "O"), ("DELIVERY_NOTE", "D"), ("RETURN", "R")] {
            made(client, "salesNumberSeries", numbers(kind, prefix)).await?;
        }
        let legal_entity = made(client, "legalEntities", legal_entity("USD")).await?;
        let invoices = made(client, "numberSeries", billing_numbers(&legal_entity, "INVOICE", "F")).await?;
        let credit_notes = billing_numbers(&legal_entity, "CREDIT_NOTE", "C");
        let credit_notes = made(client, "numberSeries", credit_notes).await?;
        let policy =
            json!({ "displayName": "Standard", "code": RETURNS, "windowDays": 14, "payer": "BUYER" });
        let policy = made(client, "returnPolicies", policy).await?;
        made(client, &format!("{policy}:publish"), json!({})).await?;
        made(client, "taxCodes", standard_rate("VAT-21")).await?;
        let product = json!({
            "displayName": "Press", "sellable": true, "taxClass": "VAT-21",
            "listPrice": { "currencyCode": "USD", "units": "1000" },
        });
        let product = made(client, "products", product).await?;
        let ground = Self { account, product, legal_entity, invoices, credit_notes };
        let begun = Instant::now();
        while client.ask("/v1/pricing:priceDocument".to_owned(), ground.document()).await.is_err() {
            ensure!(begun.elapsed() < HEARD, "sales does not hear of the tax code");
            tokio::time::sleep(PAUSE).await;
        }
        Ok(ground)
    }

    /// Two presses.
    pub fn document(&self) -> Value {
        json!({ "currencyCode": "USD", "lines": [{ "product": self.product, "quantity": "2" }] })
    }
}

/// Goes from an opportunity to cash: offered, accepted, ordered, delivered, invoiced by one of its documents and paid, in `CALLS`
/// calls.
pub async fn to_cash(client: &mut (impl Client + Send), ground: &Ground, billed: Billed) -> Result<Cashed> {
    let account = &ground.account;
    let chance = json!({ "displayName": "Two presses", "account": account });
    let opportunity = made(client, "opportunities", chance).await?;
    let quote = json!({ "account": account, "opportunity": opportunity, "document": ground.document() });
    let quote = made(client, "quotes", quote).await?;
    made(client, &format!("{quote}:submit"), json!({})).await?;
    made(client, &format!("{quote}:send"), json!({})).await?;
    let acceptance = json!({ "accepter": "Eva Soler", "winOpportunity": true });
    made(client, &format!("{quote}:accept"), acceptance).await?;
    let order = made(client, "orders:createFromQuote", json!({ "quote": quote })).await?;
    made(client, &format!("{order}:confirm"), json!({})).await?;
    let delivery_note = made(client, "deliveryNotes", json!({ "order": order })).await?;
    made(client, &format!("{delivery_note}:issue"), json!({})).await?;
    made(client, &format!("{delivery_note}:dispatch"), json!({ "carrier": "Correos" })).await?;
    made(client, &format!("{delivery_note}:confirm"), json!({ "proof": { "receiver": "Eva" } })).await?;
    let source = match billed {
        Billed::Quote => &quote,
        Billed::DeliveryNote => &delivery_note,
    };
    let bill = json!({
        "sourceDocument": source, "legalEntity": ground.legal_entity, "issue": true,
        "numberSeries": ground.invoices,
    });
    let bill = client.ask("/v1/invoices:createFromSource".to_owned(), bill).await?;
    let invoice = name(&bill)?;
    let payment = json!({
        "account": account, "legalEntity": ground.legal_entity, "method": "BANK_TRANSFER",
        "amount": bill["totals"]["due"],
    });
    let payment = json!({ "payment": payment, "allocations": [{ "invoice": invoice }] });
    let payment = made(client, "payments:record", payment).await?;
    let number = bill["number"].as_str().context("an issued invoice has a number")?.to_owned();
    Ok(Cashed { opportunity, order, delivery_note, invoice, number, payment })
}

/// Goes all the way back: what was sold is returned, credited and refunded.
pub async fn and_back(
    client: &mut (impl Client + Send),
    ground: &Ground,
    cashed: &Cashed,
) -> Result<Returned> {
    let back = json!({
        "deliveryNote": cashed.delivery_note, "reason": "Too loud", "policyCode": RETURNS,
        "lines": [{ "deliveryLine": "1", "quantity": "2" }],
    });
    let sales_return = made(client, "salesReturns", back).await?;
    made(client, &format!("{sales_return}:authorise"), json!({})).await?;
    made(client, &format!("{sales_return}:receive"), json!({})).await?;
    let found = json!({ "lines": [{ "line": "1", "condition": "OPENED", "disposition": "REFUND" }] });
    made(client, &format!("{sales_return}:inspect"), found).await?;
    made(client, &format!("{sales_return}:settle"), json!({})).await?;
    let credit = json!({ "invoice": cashed.invoice, "reason": "Returned" });
    let credit_note = made(client, "creditNotes", credit).await?;
    let series = json!({ "numberSeries": ground.credit_notes });
    let issued = client.ask(format!("/v1/{credit_note}:issue"), series).await?;
    let number = issued["number"].as_str().context("an issued credit note has a number")?.to_owned();
    made(client, &format!("{}:refund", cashed.payment), json!({ "invoice": cashed.invoice })).await?;
    Ok(Returned { sales_return, credit_note, number })
}

/// Asks for something and answers its name.
async fn made(client: &mut (impl Client + Send), path: &str, body: Value) -> Result<String> {
    name(&client.ask(format!("/v1/{path}"), body).await?)
}

fn name(resource: &Value) -> Result<String> {
    Ok(resource["name"].as_str().with_context(|| format!("no name in {resource}"))?.to_owned())
}
