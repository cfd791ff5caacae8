//! Where things stand: figures under one another, and the logo.

use super::{invoice, line, logo};
use crate::{
    Document, Language, Paper,
    layout::{Item, lay_out},
    sheet::{Length, mm},
};

/// Left end, width and text of every line of the first page.
fn lines(document: &Document) -> Vec<(Length, Length, String)> {
    let (pages, _) = lay_out(document).expect("it is laid out").into_parts();
    let texts = pages.first().expect("a page").items.iter().filter_map(|item| match item {
        Item::Text { at, run, .. } => Some((at.0, run.width, run.text.trim_end().to_owned())),
        _ => None,
    });
    texts.collect()
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
        found.0 + found.1
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
