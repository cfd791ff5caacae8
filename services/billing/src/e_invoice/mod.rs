//! Invoices and credit notes as e-invoices by EN 16931: what was stored when they were issued, in the terms of the standard.
//! Pure; amounts are those that were stored. What the standard wants and a document does not say is named by its terms.

mod credit_note;
mod invoice;
mod missing;
mod party;
mod unit;

pub use self::{credit_note::of_credit_note, invoice::of_invoice};

use trato_einvoice::{
    Account, AccountNumber, Delivery, Identifier, Invoice as Terms, Item, Kind, Means, Note, Paragraph,
    Period, Preceding, Profile, References, TaxGroup, Text, Totals, Vat,
};
use trato_pricing::{TaxCategory, TaxKey};
use trato_types::{Currency, Date, Minor};

use self::missing::Missing;
use crate::{
    invoice::{Numbers, Party},
    legal_entity::Seller,
};

/// The rules that an e-invoice follows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rules {
    /// Those of the legal entity.
    OfSeller,
    /// The standard alone, as Factur-X wants it.
    Standard,
}

/// What both kinds of documents have in common.
struct Document<'a> {
    kind: Kind,
    number: Option<&'a String>,
    issued: Option<Date>,
    due: Option<Date>,
    currency: Currency,
    seller: Option<&'a Seller>,
    buyer: &'a Party,
    numbers: &'a Numbers,
    rules: Rules,
}

impl Document<'_> {
    /// The terms of all documents, with nothing sold yet. What is not there is noted.
    fn begin(&self, totals: Totals, missing: &mut Missing) -> Option<Terms> {
        let number = missing.require("BT-1 number", self.number.map(String::as_str));
        let issued = missing.keep("BT-2 issue_date", self.issued);
        let sent_by = missing.keep("BG-4 seller", self.seller)?;
        let seller = party::seller(sent_by, missing);
        let buyer = party::buyer(self.buyer, missing);
        let profile = match (self.rules, sent_by.e_invoice_profile.as_str()) {
            (Rules::Standard, _) | (_, "") => Some(Profile::EN_16931),
            (Rules::OfSeller, profile) => {
                missing.keep("BT-24 legal_entity.e_invoice_profile", profile.parse().ok())
            }
        };
        // The account of the seller is nothing to who is given something back.
        let means =
            (self.kind == Kind::Invoice).then(|| means(sent_by, self.currency, number.as_ref())).flatten();
        let numbers = self.numbers;
        let buyer_reference = missing.optional("BT-10 buyer_reference", &numbers.buyer_reference);
        let references = References {
            order: missing.optional("BT-13 purchase_order", &numbers.purchase_order),
            sales_order: missing.optional("BT-14 sales_order_number", &numbers.sales_order),
            despatch: missing.optional("BT-16 delivery_note_number", &numbers.delivery_note),
            ..References::default()
        };
        Some(Terms {
            profile: profile?,
            process: None,
            number: number?,
            issued: issued?,
            kind: self.kind,
            currency: self.currency,
            declared_tax: None,
            due: self.due,
            buyer_reference,
            references,
            buyer_account: None,
            terms: None,
            notes: Vec::new(),
            preceding: Vec::new(),
            seller: seller?,
            buyer: buyer?,
            payee: None,
            representative: None,
            delivery: Delivery::default(),
            period: Period::default(),
            means,
            allowances: Vec::new(),
            charges: Vec::new(),
            taxes: Vec::new(),
            totals,
            lines: Vec::new(),
        })
    }
}

/// A transfer to the account of the seller, if it has told one.
fn means(seller: &Seller, currency: Currency, number: Option<&Text>) -> Option<Means> {
    let account = AccountNumber::new(seller.iban.parse().ok()?);
    let code = if currency.code() == "EUR" { Means::SEPA_TRANSFER } else { "30" };
    let mut means = Means::new(code.parse().ok()?);
    means.accounts = vec![Account { number: account, name: None, bank: seller.bic.parse().ok() }];
    means.remittance = number.cloned();
    Some(means)
}

