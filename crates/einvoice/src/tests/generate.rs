//! Documents as they may come: all kinds, categories, parties, references and texts. The amounts are added up here, by
//! other means than the crate's.

use std::collections::BTreeMap;

use proptest::{collection::vec, option, prelude::*};
use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive as _};
use trato_pricing::{Percent, TaxCategory};
use trato_types::{Date, Minor};

use super::{currency, day, parse, simple, vat};
use crate::{
    Account, AccountNumber, Address, Adjustment, Class, Contact, DeclaredTax, Delivery, DirectDebit,
    DocumentAdjustment, Endpoint, Identifier, Invoice, Item, Kind, Line, Means, Note, Paragraph, Party,
    Payee, Period, Preceding, Price, PriceDiscount, Profile, References, Representative, StandardId,
    TaxGroup, Text, Totals, Vat,
};

/// Words with everything that XML has to write in another way, and what is beyond ASCII.
const WORDS: [&str; 8] =
    ["Consulting", "Löwen & Söhne", "<b>", "a \"quoted\" 'word'", "]]> #", "中文 😀", "&amp;", "#AAI#"];

/// Mostly such a word with a number, which is quicker to draw than what a pattern describes.
fn text() -> BoxedStrategy<Text> {
    let words = (prop::sample::select(&WORDS[..]), any::<u16>());
    let strange = "[ <>&'\"\\]\\[#;€中😀]{0,6}[a<>&'\"]{1,3}".prop_map(|text| parse(&text));
    prop_oneof![19 => words.prop_map(|(word, number)| parse(&format!("{word}{number}"))), 1 => strange]
        .boxed()
}

fn paragraph() -> BoxedStrategy<Paragraph> {
    vec(text(), 1..4)
        .prop_map(|lines| {
            let lines: Vec<_> = lines.iter().map(Text::as_str).collect();
            parse(&lines.join("\n\t"))
        })
        .boxed()
}

fn some<T: std::fmt::Debug + Clone + 'static>(
    strategy: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<T>> {
    option::weighted(0.3, strategy).boxed()
}

fn date() -> BoxedStrategy<Date> {
    (2000..2100, 1..=12_u32, 1..=28_u32)
        .prop_map(|(year, month, of_month)| day(year, month, of_month))
        .boxed()
}

fn period() -> BoxedStrategy<Period> {
    (some(date()), some(date()))
        .prop_map(|(one, other)| match (one, other) {
            (Some(one), Some(other)) => Period { first: Some(one.min(other)), last: Some(one.max(other)) },
            (first, last) => Period { first, last },
        })
        .boxed()
}

fn id() -> BoxedStrategy<Identifier> {
    let scheme = some(prop::sample::select(vec!["0002", "0088", "0160"]).prop_map(parse));
    (scheme, text()).prop_map(|(scheme, value)| Identifier { scheme, value }).boxed()
}

fn address() -> BoxedStrategy<Address> {
    let parts = (some(text()), some(text()), some(text()), some(text()), some(text()), some(text()));
    let country = prop::sample::select(vec!["ES", "DE", "FR", "1A"]);
    (parts, country)
        .prop_map(|((street, addition, third_line, city, postcode, subdivision), country)| Address {
            street,
            addition,
            third_line,
            city,
            postcode,
            subdivision,
            country: parse(country),
        })
        .boxed()
}

fn party(most_ids: usize) -> BoxedStrategy<Party> {
    let endpoint = (prop::sample::select(vec!["EM", "0088", "9930"]), text())
        .prop_map(|(scheme, value)| Endpoint { scheme: parse(scheme), value });
    let contact = (some(text()), some(text()), some(text())).prop_map(|(name, phone, email)| Contact {
        name,
        phone,
        email,
    });
    let ids = prop::collection::btree_set(id(), 0..=most_ids);
    (text(), some(text()), ids, some(id()), some(endpoint), address(), contact)
        .prop_map(|(name, trading_name, ids, registration, endpoint, address, contact)| Party {
            name,
            trading_name,
            ids,
            registration,
            vat_number: None,
            endpoint,
            address,
            contact,
        })
        .boxed()
}

