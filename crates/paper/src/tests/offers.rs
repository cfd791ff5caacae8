//! Quotes and delivery notes: what they have that invoices have not, and what all have in common.

use trato_types::Minor;

use super::{assert_says, bare, currency, invoice, line, logo, properties::assert_within_margins, texts};
use crate::{
    Document, Kind, Language, Line, Mark, Paper, Signature, Sum, Totals,
    layout::{Item, lay_out},
};

/// A delivery note of so many lines, which is signed for.
fn delivery(language: Language, paper: Paper, count: usize) -> Document {
    let lines = (1..=count).map(|number| Line {
        description: format!("Press number {number}."),
        remarks: vec!["Lot L-7".into()],
        quantity: "2".into(),
        unit: "C62".into(),
        ..Line::default()
    });
    Document {
        kind: Kind::DeliveryNote,
        sums: Vec::new(),
        payment: None,
        signature: Some(Signature::Receipt),
        ..invoice(language, paper, lines.collect())
    }
}

#[test]
fn what_is_signed_is_said_over_two_lines_to_write_on() {
    for (language, sentence, places) in [
        (Language::English, "Received complete", ["Place and date", "Name and signature"]),
        (Language::Spanish, "Recibido completo", ["Lugar y fecha", "Nombre y firma"]),
    ] {
        let pdf = delivery(language, Paper::Letter, 2).to_pdf().expect("a PDF");
        let text = texts(&pdf).concat();
        assert_says(&text, &[sentence]);
        assert_says(&text, &places);
    }
    let quote = Document {
        kind: Kind::Quote,
        signature: Some(Signature::Acceptance),
        ..delivery(Language::Spanish, Paper::A4, 1)
    };
    assert_says(&texts(&quote.to_pdf().expect("a PDF")).concat(), &["Aceptamos este presupuesto"]);
}

/// However full the page is, what is signed stands on one page, within the margins.
#[test]
fn what_is_signed_is_never_parted() {
    for paper in [Paper::A4, Paper::Letter] {
        for count in 1..40 {
            let document = delivery(Language::English, paper, count);
            assert_within_margins(&document);
            let (pages, _) = lay_out(&document).expect("it is laid out").into_parts();
            let has = |page: &crate::layout::Page, text: &str| {
                page.items
                    .iter()
                    .any(|item| matches!(item, Item::Text { run, .. } if run.text.starts_with(text)))
            };
            let signed = ["Received complete", "Place and date", "Name and signature"];
            let page = pages.iter().find(|page| has(page, signed[0])).expect("it is signed");
            assert!(signed.iter().all(|text| has(page, text)), "{paper:?}, {count} lines");
        }
    }
}

/// A thousand serial numbers go on over pages, and each is there once.
#[test]
fn a_thousand_serial_numbers_are_all_there() {
    let mut document = delivery(Language::English, Paper::A4, 1);
    let serials: Vec<String> = (0..1000).map(|number| format!("SN{number:06}")).collect();
    document.lines[0].remarks = vec![format!("Serial numbers: {}", serials.join(", "))];

    let text = texts(&document.to_pdf().expect("a PDF")).concat();

    assert!(serials.iter().all(|serial| text.matches(serial).count() == 1));
}

/// Without a logo the name stands at the head once, and in the line of the window; with one beside it.
#[test]
fn the_name_of_the_issuer_stands_at_the_head_once() {
    let count = |document: &Document| {
        let (pages, _) = lay_out(document).expect("it is laid out").into_parts();
        let items = pages[0].items.iter();
        let names = items.filter(|item| matches!(item, Item::Text { run, part: Some(_), .. } if run.text.trim() == "Cafés Hispania S.L."));
        names.count()
    };
    let mut document = invoice(Language::English, Paper::A4, vec![line("Coffee")]);
    assert_eq!(count(&document), 1);
    document.issuer.logo = Some(logo());
    assert_eq!(count(&document), 1);
}

#[test]
fn a_mark_agrees_with_what_it_is_said_of() {
    let title = |kind, mark, language| {
        let document = Document {
            kind,
            mark: Some(mark),
            number: "1".into(),
            ..invoice(language, Paper::A4, Vec::new())
        };
        document.title()
    };
    assert_eq!(title(Kind::Invoice, Mark::Void, Language::Spanish), "Factura 1 (Anulada)");
    assert_eq!(title(Kind::DeliveryNote, Mark::Void, Language::Spanish), "Albarán 1 (Anulado)");
    assert_eq!(title(Kind::Quote, Mark::Draft, Language::Spanish), "Presupuesto 1 (Borrador)");
    assert_eq!(title(Kind::DeliveryNote, Mark::Void, Language::English), "Delivery note 1 (Void)");
}

