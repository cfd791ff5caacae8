//! Where things stand, in millimetres: the recipient in the window, and nothing beyond the margins.

use super::{invoice, line, logo};
use crate::{
    Document, Language, Paper,
    layout::{Item, lay_out},
    sheet::{Length, mm},
};

/// Left end, base line, width and text of every line of the first page.
fn lines(document: &Document) -> Vec<(Length, Length, Length, String)> {
    let (pages, _) = lay_out(document).expect("it is laid out").into_parts();
    let texts = pages.first().expect("a page").items.iter().filter_map(|item| match item {
        Item::Text { at, run, .. } => Some((at.0, at.1, run.width, run.text.trim_end().to_owned())),
        _ => None,
    });
    texts.collect()
}

/// From and to.
type Range = (i64, i64);

/// Tenths of millimetres from the left and from above in which the whole recipient must stand: in DIN 5008, form B, the last
/// 27.3 mm of the field that begins at 45 mm; in the envelope #10 what lies from 2.04 to 3.17 inches.
const WINDOWS: [(Paper, Range, Range); 2] =
    [(Paper::A4, (200, 1050), (627, 900)), (Paper::Letter, (222, 1365), (518, 805))];

#[test]
fn the_recipient_stands_in_the_window() {
    for (paper, across, down) in WINDOWS {
        for count in 1..=5 {
            let mut document = invoice(Language::English, paper, vec![line("Coffee")]);
            let address = document.recipient.address.as_mut().expect("an address");
            address.lines =
                (1..=count).map(|number| format!("Street line {number} of the recipient")).collect();
            document.recipient.name = "Hôtel Miramar & Söhne, Internationale Gesellschaft für Kaffee".into();

            let lines = lines(&document);

            let mut expected = vec!["64200 Biarritz".to_owned(), "FRANCE".to_owned()];
            expected.extend((1..=count).map(|number| format!("Street line {number} of the recipient")));
            let seen: Vec<_> = lines.iter().filter(|(.., text)| expected.contains(text)).collect();
            assert_eq!(seen.len(), expected.len(), "{paper:?}: {lines:?}");
            for (left, base, width, text) in seen {
                assert!(*left >= mm(across.0) && left + width <= mm(across.1), "{text} at {left}");
                assert!(*base > mm(down.0) && *base <= mm(down.1), "{paper:?} {count}: {text} at {base}");
            }
        }
    }
}

#[test]
fn figures_end_at_one_edge() {
    let mut cheap = line("Sugar");
    (cheap.amount, cheap.unit_price) = (Some(trato_types::Minor(7)), "0.05".into());
    let document = invoice(Language::Spanish, Paper::A4, vec![line("Coffee"), cheap]);
    let lines = lines(&document);
    let edge = |text: &str| {
        let found =
            lines.iter().find(|(.., known)| known == text).unwrap_or_else(|| panic!("{text}: {lines:?}"));
        found.0 + found.2
    };
    assert_eq!(edge("15.631,25"), edge("0,07"));
    assert_eq!(edge("1.250,50"), edge("Precio"));
    assert_eq!(edge("18.440,97\u{A0}€"), mm(1900));
}

#[test]
fn a_logo_takes_the_place_of_the_name_and_keeps_its_shape() {
    let mut document = invoice(Language::English, Paper::A4, vec![line("Coffee")]);
    document.issuer.logo = Some(logo());
    let (pages, _) = lay_out(&document).expect("it is laid out").into_parts();
    let sizes: Vec<_> = pages[0]
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Picture { size, .. } => Some(*size),
            _ => None,
        })
        .collect();
    assert_eq!(sizes, [(mm(220), mm(220))]);
}
