//! PROPERTIES: what holds for every document, tried on a million that are made at random. The properties are those of the
//! ordinary run of tests, the arithmetic is that of the release programs; no service takes part.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use super::{
    figure::{Figure, Goal},
    room::Room,
};
use crate::{Checkout, cargo, variables::TEST_DOCUMENTS};

/// Documents each property is tried on.
const DOCUMENTS: u32 = 1_000_000;
/// Where the properties are.
const PACKAGE: &str = "trato-pricing";
/// What holds, and the test that tries it.
const PROPERTIES: [(&str, &str); 4] = [
    (
        "documents add up, keep their prices, mirror, heed no order",
        "properties::a_document_adds_up_keeps_inclusive_prices_mirrors_its_negation_heeds_no_order_and_proves_it",
    ),
    (
        "the base currency adds up, and a full credit leaves zero",
        "credits::the_base_currency_adds_up_and_full_credit_is_zero_there_too_after_any_credits_before_it",
    ),
    (
        "a payment over what is due first exceeds neither side",
        "allocations::allocations_never_exceed_either_side",
    ),
    (
        "a payment as somebody asks exceeds neither side",
        "allocations::what_somebody_asks_for_never_exceeds_either_side",
    ),
];
/// Bytes of what a failed test says that are kept: the smallest document that shows it stands at the end.
const TOLD: usize = 4_000;

pub async fn measure(room: &mut Room) -> Result<Vec<Figure>> {
    let checkout = Checkout::find()?;
    let program = cargo::build_unit_tests(&checkout, PACKAGE).await?;
    let (mut figures, mut discrepancies) = (Vec::new(), Vec::new());
    for (what, test) in PROPERTIES {
        room.progress.say("PROPERTIES", what);
        let mut command = cargo::run_test(&checkout, &program);
        command.arg(format!("tests::{test}")).arg("--exact").env(TEST_DOCUMENTS, DOCUMENTS.to_string());
        let begun = Instant::now();
        let output = command.output().await.context("the tests cannot be started")?;
        let rate = f64::from(DOCUMENTS) / begun.elapsed().as_secs_f64();
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(said.contains("running 1 test"), "there is no test {test}: {said}");
        if !output.status.success() {
            discrepancies.push(format!("{what}: {}", tail(&said)));
        }
        figures.push(Figure::absolute("PROPERTIES", what, "documents/s of one core", &[rate], Goal::Unset));
    }
    let what = format!("properties that do not hold for {DOCUMENTS} documents");
    let count = discrepancies.len() as f64;
    let figure = Figure::absolute("PROPERTIES", what, "properties", &[count], Goal::AtMost(0.0));
    figures.push(discrepancies.into_iter().fold(figure, Figure::note));
    Ok(figures)
}

/// The end of a text.
fn tail(text: &str) -> &str {
    let start = text.char_indices().map(|(at, _)| at).find(|at| text.len() - at <= TOLD);
    &text[start.unwrap_or(text.len())..]
}
