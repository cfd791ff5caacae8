//! E-invoices of every kind and tax category, with little and with everything in them.

use std::str::FromStr;

use trato_einvoice::{
    Account, AccountNumber, Address, Adjustment, Class, Contact, DeclaredTax, Delivery, DirectDebit,
    DocumentAdjustment, EInvoice, Endpoint, Iban, Identifier, Invoice, Item, Kind, Line, Means, Note, Party,
    Payee, Period, Preceding, Price, PriceDiscount, Profile, References, Representative, Seller, StandardId,
    TaxGroup, Text, Totals, Vat,
};
use trato_pricing::TaxCategory;
use trato_types::{Currency, Date, Minor};

/// Category, rate in percent, and why no tax is due.
pub type Taxation = (TaxCategory, i64, Option<&'static str>);

/// 21 percent.
pub const STANDARD: Taxation = (TaxCategory::Standard, 21, None);

const TAXATIONS: [Taxation; 9] = [
    STANDARD,
    (TaxCategory::Zero, 0, None),
    (TaxCategory::Exempt, 0, Some("VATEX-EU-132")),
    (TaxCategory::ReverseCharge, 0, Some("VATEX-EU-AE")),
    (TaxCategory::IntraCommunity, 0, Some("VATEX-EU-IC")),
    (TaxCategory::Export, 0, Some("VATEX-EU-G")),
    (TaxCategory::NotSubject, 0, Some("VATEX-EU-O")),
    (TaxCategory::CanaryIslands, 7, None),
    (TaxCategory::CeutaAndMelilla, 4, None),
];

fn parse<T: FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is one"))
}

fn some<T: FromStr>(text: &str) -> Option<T> {
    Some(parse(text))
}

fn day(month: u32, day: u32) -> Date {
    Date::from_ymd_opt(2026, month, day).expect("a day")
}

fn currency(code: &str) -> Currency {
    Currency::parse(code).expect("a code")
}

/// Documents by name: each kind in each category, plain and full, in both profiles and several currencies.
pub fn samples() -> Vec<(String, EInvoice)> {
    let mut samples = Vec::new();
    for kind in [Kind::Invoice, Kind::CreditNote, Kind::Corrected] {
        for taxation in TAXATIONS {
            let name = format!("{}-{}", kind.code(), taxation.0.code());
            samples.push((format!("{name}-plain"), plain(kind, taxation)));
            samples.push((format!("{name}-full"), full(kind, taxation, Profile::EN_16931)));
            samples.push((format!("{name}-xrechnung"), full(kind, taxation, Profile::XRECHNUNG)));
        }
    }
    samples.push(("yen".to_owned(), yen()));
    samples.push(("mixed".to_owned(), mixed()));
    samples.push(("surcharge".to_owned(), surcharge()));
    samples
}

/// One hour for a hundred, with no more than what must be there.
pub fn plain(kind: Kind, taxation: Taxation) -> EInvoice {
    checked(plain_invoice(kind, taxation))
}

fn checked(invoice: Invoice) -> EInvoice {
    EInvoice::new(invoice).unwrap_or_else(|error| panic!("{error}: {:?}", error.violations()))
}

fn vat((category, rate, _): Taxation) -> Vat {
    Vat { category, rate: parse(&rate.to_string()) }
}

fn group(taxation: Taxation, basis: i64) -> TaxGroup {
    let code = taxation.2.map(parse);
    TaxGroup {
        vat: vat(taxation),
        basis: Minor(basis),
        tax: Minor(basis * taxation.1 / 100),
        reason: None,
        code,
    }
}

fn plain_invoice(kind: Kind, taxation: Taxation) -> Invoice {
    let line = Line::new(
        parse("1"),
        (parse("1"), parse("HUR")),
        (parse("100"), Minor(10_000)),
        vat(taxation),
        Item::new(parse("Consulting")),
    );
    let is_outside = taxation.0 == TaxCategory::NotSubject;
    let mut seller = Party::new(parse("Trato S.L."), parse("ES"));
    seller.vat_number = (!is_outside).then(|| parse("ESB12345678"));
    seller.registration = is_outside.then(|| Identifier { scheme: None, value: parse("M-123456") });
    let mut buyer = Party::new(parse("Muster GmbH"), parse("DE"));
    buyer.vat_number = (!is_outside).then(|| parse("DE123456789"));
    let mut means = Means::new(parse(Means::SEPA_TRANSFER));
    let iban: Iban = parse("ES9121000418450200051332");
    means.accounts = vec![Account { number: AccountNumber::from(iban), name: None, bank: None }];
    let mut delivery = Delivery::default();
    if taxation.0 == TaxCategory::IntraCommunity {
        delivery = Delivery { date: Some(day(11, 28)), address: Some(address("DE")), ..delivery };
    }
    let tax = Minor(100 * taxation.1);
    let gross = Minor(10_000 + tax.0);
    Invoice {
        profile: Profile::EN_16931,
        process: None,
        number: parse("F-2026-1"),
        issued: day(11, 30),
        kind,
        currency: currency("EUR"),
        declared_tax: None,
        due: Some(day(12, 30)),
        buyer_reference: None,
        references: References::default(),
        buyer_account: None,
        terms: None,
        notes: Vec::new(),
        preceding: Vec::new(),
        seller: Seller { party: seller, tax_number: None, legal_form: None },
        buyer,
        payee: None,
        representative: None,
        delivery,
        period: Period::default(),
        means: Some(means),
        allowances: Vec::new(),
        charges: Vec::new(),
        taxes: vec![group(taxation, 10_000)],
        totals: Totals {
            lines: Minor(10_000),
            net: Minor(10_000),
            tax,
            gross,
            due: gross,
            ..Totals::default()
        },
        lines: vec![line],
    }
}

