//! What can be read in the file again: text and pages.

use trato_types::Minor;

use super::{assert_says, bare, invoice, line, logo, texts};
use crate::{Attachment, Detail, Document, Kind, Language, Line, Mark, Paper, Value, Word};

fn lines(count: usize) -> Vec<Line> {
    let mut lines: Vec<_> =
        (1..=count).map(|number| line(&format!("Coffee machine number {number}."))).collect();
    if let Some(line) = lines.first_mut() {
        line.remarks = vec!["Discount 10% · friend: −12.00".into()];
    }
    lines
}

/// XTR-05: an invoice says in both languages who owes what to whom, by when and where to.
#[test]
fn the_text_of_an_invoice_can_be_read_again() {
    let common = [
        "F2026-0042",
        "Cafés Hispania S.L.",
        "Calle Mayor 1",
        "28013 Madrid",
        "NIF B12345678",
        "Hôtel Miramar & Söhne",
        "2 rue de l'Église",
        "64200 Biarritz",
        "Coffee machine number 1",
        "Registro Mercantil de Madrid",
        "IBAN ES91 2100 0418 4502 0005 1332 (BIC CAIXESBBXXX)",
        "Ley 37/1992, art. 84: inversión del sujeto pasivo.",
    ];
    let english = [
        "Invoice F2026-0042",
        "30 November 2026",
        "FRANCE",
        "Amount (EUR)",
        "12.5 kg",
        "1,250.50",
        "15,631.25",
        "Discount 2.5% · spring",
        "−390.78",
        "VAT 21% on 15,240.47",
        "3,200.50",
        "Total €18,440.97",
        "Please pay €18,440.97 by 30 December 2026 to account",
        "quoting F2026-0042.",
        "Page 1 of 1",
    ];
    let spanish = [
        "Factura F2026-0042",
        "30/11/2026",
        "FRANCIA",
        "Importe (EUR)",
        "12,5 kg",
        "1.250,50",
        "15.631,25",
        "Descuento 2,5 % · spring",
        "−390,78",
        "IVA 21 % sobre 15.240,47",
        "3.200,50",
        "Total 18.440,97 €",
        "Le rogamos que abone 18.440,97 € a más tardar el 30/12/2026 en la cuenta",
        "indicando F2026-0042.",
        "Página 1 de 1",
    ];
    for (language, paper, own) in
        [(Language::English, Paper::Letter, english), (Language::Spanish, Paper::A4, spanish)]
    {
        let pdf = invoice(language, paper, lines(1)).to_pdf().expect("a PDF");
        let pages = texts(&pdf);
        assert_eq!(pages.len(), 1);
        assert_says(&pages[0], &common);
        assert_says(&pages[0], &own);
    }
}

/// XTR-05: printed again, a document is the same to the byte; the letters of its file do not depend on when or how often.
#[test]
fn a_reprint_has_the_same_bytes() {
    let mut document = invoice(Language::Spanish, Paper::A4, lines(60));
    document.issuer.logo = Some(logo());
    let attachment = Attachment { cii: b"<rsm:CrossIndustryInvoice/>".to_vec() };
    let (pdf, hybrid) = (document.to_pdf().expect("a PDF"), document.to_hybrid(&attachment).expect("a PDF"));
    let again = std::thread::spawn(move || (document.to_pdf(), document.to_hybrid(&attachment)));
    let (pdf_again, hybrid_again) = again.join().expect("it is printed again");
    assert!(pdf == pdf_again.expect("a PDF"), "another PDF");
    assert!(hybrid == hybrid_again.expect("a PDF"), "another hybrid");
}

/// A thousand lines are all there, once each, with the heads of the columns and the number of the page on every page.
#[test]
fn a_thousand_lines_are_all_there() {
    let pdf = invoice(Language::English, Paper::A4, lines(1000)).to_pdf().expect("a PDF");
    let pages = texts(&pdf);
    assert!((20..80).contains(&pages.len()), "{} pages", pages.len());
    let last_line =
        pages.iter().rposition(|page| page.contains(&bare("machine number 1000."))).expect("a line");
    for (at, page) in pages.iter().enumerate() {
        assert_says(page, &[&format!("Page {} of {}", at + 1, pages.len())]);
        if at <= last_line {
            assert_says(page, &["Description", "Unit price", "Amount (EUR)"]);
        }
    }
    let whole = pages.concat();
    for number in 1..=1000 {
        let text = bare(&format!("machine number {number}."));
        assert_eq!(whole.matches(&text).count(), 1, "{text}");
    }
    assert!(pdf.len() < 3_000_000, "{} bytes", pdf.len());
}

