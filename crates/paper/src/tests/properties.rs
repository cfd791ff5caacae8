//! Whatever a document says, nothing of it is lost and nothing goes beyond the margins.

use proptest::{prelude::*, test_runner::RngAlgorithm};
use trato_types::Minor;

use super::{bare, invoice, line};
use crate::{
    Document, Language, Paper,
    layout::{Item, lay_out},
    sheet::mm,
};

/// Says when a text goes beyond the margins, or a page below its end.
pub fn assert_within_margins(document: &Document) {
    let sheet = document.paper.sheet();
    let (pages, _) = lay_out(document).expect("it is laid out").into_parts();
    for page in &pages {
        for item in &page.items {
            if let Item::Text { at, run, .. } = item {
                // The space at the end of a line is not seen.
                assert!(at.0 >= sheet.left && at.0 + run.width <= sheet.right + mm(15), "{:?}", run.text);
                assert!(at.1 >= sheet.top && at.1 < sheet.size.1 - mm(80), "{:?} at {}", run.text, at.1);
            }
        }
    }
}

fn documents() -> impl Strategy<Value = Document> {
    let text = "[a-zA-ZñáÉü€µ%0-9 .,&/()-]{1,300}";
    let one = (text, prop::collection::vec("[a-z ]{1,100}", 0..4), 0..i64::MAX, "[0-9]{1,12}\\.[0-9]{1,6}");
    let all = (prop::collection::vec(one, 1..40), any::<bool>(), any::<bool>(), text, text);
    all.prop_map(|(lines, spanish, letter, name, note)| {
        let lines = lines.into_iter().map(|(description, remarks, amount, quantity)| {
            let mut line = line(&description);
            (line.remarks, line.amount, line.quantity) = (remarks, Some(Minor(amount)), quantity);
            line
        });
        let language = if spanish { Language::Spanish } else { Language::English };
        let mut document = invoice(language, if letter { Paper::Letter } else { Paper::A4 }, lines.collect());
        document.recipient.name = name;
        document.notes = vec![note];
        document
    })
}

proptest! {
    #![proptest_config(ProptestConfig { rng_algorithm: RngAlgorithm::XorShift, ..ProptestConfig::with_cases(60) })]

    #[test]
    fn nothing_is_lost_and_nothing_goes_beyond_the_margins(document in documents()) {
        assert_within_margins(&document);
        let (pages, _) = lay_out(&document).expect("it is laid out").into_parts();
        let drawn: String = pages
            .iter()
            .flat_map(|page| &page.items)
            .filter_map(|item| match item {
                Item::Text { run, part: Some(_), .. } => Some(run.text.as_str()),
                _ => None,
            })
            .collect();
        let drawn = bare(&drawn);
        let count = |text: &str| text.chars().filter(|letter| letter.is_lowercase()).count();
        let said: usize = document.lines.iter().map(|line| count(&line.description)).sum();
        let remarks = document.lines.iter().flat_map(|line| &line.remarks).map(|remark| count(remark)).sum::<usize>();
        prop_assert!(count(&drawn) >= said + remarks + count(&document.recipient.name));
        for note in &document.notes {
            prop_assert!(drawn.contains(&bare(note)), "{note}");
        }
    }
}