fn means() -> BoxedStrategy<Means> {
    let number = prop_oneof![
        Just("DE89370400440532013000").prop_map(|iban| AccountNumber::new(parse(iban))),
        text().prop_map(AccountNumber::new)
    ];
    let account =
        (number, some(text()), some(text())).prop_map(|(number, name, bank)| Account { number, name, bank });
    let debit = (some(text()), some(text()), any::<bool>()).prop_map(|(mandate, creditor, has_account)| {
        DirectDebit { mandate, creditor, account: has_account.then(|| parse("ES9121000418450200051332")) }
    });
    let how = prop_oneof![
        vec(account, 1..4).prop_map(|accounts| ("58", accounts, DirectDebit::default())),
        debit.prop_map(|debit| ("59", Vec::new(), debit)),
        Just(("ZZZ", Vec::new(), DirectDebit::default())),
    ];
    (how, some(text()), some(text()))
        .prop_map(|((code, accounts, debit), name, remittance)| Means {
            name,
            remittance,
            accounts,
            debit,
            ..Means::new(parse(code))
        })
        .boxed()
}

fn adjustment() -> BoxedStrategy<Adjustment> {
    let code = some(prop::sample::select(vec!["95", "FC", "ABL"]).prop_map(parse));
    let percent = some(
        (0..100_000_i64).prop_map(|number| Percent::try_from(Decimal::new(number, 3)).expect("it is small")),
    );
    (-5_000..50_000_i64, some((0..1_000_000_i64).prop_map(Minor)), percent, text(), code)
        .prop_map(|(amount, base, percent, reason, code)| Adjustment {
            amount: Minor(amount),
            base,
            percent,
            reason: code.is_none().then_some(reason),
            code,
        })
        .boxed()
}

fn item() -> BoxedStrategy<Item> {
    let standard = text().prop_map(|value| StandardId { scheme: parse("0160"), value });
    let class =
        (some(text()), text()).prop_map(|(version, code)| Class { list: parse("STI"), version, code });
    let origin = some(Just("IT").prop_map(parse));
    let rest = (some(standard), vec(class, 0..3), origin, vec((text(), text()), 0..3));
    (text(), some(paragraph()), some(text()), some(text()), rest)
        .prop_map(|(name, description, seller_id, buyer_id, rest)| Item {
            name,
            description,
            seller_id,
            buyer_id,
            standard_id: rest.0,
            classes: rest.1,
            origin: rest.2,
            properties: rest.3,
        })
        .boxed()
}

fn price() -> BoxedStrategy<Price> {
    let millionths = |number: i64| Decimal::new(number, 6).try_into().expect("a price");
    (0..10_000_000_000_i64, some(0..1_000_000_i64), prop::sample::select(vec!["1", "100", "0.5"]))
        .prop_map(move |(net, discount, per)| Price {
            net: millionths(net),
            discount: discount.map(|discount| PriceDiscount {
                amount: millionths(discount),
                gross: millionths(net + discount),
            }),
            per: parse(per),
        })
        .boxed()
}

/// A line, and which of the document's rates it has.
fn line() -> BoxedStrategy<(Line, usize)> {
    let texts = (some(paragraph()), some(text()), some(text()), period());
    let adjustments = (vec(adjustment(), 0..2), vec(adjustment(), 0..2));
    let quantity = (-5_000_000..900_000_000_i64)
        .prop_map(|number| Decimal::new(number, 6).try_into().expect("a quantity"));
    (texts, adjustments, quantity, -100_000..1_000_000_i64, price(), item(), 0..3_usize)
        .prop_map(|(texts, (allowances, charges), quantity, net, price, item, rate)| {
            let (note, order_line, buyer_account, period) = texts;
            let line = Line {
                number: parse("0"),
                note,
                quantity,
                unit: parse("C62"),
                net: Minor(net),
                order_line,
                buyer_account,
                period,
                allowances,
                charges,
                price,
                vat: vat(TaxCategory::Standard, "1"),
                item,
            };
            (line, rate)
        })
        .boxed()
}

