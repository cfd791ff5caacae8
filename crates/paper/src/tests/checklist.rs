//! The checklist of what is handed on: every kind of document on both sheets in every language, read from the file as
//! somebody else reads it.

use std::sync::LazyLock;

use lopdf::{Dictionary, Object};
use trato_types::Minor;

use super::{
    bare, invoice, line, logo, metadata, pictures, read,
    reader::{Page, Piece, pages},
};
use crate::{Attachment, Detail, Document, Kind, Language, Line, Paper, Signature, Sum, Value, Word};

const KINDS: [Kind; 4] = [Kind::Invoice, Kind::CreditNote, Kind::Quote, Kind::DeliveryNote];
const PAPERS: [Paper; 2] = [Paper::A4, Paper::Letter];
const LANGUAGES: [Language; 3] = [Language::English, Language::AmericanEnglish, Language::Spanish];
/// More than a page has room for.
const LINES: usize = 80;
/// What the law wants to be said.
const LEGAL: &str = "Ley 37/1992, art. 84: inversión del sujeto pasivo.";

/// A document and what is seen of it.
struct Printed {
    /// Which one, for whoever reads why a check failed.
    what: String,
    document: Document,
    pdf: Vec<u8>,
    pages: Vec<Page>,
}

/// Every kind on every sheet in every language, printed once for all checks.
static PRINTED: LazyLock<Vec<Printed>> = LazyLock::new(|| {
    let print = |(kind, paper, language)| {
        let document = document(kind, paper, language, LINES);
        let pdf = document.to_pdf().expect("a PDF");
        Printed { what: what(&document), pages: pages(&pdf), document, pdf }
    };
    all().map(print).collect()
});

fn all() -> impl Iterator<Item = (Kind, Paper, Language)> {
    let sheets = PAPERS.into_iter().flat_map(|paper| LANGUAGES.map(|language| (paper, language)));
    KINDS
        .into_iter()
        .flat_map(move |kind| sheets.clone().map(move |(paper, language)| (kind, paper, language)))
}

fn what(document: &Document) -> String {
    format!("{:?}, {:?}, {:?}", document.kind, document.paper, document.language)
}

/// A document of so many lines of 15,631.25 each, as a service hands it over.
fn document(kind: Kind, paper: Paper, language: Language, count: usize) -> Document {
    let lines = (1..=count).map(|number| line(&format!("Machine number {number}.")));
    let mut document = Document { kind, ..invoice(language, paper, lines.collect()) };
    document.issuer.logo = Some(logo());
    document.sums = vec![
        Sum::Lines(Minor(125_050_000)),
        Sum::Discount { percent: "2.5".into(), reason: "spring".into(), amount: Minor(3_126_250) },
        Sum::Net(Minor(121_923_750)),
        Sum::Tax {
            tax: "VAT".into(),
            percent: "21".into(),
            basis: Minor(121_923_750),
            amount: Minor(25_603_988),
            included: false,
        },
        Sum::Total(Minor(147_527_738)),
    ];
    match kind {
        Kind::Invoice | Kind::Order => {}
        Kind::CreditNote => {
            document.payment = None;
            let credited = Value::Text("F2026-0041".into());
            document.details.push(Detail { label: Word::CreditedInvoice, value: credited });
        }
        Kind::Quote => {
            (document.payment, document.signature) = (None, Some(Signature::Acceptance));
        }
        Kind::DeliveryNote => {
            (document.sums, document.payment) = (Vec::new(), None);
            document.signature = Some(Signature::Receipt);
            let unpriced =
                |line: Line| Line { unit_price: String::new(), tax_rates: Vec::new(), amount: None, ..line };
            document.lines = document.lines.into_iter().map(unpriced).collect();
        }
    }
    document
}

impl Printed {
    /// The whole text without white space.
    fn text(&self) -> String {
        let pieces = self.pages.iter().flat_map(|page| &page.pieces);
        pieces.map(|piece| bare(&piece.text)).collect()
    }

    /// Says when a text does not stand there so many times.
    fn assert_says(&self, text: &str, times: usize) {
        let found = self.text().matches(&bare(text)).count();
        assert_eq!(found, times, "{}: {text:?} in {}", self.what, self.text());
    }

    /// What the three languages have for it.
    fn own<'a>(&self, english: &'a str, american: &'a str, spanish: &'a str) -> &'a str {
        match self.document.language {
            Language::English => english,
            Language::AmericanEnglish => american,
            Language::Spanish => spanish,
        }
    }
}

fn points(millimetres: f32) -> f32 {
    millimetres * 72.0 / 25.4
}

