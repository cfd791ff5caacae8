//! What holds for every document, whatever is in it.

use proptest::{prelude::*, test_runner::RngAlgorithm};

use super::{checked, generate::invoices};
use crate::EInvoice;

/// Documents each property is tried on in the ordinary run.
const DOCUMENTS: u32 = 2_000;

fn cases(number: u32) -> ProptestConfig {
    ProptestConfig { rng_algorithm: RngAlgorithm::XorShift, ..ProptestConfig::with_cases(number) }
}

proptest! {
    #![proptest_config(cases(DOCUMENTS))]

    /// XTR-05: what is written in either syntax is read back as an equal document, and written as equal bytes again.
    #[test]
    fn what_is_written_is_read_back_equal(invoice in invoices()) {
        let invoice = checked(invoice);
        let ubl = invoice.to_ubl().expect("it is written");
        let of_ubl = EInvoice::from_ubl(&ubl);
        prop_assert!(of_ubl.is_ok(), "{:?}\n{}", of_ubl, String::from_utf8_lossy(&ubl));
        let of_ubl = of_ubl.expect("it is read");
        prop_assert_eq!(&of_ubl, &invoice);
        let cii = of_ubl.to_cii().expect("it is written");
        let of_cii = EInvoice::from_cii(&cii);
        prop_assert!(of_cii.is_ok(), "{:?}\n{}", of_cii, String::from_utf8_lossy(&cii));
        let of_cii = of_cii.expect("it is read");
        prop_assert_eq!(&of_cii, &invoice);
        prop_assert_eq!(of_cii.to_ubl().expect("it is written"), ubl);
    }
}

proptest! {
    #![proptest_config(cases(DOCUMENTS / 4))]

    /// A document with some bytes changed, or cut anywhere, is read or refused. Nothing panics.
    #[test]
    fn whatever_is_changed_is_read_or_refused(
        invoice in invoices(),
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let invoice = checked(invoice);
        for (document, is_ubl) in
            [(invoice.to_ubl().expect("it is written"), true), (invoice.to_cii().expect("it is written"), false)]
        {
            let read = |document: &[u8]| {
                if is_ubl { EInvoice::from_ubl(document) } else { EInvoice::from_cii(document) }
            };
            let part = &document[..cut.index(document.len() - 2)];
            prop_assert!(read(part).is_err(), "{}", String::from_utf8_lossy(part));
            let mut changed = document;
            for (place, byte) in &places {
                let at = place.index(changed.len());
                changed[at] = *byte;
            }
            if let Ok(other) = read(&changed) {
                // What is taken obeys the rules, and is written again.
                prop_assert!(other.to_ubl().is_ok());
            }
        }
    }
}