fn address(country: &str) -> Address {
    Address {
        street: some("Calle Mayor 1"),
        addition: some("2º izquierda"),
        third_line: some("Edificio <Sur> & \"Norte\""),
        city: some("Madrid"),
        postcode: some("28013"),
        subdivision: some("Comunidad de Madrid"),
        country: parse(country),
    }
}

fn id(scheme: &str, value: &str) -> Identifier {
    Identifier { scheme: some(scheme), value: parse(value) }
}

/// The same with everything that has a place in the model.
fn full(kind: Kind, taxation: Taxation, profile: Profile) -> EInvoice {
    let mut invoice = plain_invoice(kind, taxation);
    invoice.profile = profile;
    invoice.process = some("urn:fdc:peppol.eu:2017:poacc:billing:01:1.0");
    invoice.declared_tax = Some(DeclaredTax { currency: currency("PLN"), amount: Minor(8_925) });
    invoice.buyer_reference = some("04011000-12345-34");
    invoice.references = References {
        contract: some("C-7"),
        order: some("PO-1"),
        sales_order: some("SO-1"),
        receipt: some("R-1"),
        despatch: some("D-1"),
    };
    invoice.buyer_account = some("4711");
    invoice.terms = some("30 days net.\n2 % within 10 days.");
    let note = |subject: Option<&str>, text| Note::new(subject.map(parse), parse(text));
    invoice.notes = vec![note(None, "Thank you."), note(Some("AAI"), "Ley 37/1992:\nart. 84")];
    invoice.preceding = ["F-2026-0", "F-2025-9"]
        .map(|number| Preceding { number: parse(number), issued: Some(day(10, 1)) })
        .into();
    invoice.period = Period { first: Some(day(11, 1)), last: Some(day(11, 30)) };
    invoice.delivery = Delivery {
        name: some("Werk 2"),
        location: Some(id("0088", "4012345000009")),
        date: Some(day(11, 28)),
        address: Some(address("DE")),
    };
    invoice.payee = Some(Payee {
        name: parse("Factor AG"),
        id: Some(id("0088", "4012345000016")),
        registration: Some(id("0002", "123456789")),
    });
    if taxation.0 != TaxCategory::NotSubject {
        invoice.representative = Some(Representative {
            name: parse("Fiscal SARL"),
            vat_number: parse("FR12345678901"),
            address: address("FR"),
        });
    }
    fill_parties(&mut invoice);
    invoice.means = Some(full_means(kind));
    fill_lines(&mut invoice, taxation);
    checked(invoice)
}

fn fill_parties(invoice: &mut Invoice) {
    let contact = |name: &str| Contact {
        name: some(name),
        phone: some("+34 911 234 567"),
        email: some("a@example.com"),
    };
    let seller = &mut invoice.seller.party;
    seller.trading_name = some("Trato");
    seller.ids = [Identifier { scheme: None, value: parse("S-1") }, id("0088", "4012345000023")].into();
    seller.registration = Some(id("0002", "987654321"));
    seller.endpoint = Some(Endpoint { scheme: parse("EM"), value: parse("billing@example.com") });
    (seller.address, seller.contact) = (address("ES"), contact("Ana Pérez"));
    invoice.seller.tax_number = some("12/345/6789");
    invoice.seller.legal_form = some("Capital 3.000 €, Registro Mercantil de Madrid");
    let buyer = &mut invoice.buyer;
    buyer.trading_name = some("Muster");
    buyer.ids = [id("0088", "4012345000030")].into();
    buyer.registration = Some(Identifier { scheme: None, value: parse("HRB 1") });
    buyer.endpoint = Some(Endpoint { scheme: parse("9930"), value: parse("DE123456789") });
    (buyer.address, buyer.contact) = (address("DE"), contact("Jörg Groß"));
}

/// A debit for corrected invoices, transfers to two accounts for the others.
fn full_means(kind: Kind) -> Means {
    let means = Means { name: some("SEPA"), remittance: some("F-2026-1"), ..Means::new(parse("58")) };
    if kind == Kind::Corrected {
        let debit = DirectDebit {
            mandate: some("M-1"),
            creditor: some("DE98ZZZ09999999999"),
            account: some("DE89370400440532013000"),
        };
        return Means { debit, ..Means { code: parse(Means::SEPA_DEBIT), ..means } };
    }
    let account = |number: &str| Account {
        number: AccountNumber::new(parse(number)),
        name: some("Trato S.L."),
        bank: some("COBADEFFXXX"),
    };
    Means { accounts: ["DE89370400440532013000", "ACC-0815"].map(account).into(), ..means }
}