/// The window of the envelope on the sheet: left, top, right and bottom, in points.
///
/// DIN 5008, form B: 20 mm from the left, 45 mm from above, 90 by 45 mm. Envelope #10: 7/8 inch from the left, 1/2 inch from
/// below, 4 1/2 by 1 1/8 inches; a sheet that is folded in three ends 11/3 inches from above and lies at the lower left.
fn window(paper: Paper) -> [f32; 4] {
    match paper {
        Paper::A4 => [20.0, 45.0, 110.0, 90.0].map(points),
        Paper::Letter => [0.875, 11.0 / 3.0 - 1.625, 5.375, 11.0 / 3.0 - 0.5].map(|inches| inches * 72.0),
    }
}

fn is_within(piece: &Piece, [left, top, right, bottom]: [f32; 4]) -> bool {
    piece.left >= left && piece.top >= top && piece.right <= right && piece.bottom <= bottom
}

fn is_seen(piece: &Piece, [left, top, right, bottom]: [f32; 4]) -> bool {
    piece.left < right && piece.top < bottom && piece.right > left && piece.bottom > top
}

/// XTR-05, DOC-01, DOC-05: the window of the envelope shows the whole address, above it who sends it, and nothing else; so it is
/// with the longest name of a sender and with the longest address.
#[test]
fn the_address_stands_in_the_window_and_nothing_else_does() {
    let long = "Cafés y Maquinaria de Hostelería ".repeat(6);
    for (kind, paper, language) in all() {
        for (issuer, streets) in [("Cafés Hispania S.L.", 1), (long.trim(), 5)] {
            let mut document = document(kind, paper, language, 1);
            (document.issuer.name, document.issuer.logo) = (issuer.into(), None);
            document.recipient.name = "Hôtel Miramar & Söhne, Internationale Gesellschaft für Kaffee".into();
            let street = |number: usize| format!("Gewerbepark jenseits der Brücke, {number}");
            let address = document.recipient.address.as_mut().expect("an address");
            address.lines = (1..=streets).map(street).collect();
            let what = format!("{}, {streets} streets", what(&document));
            let country = if language == Language::Spanish { "FRANCIA" } else { "FRANCE" };
            let expected = [document.recipient.name.clone()].into_iter().chain((1..=streets).map(street));
            let expected = expected.chain(["64200 Biarritz".into(), country.into()]).collect::<String>();

            let pages = pages(&document.to_pdf().expect("a PDF"));

            let window = window(paper);
            let seen: Vec<_> = pages[0].pieces.iter().filter(|piece| is_seen(piece, window)).collect();
            for piece in &seen {
                assert!(is_within(piece, window), "{what}: {piece:?} is cut by {window:?}");
            }
            let texts: Vec<_> = seen.iter().map(|piece| bare(&piece.text)).collect();
            let (sender, recipient) = texts.split_first().expect("something is seen");
            let whole = bare(&format!("{issuer} · Calle Mayor 1 · 28013 Madrid"));
            assert!(!sender.is_empty() && whole.starts_with(sender), "{what}: {texts:?}");
            assert_eq!(recipient.concat(), bare(&expected), "{what}");
        }
    }
}

/// XTR-05, DOC-01: what is due is printed as the message says, with the marks of the language, each amount beside its name and at
/// the right edge; a delivery note says no amounts.
#[test]
fn totals_are_printed_as_they_are() {
    for printed in PRINTED.iter() {
        let (what, kind) = (&printed.what, printed.document.kind);
        if kind == Kind::DeliveryNote {
            for amount in ["€", "EUR", "1,250.50", "1.250,50", "15,631.25", "15.631,25", "Total"] {
                printed.assert_says(amount, 0);
            }
            continue;
        }
        let total = match kind {
            Kind::CreditNote => printed.own("Total credit", "Total credit", "Total rectificado"),
            _ => "Total",
        };
        let english = [
            ("Subtotal", "1,250,500.00"),
            ("Discount 2.5% · spring", "−31,262.50"),
            ("Net total", "1,219,237.50"),
            ("VAT 21% on 1,219,237.50", "256,039.88"),
            (total, "€1,475,277.38"),
        ];
        let spanish = [
            ("Subtotal", "1.250.500,00"),
            ("Descuento 2,5 % · spring", "−31.262,50"),
            ("Base imponible", "1.219.237,50"),
            ("IVA 21 % sobre 1.219.237,50", "256.039,88"),
            (total, "1.475.277,38 €"),
        ];
        let expected = if printed.document.language == Language::Spanish { spanish } else { english };
        let edge = printed.document.paper.sheet().right as f32 / 1000.0;
        for (label, amount) in expected {
            let is_there = |page: &Page| {
                let of = |text: &str| {
                    let text = bare(text);
                    page.pieces.iter().filter(move |piece| bare(&piece.text) == text)
                };
                of(amount).any(|amount| {
                    let ends = (amount.right - edge).abs() < 0.5;
                    ends && of(label).any(|label| (label.bottom - amount.bottom).abs() < 0.01)
                })
            };
            assert!(printed.pages.iter().any(is_there), "{what}: {label} {amount} in {}", printed.text());
        }
    }
}

