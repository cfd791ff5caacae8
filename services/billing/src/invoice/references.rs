//! What invoices refer to: looked up for all of them together, in the transaction that writes them. Other services are asked
//! before it for what nobody here has heard of.

use std::collections::HashMap;

use trato_platform::{
    App,
    db::{Tx, statement::Statements},
    foreign::{self, Existence, Refusal},
    rpc::Caller,
};
use trato_pricing::Trace;
use trato_proto::billing::v1 as pb;
use trato_types::{Context, Error, Kind, Ref, Result, Violations};
use uuid::Uuid;

use super::{model::Invoice, pricing::Basis};
use crate::{
    foreign::{Account, Accounts, Product, Products},
    legal_entity::LegalEntity,
    lookup::living,
    payment_term::PaymentTerm,
    tax_code::TaxCode,
};

/// Looks up what invoices refer to.
#[derive(Clone, Debug)]
pub struct References {
    accounts: Accounts,
    products: Products,
    legal_entities: Statements,
    payment_terms: Statements,
    tax_codes: Statements,
}

/// What was found; of our own, deleted ones left out.
pub struct Found {
    accounts: HashMap<Ref<Account>, Existence>,
    products: HashMap<Ref<Product>, Existence>,
    legal_entities: HashMap<Uuid, LegalEntity>,
    payment_terms: HashMap<Uuid, PaymentTerm>,
    tax_codes: HashMap<Uuid, TaxCode>,
}

impl References {
    /// Prepares the statements, and asks other services where the settings say that they are.
    pub fn new(app: &App) -> Self {
        Self {
            accounts: Accounts::new(app),
            products: Products::new(app),
            legal_entities: Statements::of::<LegalEntity>(),
            payment_terms: Statements::of::<PaymentTerm>(),
            tax_codes: Statements::of::<TaxCode>(),
        }
    }

    /// Finds out about what these invoices refer to in other services, before any transaction.
    pub async fn learn<'a>(
        &self,
        cx: &Context,
        caller: &Caller,
        invoices: impl Iterator<Item = &'a pb::Invoice> + Clone,
    ) -> Result<()> {
        let accounts = invoices.clone().map(|invoice| invoice.account.as_str());
        self.accounts.learn(cx, caller, "invoice.account", accounts).await?;
        let products = invoices.flat_map(|invoice| &invoice.lines).map(|line| line.product.as_str());
        self.products.learn(cx, caller, "invoice.lines.product", products).await
    }

    /// Everything these invoices refer to, in one statement for each kind.
    pub async fn find(&self, tx: &mut Tx, invoices: &[&Invoice]) -> Result<Found> {
        let legal_entities = invoices.iter().map(|invoice| invoice.legal_entity.uuid());
        let payment_terms = invoices.iter().filter_map(|invoice| Some(invoice.payment_term?.uuid()));
        let lines = invoices.iter().flat_map(|invoice| &invoice.lines.0);
        let products = lines.clone().filter_map(|line| line.product.map(Ref::from_uuid));
        let tax_codes = lines.flat_map(|line| &line.taxes).map(|tax| tax.tax_code);
        Ok(Found {
            accounts: foreign::find(tx, invoices.iter().map(|invoice| invoice.account)).await?,
            products: foreign::find(tx, products).await?,
            legal_entities: living(tx, &self.legal_entities, legal_entities.collect()).await?,
            payment_terms: living(tx, &self.payment_terms, payment_terms.collect()).await?,
            tax_codes: living(tx, &self.tax_codes, tax_codes.collect()).await?,
        })
    }

    /// Prices one invoice by what it refers to.
    pub async fn price(&self, tx: &mut Tx, invoice: &mut Invoice) -> Result<Trace> {
        self.find(tx, &[invoice]).await?.price(tx.cx(), invoice)
    }
}

impl Found {
    /// Prices an invoice. FAILED_PRECONDITION when it refers to something that is not there; INVALID_ARGUMENT when its
    /// amounts have no meaning.
    pub fn price(&self, cx: &Context, invoice: &mut Invoice) -> Result<Trace> {
        let legal_entity = self.legal_entity(invoice)?;
        self.payment_term(invoice)?;
        self.require_foreign(invoice)?;
        let today = legal_entity.time_zone.day_of(cx.now);
        let priced = invoice.price(&Basis { legal_entity, tax_codes: &self.tax_codes, today });
        priced.map_err(|error| by_our_names(error, invoice))
    }