/// Ways of taxation of a document; each has three rates of which every line has one.
fn taxation() -> BoxedStrategy<[Vat; 3]> {
    let reverse = vat(TaxCategory::ReverseCharge, "0");
    let union = vat(TaxCategory::IntraCommunity, "0");
    prop::sample::select(vec![
        ["21", "10", "5.5"].map(|rate| vat(TaxCategory::Standard, rate)),
        [vat(TaxCategory::Standard, "19"), vat(TaxCategory::Zero, "0"), vat(TaxCategory::Exempt, "0")],
        [vat(TaxCategory::CanaryIslands, "7"), vat(TaxCategory::CeutaAndMelilla, "4"), reverse],
        [reverse, union, vat(TaxCategory::Export, "0")],
        [vat(TaxCategory::NotSubject, "0"); 3],
    ])
    .boxed()
}

/// A document of one to four lines that obeys all rules.
pub(crate) fn invoices() -> impl Strategy<Value = Invoice> {
    let references = (some(text()), some(text()), some(text()), some(text()), some(text())).prop_map(
        |(contract, order, sales_order, receipt, despatch)| References {
            contract,
            order,
            sales_order,
            receipt,
            despatch,
        },
    );
    let note =
        (some(Just("AAI").prop_map(parse)), paragraph()).prop_map(|(subject, text)| Note::new(subject, text));
    let preceding = (text(), some(date())).prop_map(|(number, issued)| Preceding { number, issued });
    let head = (0..3_usize, 0..3_usize, text(), date(), some(text()), some(text()), 0..60_usize);
    let texts = (some(paragraph()), vec(note, 0..3), vec(preceding, 0..3), some(text()), references);
    let delivery = (some(text()), some(id()), some(date()), some(address()))
        .prop_map(|(name, location, date, address)| Delivery { name, location, date, address });
    let payee = (text(), some(id()), some(id()));
    let parties = (party(3), party(1), some(payee), some((text(), address())), some(text()), some(text()));
    let adjustments = vec((adjustment(), 0..3_usize, any::<bool>()), 0..3);
    let amounts = (taxation(), vec(line(), 1..=4), adjustments, -100..10_000_i64, -5..5_i64);
    (head, texts, delivery, parties, (some(means()), period(), any::<bool>()), amounts).prop_map(
        |(head, texts, delivery, parties, (means, period, is_declared), amounts)| {
            let mut invoice = simple();
            invoice.currency = currency(["EUR", "JPY", "USD"][head.1]);
            invoice.profile = if head.6 % 2 == 0 {
                Profile::EN_16931
            } else {
                parse("urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0")
            };
            (invoice.number, invoice.issued, invoice.process) = (head.2, head.3, head.4);
            invoice.buyer_reference = head.5;
            (invoice.terms, invoice.notes, invoice.preceding) = (texts.0, texts.1, texts.2);
            (invoice.buyer_account, invoice.references) = (texts.3, texts.4);
            invoice.kind = [Kind::Invoice, Kind::CreditNote, Kind::Corrected][head.0];
            (invoice.delivery, invoice.period) = (delivery, period);
            invoice.due = invoice.issued.iter_days().nth(head.6).filter(|_| head.6 > 10);
            invoice.means = means;
            if invoice.kind == Kind::CreditNote && invoice.means.is_none() {
                invoice.due = None;
            }
            if invoice.due.is_none() {
                invoice.terms.get_or_insert_with(|| parse("30 days"));
            }
            if is_declared {
                invoice.declared_tax = Some(DeclaredTax { currency: currency("PLN"), amount: Minor(-1_234) });
            }
            set_parties(&mut invoice, parties);
            set_amounts(&mut invoice, amounts);
            invoice
        },
    )
}

type Parties = (
    Party,
    Party,
    Option<(Text, Option<Identifier>, Option<Identifier>)>,
    Option<(Text, Address)>,
    Option<Text>,
    Option<Text>,
);