/// XTR-05, DOC-01, DOC-05: every page of a long document says once, at its foot, which one it is of how many, and has the size of the
/// sheet.
#[test]
fn every_page_says_which_one_it_is_of_how_many() {
    for printed in PRINTED.iter() {
        let (what, count) = (&printed.what, printed.pages.len());
        assert!(count >= 3, "{what}: {count} pages");
        let size = match printed.document.paper {
            Paper::A4 => [points(210.0), points(297.0)],
            Paper::Letter => [612.0, 792.0],
        };
        for (number, page) in (1..).zip(&printed.pages) {
            let near = |one: f32, other: f32| (one - other).abs() < 0.1;
            assert!(near(page.width, size[0]) && near(page.height, size[1]), "{what}, page {number}");
            let (word, of) = (printed.own("Page", "Page", "Página"), printed.own("of", "of", "de"));
            let said: Vec<_> = page.pieces.iter().filter(|piece| piece.text.starts_with(word)).collect();
            assert_eq!(said.len(), 1, "{what}, page {number}: {said:?}");
            assert_eq!(bare(&said[0].text), format!("{word}{number}{of}{count}"), "{what}");
            assert!(said[0].top > page.height * 0.9, "{what}, page {number}: {:?}", said[0]);
        }
    }
}

/// XTR-05: the legal note stands there once, the numbers by which authorities know the issuer on the first page, and what the
/// law wants at the foot on every page.
#[test]
fn legal_notes_are_there() {
    for printed in PRINTED.iter() {
        printed.assert_says(LEGAL, 1);
        printed.assert_says("NIF B12345678", 1);
        printed.assert_says("Registro Mercantil de Madrid, tomo 1234, folio 56", printed.pages.len());
    }
}

/// XTR-05, DOC-01, DOC-05: titles, days and numbers are those of the language, and no word of the other one is left.
#[test]
fn words_days_and_numbers_are_those_of_the_language() {
    for printed in PRINTED.iter() {
        let title = match printed.document.kind {
            Kind::Invoice => ["Invoice", "Factura"],
            Kind::CreditNote => ["Credit note", "Factura rectificativa"],
            Kind::Quote => ["Quote", "Presupuesto"],
            Kind::Order => ["Order", "Pedido"],
            Kind::DeliveryNote => ["Delivery note", "Albarán"],
        };
        // Once as the title, and in what the pages after the first begin with.
        let title = format!("{} F2026-0042", printed.own(title[0], title[0], title[1]));
        printed.assert_says(&title, printed.pages.len());
        let day = printed.own("30 November 2026", "November 30, 2026", "30/11/2026");
        printed.assert_says(day, 1);
        printed.assert_says(printed.own("12.5 kg", "12.5 kg", "12,5 kg"), LINES);
        if printed.document.kind != Kind::DeliveryNote {
            printed.assert_says(printed.own("1,250.50", "1,250.50", "1.250,50"), LINES);
        }
        let foreign = match printed.document.language {
            Language::English | Language::AmericanEnglish => {
                ["Cantidad", "Concepto", "Fecha", "Importe", "Página", "FRANCIA", "Precio"]
            }
            Language::Spanish => ["Quantity", "Description", "Due date", "Amount", "Page", "FRANCE", "Price"],
        };
        for word in foreign {
            printed.assert_says(word, 0);
        }
    }
}

/// XTR-05, DOC-01, DOC-05: printed again, each one is the same to the byte.
#[test]
fn a_reprint_is_the_first_print() {
    for Printed { what, document, pdf, .. } in PRINTED.iter() {
        assert!(document.to_pdf().expect("a PDF") == *pdf, "{what}: another PDF");
    }
}

/// XTR-05: the logo is in the file, once, however many pages there are.
#[test]
fn the_logo_is_there() {
    for printed in PRINTED.iter() {
        assert_eq!(pictures(&read(&printed.pdf)), 1, "{}", printed.what);
    }
}