/// The one tax that the standard knows; another one has no place in it.
fn vat(key: &TaxKey, at: &str, missing: &mut Missing) -> Vat {
    let islands = [TaxCategory::CanaryIslands, TaxCategory::CeutaAndMelilla];
    if &*key.code != "VAT" && !islands.contains(&key.category) {
        missing.add(format!("BT-151 {at}: no tax but VAT"));
    }
    Vat { category: key.category, rate: key.rate }
}

/// The tax of a group, and why there is none.
fn group(
    key: &TaxKey,
    (basis, tax): (Minor, Minor),
    reasons: &[std::sync::Arc<str>],
    missing: &mut Missing,
) -> TaxGroup {
    let reason = reasons.join(" ");
    TaxGroup {
        vat: vat(key, "tax_groups", missing),
        basis,
        tax,
        reason: missing.optional("BT-120 legal_note", &reason),
        code: None,
    }
}

/// What something is called. What is too long for a name is told in full as its description.
fn item(description: &str, at: &str, missing: &mut Missing) -> Option<Item> {
    const LONGEST: usize = 100;
    let whole = description.replace('\n', " ");
    if let Ok(name) = whole.parse::<Text>() {
        return Some(Item::new(name));
    }
    let name: String = whole.chars().take(LONGEST).collect::<String>() + "…";
    let mut item = Item::new(missing.require(&format!("BT-153 {at}.description"), Some(&name))?);
    item.description = missing.paragraph(&format!("BT-154 {at}.description"), description);
    Some(item)
}

/// A note, if there is something to say.
fn note(text: &str, missing: &mut Missing) -> Option<Note> {
    let text: Paragraph = missing.paragraph("BT-22 note", text)?;
    Some(Note::new(None, text))
}

/// The invoice that a document is about.
fn preceding(number: Option<&String>, issued: Option<Date>, missing: &mut Missing) -> Option<Preceding> {
    let number = missing.require("BT-25 invoice", number.map(String::as_str))?;
    Some(Preceding { number, issued })
}

/// Where something is supplied to within the union, it is told where to.
fn delivery(terms: &Terms, date: Option<Date>) -> Delivery {
    let within = terms.taxes.iter().any(|group| group.vat.category == TaxCategory::IntraCommunity);
    Delivery { date, address: within.then(|| terms.buyer.address.clone()), ..Delivery::default() }
}

/// Where nothing is subject to the tax, nobody is known by a number for it (BR-O-02 to BR-O-04).
fn without_vat_numbers(terms: &mut Terms) {
    if !terms.taxes.iter().any(|group| group.vat.category == TaxCategory::NotSubject) {
        return;
    }
    for party in [&mut terms.seller.party, &mut terms.buyer] {
        let number = party.vat_number.take().and_then(|number| number.as_str().parse().ok());
        party.registration =
            party.registration.take().or(number.map(|value| Identifier { scheme: None, value }));
    }
}

/// What is withheld counts as paid: the buyer pays it to the authority in the seller's name. The standard has no other place.
fn withheld(totals: &mut Totals, withheld: Minor, terms: &mut Terms, missing: &mut Missing) {
    if withheld.is_zero() {
        return;
    }
    totals.prepaid = Minor(totals.prepaid.0.saturating_add(withheld.0));
    let (units, nanos) = withheld.units_and_nanos(terms.currency);
    let cents = format!("{:09}", nanos.unsigned_abs());
    let digits = cents.get(..terms.currency.exponent() as usize).unwrap_or_default();
    let point = if digits.is_empty() { "" } else { "." };
    let text = format!("BT-113: {units}{point}{digits} {} (withheld tax)", terms.currency);
    terms.notes.extend(note(&text, missing));
    terms.totals = *totals;
}