#[test]
fn a_number_becomes_the_name_of_a_file() {
    for (number, expected) in
        [("F2026-0001", "F2026-0001"), ("F/2026/1", "F-2026-1"), ("", "draft"), ("../x", "-x")]
    {
        let document =
            Document { number: number.into(), ..invoice(Language::English, Paper::A4, Vec::new()) };
        assert_eq!(document.file_stem(), expected, "{number:?}");
    }
}

#[test]
fn units_are_said_in_words_that_agree_with_the_quantity() {
    let said = |language: Language, code: &str, quantity: &str| language.unit(code, quantity);
    for (code, quantity, english, spanish) in [
        ("C62", "3", "", ""),
        ("KGM", "2.5", "kg", "kg"),
        ("HUR", "1", "h", "h"),
        ("DAY", "1", "day", "día"),
        ("DAY", "1.5", "days", "días"),
        ("MON", "12", "months", "meses"),
        ("bags", "2", "bags", "bags"),
        ("", "2", "", ""),
    ] {
        assert_eq!(said(Language::English, code, quantity), english);
        assert_eq!(said(Language::Spanish, code, quantity), spanish);
    }
}

#[test]
fn a_price_says_for_how_much_it_is() {
    let dear = Line { price_per: "100".into(), ..line("Screws") };
    let pdf = invoice(Language::Spanish, Paper::A4, vec![dear]).to_pdf().expect("a PDF");
    assert_says(&texts(&pdf).concat(), &["1.250,50 / 100"]);
}

#[test]
fn what_is_taken_off_and_put_on_is_said_in_words() {
    let said = |percent: &str, reason: &str, amount| {
        Language::English.adjustment(percent, reason, Minor(amount), currency("EUR"))
    };
    assert_eq!(said("10", "friend", -2000), "Discount 10% · friend: −20.00");
    assert_eq!(said("", "", -5), "Discount: −0.05");
    assert_eq!(said("", "freight", 1500), "Charge · freight: 15.00");
    assert_eq!(Language::Spanish.identifier("VAT", "ESB1"), "NIF-IVA ESB1");
    assert_eq!(Language::Spanish.identifier("NIF", "B1"), "NIF B1");
}

/// A note that is said twice is printed once.
#[test]
fn notes_are_printed_once() {
    let note = "Ley 37/1992, art. 84".to_owned();
    let document = Document {
        notes: vec![note.clone(), String::new(), note.clone()],
        ..invoice(Language::Spanish, Paper::A4, vec![line("Coffee")])
    };
    let text = texts(&document.to_pdf().expect("a PDF")).concat();
    assert_eq!(text.matches(&bare(&note)).count(), 1);
}

/// Sums have one order; what changes nothing is not told.
#[test]
fn sums_stand_in_the_order_in_which_they_are_read() {
    let tax = Sum::Tax {
        tax: "VAT".into(),
        percent: "21".into(),
        basis: Minor(100),
        amount: Minor(21),
        included: false,
    };
    let totals = |included, adjustments| Totals {
        included,
        lines: Minor(110),
        adjustments,
        net: Minor(100),
        taxes: vec![tax.clone()],
        gross: Minor(121),
        due: Minor(121),
        ..Totals::default()
    };
    let names = |totals: Totals| -> Vec<&str> {
        let name = |sum: &Sum| match sum {
            Sum::Lines(_) => "lines",
            Sum::Discount { .. } => "discount",
            Sum::Net(_) => "net",
            Sum::Tax { .. } => "tax",
            Sum::Total(_) => "total",
            Sum::Prepaid(_) => "prepaid",
            Sum::Due(_) => "due",
            _ => "other",
        };
        totals.in_order().iter().map(name).collect()
    };
    let discount =
        || vec![Sum::Discount { percent: String::new(), reason: String::new(), amount: Minor(10) }];
    assert_eq!(names(totals(false, Vec::new())), ["net", "tax", "total"]);
    assert_eq!(names(totals(false, discount())), ["lines", "discount", "net", "tax", "total"]);
    assert_eq!(names(totals(true, discount())), ["discount", "total", "tax"]);
    let paid = Totals { prepaid: Minor(21), due: Minor(100), ..totals(false, Vec::new()) };
    assert_eq!(names(paid), ["net", "tax", "total", "prepaid", "due"]);
}