/// XTR-05, DOC-01, DOC-05: the file can be read aloud: it has a language, a title that is shown, and parts, in which every text is or
/// which pass it over; the table has heads, and a row for every line.
#[test]
fn each_file_has_title_language_and_structure() {
    for Printed { what, document, pdf, pages } in PRINTED.iter() {
        let file = read(pdf);
        let catalog = file.catalog().expect("a catalogue");
        let language = catalog.get(b"Lang").and_then(Object::as_str).expect("a language");
        assert_eq!(String::from_utf8_lossy(language), document.language.tag(), "{what}");
        for (dictionary, key) in [("MarkInfo", "Marked"), ("ViewerPreferences", "DisplayDocTitle")] {
            let found = catalog.get_deref(dictionary.as_bytes(), &file).and_then(Object::as_dict);
            let found = found.and_then(|found| found.get(key.as_bytes())).and_then(Object::as_bool);
            assert_eq!(found.ok(), Some(true), "{what}: {key}");
        }
        let metadata = metadata(pdf);
        for part in [
            document.title().as_str(),
            "<pdfaid:part>3</pdfaid:part>",
            "<pdfaid:conformance>A</pdfaid:conformance>",
            "<pdfuaid:part>1</pdfuaid:part>",
        ] {
            assert!(metadata.contains(part), "{what}: {part} is not in {metadata}");
        }
        let stray = pages.iter().flat_map(|page| &page.pieces).find(|piece| !piece.is_marked);
        assert!(stray.is_none(), "{what}: {stray:?}");
        let kinds = file.objects.values();
        let kinds = kinds.filter_map(|object| object.as_dict().ok()?.get(b"S").ok()?.as_name().ok());
        let count = |wanted: &[u8]| kinds.clone().filter(|kind| *kind == wanted).count();
        assert_eq!((count(b"H1"), count(b"THead"), count(b"TBody")), (1, 1, 1), "{what}");
        let columns = if document.kind == Kind::DeliveryNote { 3 } else { 6 };
        let sums = document.sums.len();
        assert_eq!(count(b"TR"), 1 + LINES + document.details.len() + sums, "{what}");
        assert_eq!(count(b"TD"), LINES * columns + document.details.len() + sums, "{what}");
        assert_eq!(count(b"TH"), columns + document.details.len() + sums, "{what}");
    }
}

/// XTR-05: what is embedded comes out as it went in, under the name and in the relation that Factur-X wants, and the pages are the
/// same.
#[test]
fn the_embedded_invoice_comes_out_as_it_went_in() {
    let cii = "<rsm:CrossIndustryInvoice>ñ</rsm:CrossIndustryInvoice>".repeat(50).into_bytes();
    let of = |dictionary: &Dictionary, key: &[u8]| dictionary.get(key).cloned().expect("it is there");
    let invoices = PRINTED.iter().filter(|one| matches!(one.document.kind, Kind::Invoice | Kind::CreditNote));
    for printed in invoices {
        let what = &printed.what;
        let pdf = printed.document.to_hybrid(&Attachment { cii: cii.clone() }).expect("a PDF");
        let file = read(&pdf);
        let attached = of(file.catalog().expect("a catalogue"), b"AF");
        let attached = attached.as_array().expect("a list")[0].as_reference().expect("a file");
        let file_spec = file.get_dictionary(attached).expect("a file");
        let relation = of(file_spec, b"AFRelationship");
        assert_eq!(relation.as_name().ok(), Some(b"Alternative".as_slice()), "{what}");
        assert_eq!(of(file_spec, b"F").as_str().ok(), Some(b"factur-x.xml".as_slice()), "{what}");
        let embedded = of(of(file_spec, b"EF").as_dict().expect("the files"), b"F");
        let stream = file.get_object(embedded.as_reference().expect("a file")).and_then(Object::as_stream);
        let content = stream.expect("a stream").decompressed_content();
        assert!(content.expect("it is whole") == cii, "{what}: another attachment");
        let metadata = metadata(&pdf);
        for part in ["EN 16931", "factur-x.xml", ">INVOICE<", "<pdfaid:part>3</pdfaid:part>"] {
            assert!(metadata.contains(part), "{what}: {part} is not in {metadata}");
        }
        assert_eq!(metadata.matches("pdfaExtension:schemas>").count(), 2, "{what}: one list of schemas");
        let texts = |pages: &[Page]| -> Vec<String> {
            pages.iter().flat_map(|page| &page.pieces).map(|piece| piece.text.clone()).collect()
        };
        assert_eq!(texts(&pages(&pdf)), texts(&printed.pages), "{what}");
    }
}