fn set_parties(invoice: &mut Invoice, parties: Parties) {
    let (seller, buyer, payee, representative, tax_number, legal_form) = parties;
    invoice.seller.party = Party { vat_number: Some(parse("ESB12345678")), ..seller };
    (invoice.seller.tax_number, invoice.seller.legal_form) = (tax_number, legal_form);
    invoice.buyer = Party { vat_number: Some(parse("DE123456789")), ..buyer };
    invoice.payee = payee.map(|(name, id, registration)| Payee {
        // Nobody who is generated elsewhere is called so.
        name: parse(&format!("Factor {name}")),
        id: id.filter(|id| !invoice.seller.party.ids.contains(id)),
        registration,
    });
    invoice.representative = representative.map(|(name, address)| Representative {
        name,
        vat_number: parse("FR12345678901"),
        address,
    });
}

type Amounts = ([Vat; 3], Vec<(Line, usize)>, Vec<(Adjustment, usize, bool)>, i64, i64);

/// Everything that is an amount of the document, added up.
fn set_amounts(invoice: &mut Invoice, amounts: Amounts) {
    let (rates, lines, adjustments, prepaid, rounding) = amounts;
    let mut bases = BTreeMap::<Vat, i64>::new();
    invoice.lines = lines
        .into_iter()
        .enumerate()
        .map(|(at, (line, rate))| {
            *bases.entry(rates[rate]).or_default() += line.net.0;
            Line { number: parse(&(at + 1).to_string()), vat: rates[rate], ..line }
        })
        .collect();
    for (adjustment, rate, is_charge) in adjustments {
        let amount = adjustment.amount.0;
        *bases.entry(rates[rate]).or_default() += if is_charge { amount } else { -amount };
        let list = if is_charge { &mut invoice.charges } else { &mut invoice.allowances };
        list.push(DocumentAdjustment { adjustment, vat: rates[rate] });
    }
    let category = |wanted| bases.keys().any(|vat| vat.category == wanted);
    if category(TaxCategory::IntraCommunity) {
        invoice.delivery.date.get_or_insert(invoice.issued);
        invoice.delivery.address.get_or_insert_with(|| Address::new(parse("DE")));
    }
    if category(TaxCategory::NotSubject) {
        invoice.seller.party.registration = Some(Identifier { scheme: None, value: parse("HRB 1") });
        (invoice.seller.party.vat_number, invoice.buyer.vat_number) = (None, None);
        invoice.representative = None;
    }
    invoice.taxes = bases.into_iter().map(|(vat, basis)| group(vat, basis)).collect();
    let sum = |all: &[DocumentAdjustment]| Minor(all.iter().map(|one| one.adjustment.amount.0).sum());
    let lines = Minor(invoice.lines.iter().map(|line| line.net.0).sum());
    let (allowances, charges) = (sum(&invoice.allowances), sum(&invoice.charges));
    let net = Minor(lines.0 - allowances.0 + charges.0);
    let tax = Minor(invoice.taxes.iter().map(|group| group.tax.0).sum());
    let gross = Minor(net.0 + tax.0);
    let (prepaid, rounding) = (Minor(prepaid), Minor(rounding));
    let due = Minor(gross.0 - prepaid.0 + rounding.0);
    invoice.totals = Totals { lines, allowances, charges, net, tax, gross, prepaid, rounding, due };
}

fn group(vat: Vat, basis: i64) -> TaxGroup {
    let exact = Decimal::from(basis) * Decimal::from(vat.rate) / Decimal::ONE_HUNDRED;
    let tax = exact.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    let needs_reason = vat.category.needs_reason();
    let by_code = needs_reason && basis % 2 == 0;
    TaxGroup {
        vat,
        basis: Minor(basis),
        tax: Minor(tax.to_i64().expect("it is small")),
        reason: (needs_reason && !by_code).then(|| parse("Nothing is owed <here>")),
        code: by_code.then(|| parse("VATEX-EU-AE")),
    }
}