/// A description of a thousand letters goes on below, also on the next page; a word that is wider than its column is divided.
#[test]
fn long_descriptions_go_on_below() {
    let words: String = (0..250).map(|number| format!("w{number} ")).collect();
    let endless = "x".repeat(400);
    let mut all = lines(20);
    all.push(line(words.trim()));
    all.push(line(&endless));
    all[20].remarks = (0..10).map(|number| format!("{number} {}", "reason ".repeat(28))).collect();
    let pdf = invoice(Language::English, Paper::Letter, all).to_pdf().expect("a PDF");
    let whole = texts(&pdf).concat();
    for number in 0..250 {
        assert!(whole.contains(&format!("w{number}")), "w{number} is missing");
    }
    // Each page has a column of taxes.
    assert_eq!(whole.matches('x').count(), 400 + whole.matches("Tax").count());
}

/// What the font has no letter for is drawn as a replacement, and can be copied and read aloud as what it is.
#[test]
fn letters_that_the_font_does_not_have_stay_in_the_text() {
    let document =
        invoice(Language::English, Paper::A4, vec![line("咖啡 coffee كوفي Ελλάδα Київ ﬁ e\u{301}")]);
    let (pages, _) = crate::layout::lay_out(&document).expect("it is laid out").into_parts();
    let drawn = pages[0].items.iter().find_map(|item| match item {
        crate::layout::Item::Text { run, .. } if run.text.starts_with('咖') => Some(run),
        _ => None,
    });
    let run = drawn.expect("it is drawn");
    assert!(run.glyphs.iter().all(|glyph| glyph.id != 0), "nothing is drawn as nothing");
    assert!(run.glyphs[0].id == run.glyphs[1].id && run.glyphs[0].advance > 0, "a replacement is seen");
    document.to_pdf().expect("a PDF");
    let private = invoice(Language::English, Paper::A4, vec![line("a\u{E000}b\u{F0000}c\u{FEFF}d")]);
    private.to_pdf().expect("a PDF with replacements");
}

/// A draft says that it is one, and so does what is void.
#[test]
fn what_does_not_count_says_so() {
    for (mark, kind, word) in [
        (Mark::Draft, Kind::Invoice, "Borrador"),
        (Mark::Void, Kind::Invoice, "Anulada"),
        (Mark::Draft, Kind::CreditNote, "Borrador"),
    ] {
        let mut document = invoice(Language::Spanish, Paper::A4, lines(60));
        (document.mark, document.kind, document.number) = (Some(mark), kind, String::new());
        let pages = texts(&document.to_pdf().expect("a PDF"));
        assert_says(&pages[0], &[&format!("({word})")]);
        for page in pages {
            assert_says(&page, &[&word.to_uppercase()]);
        }
    }
}

/// A delivery note tells no prices, and has no columns for them.
#[test]
fn columns_that_nobody_needs_are_left_out() {
    let mut document = invoice(Language::Spanish, Paper::A4, lines(2));
    document.kind = Kind::DeliveryNote;
    (document.sums, document.payment) = (Vec::new(), None);
    for line in &mut document.lines {
        (line.unit_price, line.tax_rates, line.amount) = (String::new(), Vec::new(), None);
    }
    document.details.push(Detail { label: Word::Reference, value: Value::Text("Pedido 7".into()) });
    let text = texts(&document.to_pdf().expect("a PDF")).concat();
    assert_says(&text, &["Albarán F2026-0042", "Cantidad", "12,5 kg", "Referencia", "Pedido 7"]);
    for word in ["Precio", "Impuesto", "Importe"] {
        assert!(!text.contains(word), "{word} is in {text}");
    }
}

/// All figures of the largest document stay within the margins: the type becomes smaller.
#[test]
fn large_figures_have_room() {
    let mut document: Document = invoice(Language::English, Paper::A4, lines(3));
    document.lines[0].quantity = "999999999999.999999".into();
    document.lines[0].unit = "cubic metres a year".into();
    document.lines[0].unit_price = "999999999999.999999".into();
    document.lines[0].amount = Some(Minor(i64::MAX));
    super::properties::assert_within_margins(&document);
    assert_says(&texts(&document.to_pdf().expect("a PDF")).concat(), &["92,233,720,368,547,758.07"]);
}