fn adjustment(amount: i64, reason: &str, code: &str) -> Adjustment {
    Adjustment { code: some(code), ..Adjustment::new(Minor(amount), parse(reason)) }
}

/// Two lines of 100.00 and 50.00, a discount of 15.00 and freight of 5.00.
fn fill_lines(invoice: &mut Invoice, taxation: Taxation) {
    let vat = vat(taxation);
    let discount =
        Adjustment { base: Some(Minor(15_000)), percent: some("10"), ..adjustment(1_500, "Discount", "95") };
    invoice.allowances = vec![DocumentAdjustment { adjustment: discount, vat }];
    invoice.charges = vec![DocumentAdjustment { adjustment: adjustment(500, "Freight", "FC"), vat }];
    let mut second = invoice.lines[0].clone();
    second.number = parse("2");
    second.note = some("Two lines\nof text");
    (second.quantity, second.unit, second.net) = (parse("12.5"), parse("KGM"), Minor(5_000));
    second.order_line = some("20");
    second.buyer_account = some("4712");
    second.period = Period { first: Some(day(11, 1)), last: None };
    second.allowances = vec![adjustment(1_500, "Friend", "95"), adjustment(50, "Second", "95")];
    second.charges = vec![adjustment(300, "Packing", "PC")];
    second.price = Price {
        net: parse("500"),
        discount: Some(PriceDiscount { amount: parse("0.123456"), gross: parse("500.123456") }),
        per: parse("100"),
    };
    second.item = full_item();
    invoice.lines.push(second);
    invoice.taxes = vec![group(taxation, 14_000)];
    let tax = invoice.taxes[0].tax;
    let gross = Minor(14_000 + tax.0);
    invoice.totals = Totals {
        lines: Minor(15_000),
        allowances: Minor(1_500),
        charges: Minor(500),
        net: Minor(14_000),
        tax,
        gross,
        prepaid: Minor(1_003),
        rounding: Minor(3),
        due: Minor(gross.0 - 1_000),
    };
}

fn full_item() -> Item {
    let text = |text: &str| parse::<Text>(text);
    Item {
        name: text("Coffee ☕"),
        description: some("Roasted & ground,\nin <bags>"),
        seller_id: some("SKU-1"),
        buyer_id: some("MAT-1"),
        standard_id: Some(StandardId { scheme: parse("0160"), value: text("04012345000047") }),
        classes: vec![
            Class { list: parse("STI"), version: some("2"), code: text("50201706") },
            Class { list: parse("HS"), version: None, code: text("0901") },
        ],
        origin: some("CO"),
        properties: vec![(text("Roast"), text("dark")), (text("Weight"), text("1 kg"))],
    }
}

/// Yen, below zero.
fn yen() -> EInvoice {
    let mut invoice = plain_invoice(Kind::Corrected, STANDARD);
    invoice.currency = currency("JPY");
    invoice.lines[0].quantity = parse("-1");
    invoice.lines[0].net = Minor(-105);
    let mut tax = group(STANDARD, -105);
    tax.tax = Minor(-22);
    invoice.taxes = vec![tax];
    invoice.totals = Totals {
        lines: Minor(-105),
        net: Minor(-105),
        tax: Minor(-22),
        gross: Minor(-127),
        due: Minor(-127),
        ..Totals::default()
    };
    checked(invoice)
}

/// Several categories and rates, a sales order alone, and nothing but terms to say when it is due.
fn mixed() -> EInvoice {
    let mut invoice = plain_invoice(Kind::Invoice, STANDARD);
    invoice.references.sales_order = some("SO-2");
    (invoice.due, invoice.terms, invoice.means) = (None, some("At once"), None);
    let first = invoice.lines.remove(0);
    let taxations = [STANDARD, (TaxCategory::Standard, 10, None), TAXATIONS[1], TAXATIONS[2], TAXATIONS[3]];
    for (at, taxation) in taxations.into_iter().enumerate() {
        let number = parse(&(at + 1).to_string());
        invoice.lines.push(Line { number, vat: vat(taxation), ..first.clone() });
    }
    invoice.taxes = taxations.map(|taxation| group(taxation, 10_000)).into();
    invoice.totals = Totals {
        lines: Minor(50_000),
        net: Minor(50_000),
        tax: Minor(3_100),
        gross: Minor(53_100),
        due: Minor(53_100),
        ..Totals::default()
    };
    checked(invoice)
}

/// A line that is free but for what an option costs, of which a discount is taken; reasons are words, and no codes.
fn surcharge() -> EInvoice {
    let mut invoice = plain_invoice(Kind::Invoice, STANDARD);
    let line = &mut invoice.lines[0];
    line.price = Price::new(parse("0"));
    line.charges = vec![Adjustment::new(Minor(12_000), parse("Big drive"))];
    line.allowances = vec![Adjustment::new(Minor(2_000), parse("Loyal"))];
    checked(invoice)
}