    /// FAILED_PRECONDITION unless who is invoiced is there, and every product is or was. Their services were asked before for
    /// those that nobody here knew.
    fn require_foreign(&self, invoice: &Invoice) -> Result<()> {
        let account = self.accounts.get(&invoice.account).copied().unwrap_or(Existence::Unknown);
        if let Some(refusal) = account.refusal() {
            return Err(refusal.of(invoice.account, "invoice.account"));
        }
        for (number, line) in invoice.lines.0.iter().enumerate() {
            // What was sold is invoiced also when it is sold no more.
            let unknown =
                line.product.map(Ref::from_uuid).filter(|product| !self.products.contains_key(product));
            if let Some(product) = unknown {
                let field = format!("invoice.lines[{number}].product");
                return Err(Refusal::NotFound.of::<Product>(product, &field));
            }
        }
        Ok(())
    }

    /// The legal entity of an invoice; FAILED_PRECONDITION `LEGAL_ENTITY_NOT_FOUND`.
    pub fn legal_entity(&self, invoice: &Invoice) -> Result<&LegalEntity> {
        let found = self.legal_entities.get(&invoice.legal_entity.uuid());
        found
            .ok_or_else(|| missing("LEGAL_ENTITY_NOT_FOUND", "there is no such legal entity", "legal_entity"))
    }

    /// The payment term of an invoice, if it has one; FAILED_PRECONDITION `PAYMENT_TERM_NOT_FOUND`.
    pub fn payment_term(&self, invoice: &Invoice) -> Result<Option<&PaymentTerm>> {
        let Some(term) = invoice.payment_term else { return Ok(None) };
        let found = self.payment_terms.get(&term.uuid());
        let missing = || missing("PAYMENT_TERM_NOT_FOUND", "there is no such payment term", "payment_term");
        found.map(Some).ok_or_else(missing)
    }
}

fn missing(reason: &'static str, message: &'static str, field: &str) -> Error {
    Error::new(Kind::Precondition, reason, message).with("field", format!("invoice.{field}"))
}

/// The arithmetic names fields of its own document; clients know those of the invoice.
fn by_our_names(error: Error, invoice: &Invoice) -> Error {
    if error.violations().is_empty() {
        return error;
    }
    let mut violations = Violations::new();
    for violation in error.violations() {
        let field = &violation.field;
        let own = change_of(field, invoice).or_else(|| tax_code_of(field, invoice));
        let field = own.as_ref().unwrap_or(field);
        violations.add(format!("invoice.{field}"), violation.reason, violation.description.as_str());
    }
    violations.into_error()
}

/// The arithmetic knows one list of charges and then discounts; clients know two.
fn change_of(field: &str, invoice: &Invoice) -> Option<String> {
    let (line, rest) = field.strip_prefix("lines[")?.split_once("].adjustments[")?;
    let (number, rest) = rest.split_once(']')?;
    let number: usize = number.parse().ok()?;
    let charges = invoice.lines.0.get(line.parse::<usize>().ok()?)?.charges.len();
    let (list, at) = number.checked_sub(charges).map_or(("charges", number), |at| ("discounts", at));
    Some(format!("lines[{line}].{list}[{at}]{rest}"))
}

/// The arithmetic counts taxes and what is withheld apart; clients know one list of tax codes.
fn tax_code_of(field: &str, invoice: &Invoice) -> Option<String> {
    let (line, rest) = field.strip_prefix("lines[")?.split_once("].")?;
    let (list, number) = rest.split_once('[').unwrap_or((rest, ""));
    let withheld = match list {
        "taxes" => false,
        "withheld" => true,
        _ => return None,
    };
    let Some(number) = number.strip_suffix(']') else { return Some(format!("lines[{line}].tax_codes")) };
    let number: usize = number.parse().ok()?;
    let taxes = &invoice.lines.0.get(line.parse::<usize>().ok()?)?.taxes;
    let mut alike = taxes.iter().enumerate().filter(|(_, tax)| tax.withheld().is_some() == withheld);
    let (at, _) = alike.nth(number)?;
    Some(format!("lines[{line}].tax_codes[{at}]"))
}
