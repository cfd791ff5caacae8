//! Documents as files: what stands in them, that a reprint is the same, and the e-invoice within.

use lopdf::{Document as File, Object};
use tonic::{Code, Response, Status};
use trato_einvoice::{EInvoice, Kind};
use trato_proto::billing::v1::{
    Address, CreditNote, Invoice, LegalEntity, RenderCreditNoteRequest, RenderInvoiceRequest,
    RenderedDocument, VoidInvoiceRequest,
    credit_note::Line as Credit,
    invoice::{Discount, Line, Party},
    legal_entity::TaxId,
    rendered_document::{Format, Paper},
};

use crate::{
    credit_note::of,
    harness::{Billing, Desk, company, field, refusal, vat, violations},
    logo::{JPEG, PNG},
};

pub const IBAN: &str = "ES9121000418450200051332";

pub fn address(street: &str, postal_code: &str, locality: &str, country_code: &str) -> Option<Address> {
    Some(Address {
        lines: vec![street.into()],
        postal_code: postal_code.into(),
        locality: locality.into(),
        country_code: country_code.into(),
        ..Default::default()
    })
}

impl Billing {
    /// A company of which everything stands on its documents, with a series and the standard rate.
    pub async fn office(&self) -> Desk {
        let entity = LegalEntity {
            tax_ids: vec![TaxId {
                country_code: "ES".into(),
                scheme: "VAT".into(),
                value: "ESB12345674".into(),
            }],
            address: address("Calle Mayor 1", "28013", "Madrid", "ES"),
            iban: "ES91 2100 0418 4502 0005 1332".into(),
            bic: "CAIXESBBXXX".into(),
            document_footer: "Registro Mercantil de Madrid, tomo 1234".into(),
            ..company("Hispania")
        };
        let entity = self.create_legal_entity(entity).await.expect("a legal entity");
        let legal_entity = self.set_logo(&entity, PNG).await.expect("a logo");
        let series = self.series(&legal_entity, "F").await;
        let account = self.account().await;
        Desk {
            account,
            legal_entity,
            series,
            tax_code: self.create_tax_code(vat("ES-S")).await.expect("a tax code"),
        }
    }

    pub async fn render(
        &self,
        invoice: &Invoice,
        format: Format,
        language: &str,
        paper: Paper,
    ) -> Result<RenderedDocument, Status> {
        let request = RenderInvoiceRequest {
            name: invoice.name.clone(),
            format: format.into(),
            language: language.into(),
            paper: paper.into(),
        };
        self.invoices().render_invoice(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn render_credit(&self, note: &CreditNote, format: Format) -> Result<RenderedDocument, Status> {
        let request = RenderCreditNoteRequest {
            name: note.name.clone(),
            format: format.into(),
            language: "es".into(),
            ..Default::default()
        };
        self.credit_notes().render_credit_note(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn pdf(&self, invoice: &Invoice, language: &str) -> RenderedDocument {
        self.render(invoice, Format::Pdf, language, Paper::A4).await.expect("a PDF")
    }
}

/// An invoice for somebody in France, with discounts of a line and of the whole.
pub fn sale(desk: &Desk) -> Invoice {
    let discount = |percent: &str, reason: &str| Discount {
        percent: percent.into(),
        reason: reason.into(),
        ..Default::default()
    };
    let grinder =
        Line { unit: "h".into(), discounts: vec![discount("10", "friend")], ..desk.line("2", "2.5", "80") };
    Invoice {
        bill_to: Some(Party {
            display_name: "Hôtel Miramar".into(),
            tax_id: "FR12345678901".into(),
            address: address("2 rue de l'Église", "64200", "Biarritz", "FR"),
        }),
        discounts: vec![discount("5", "spring")],
        note: "Gracias por su pedido.".into(),
        ..desk.invoice(vec![desk.line("1", "3", "1250.5"), grinder])
    }
}

/// Text of a PDF without white space.
pub fn text(pdf: &RenderedDocument) -> String {
    let file = File::load_mem(&pdf.content).expect("it is a PDF");
    let pages: Vec<u32> = file.get_pages().into_keys().collect();
    bare(&file.extract_text(&pages).expect("it has text"))
}

fn bare(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).collect()
}

pub fn assert_says(text: &str, expected: &[&str]) {
    for part in expected {
        assert!(text.contains(&bare(part)), "{part:?} is not in {text}");
    }
}

/// The e-invoice within a PDF.
pub fn attachment(pdf: &RenderedDocument) -> Vec<u8> {
    let file = File::load_mem(&pdf.content).expect("it is a PDF");
    let files = file.catalog().and_then(|catalog| catalog.get(b"AF")).and_then(Object::as_array);
    let spec =
        files.expect("a list")[0].as_reference().and_then(|id| file.get_dictionary(id)).expect("a file");
    let embedded = spec.get(b"EF").and_then(Object::as_dict).and_then(|files| files.get(b"F"));
    let id = embedded.and_then(Object::as_reference).expect("a file");
    let stream = file.get_object(id).and_then(Object::as_stream).expect("a stream");
    stream.decompressed_content().expect("it is whole")
}

/// XTR-05: an issued invoice is printed with everything it says, in Spanish and in English.
#[tokio::test]
async fn an_issued_invoice_is_printed_in_both_languages() {
    let billing = Billing::start().await;
    let desk = billing.office().await;
    let draft = billing.create_invoice(sale(&desk)).await.expect("a draft");
    let issued = billing.issue(&draft, &desk.series).await.expect("issued");

    let spanish = billing.pdf(&issued, "es").await;
    let english = billing.render(&issued, Format::Unspecified, "", Paper::Letter).await.expect("a PDF");

    assert_eq!((spanish.media_type.as_str(), spanish.file_name.as_str()), ("application/pdf", "F0001.pdf"));
    assert_eq!(spanish.name, issued.name);
    let common = [
        "Hispania S.L.",
        "Calle Mayor 1",
        "28013 Madrid",
        "Hôtel Miramar",
        "64200 Biarritz",
        "F0001",
        "FR12345678901",
        "ES91 2100 0418 4502 0005 1332",
        "CAIXESBBXXX",
        "Registro Mercantil",
        "Gracias por su pedido.",
    ];
    // 3 × 1,250.50 + 2.5 × 80 × 0.9 = 3,931.50; less 5 % = 3,734.92 (196.58 off); 21 % of it 784.33.
    let in_spanish = [
        "Factura F0001",
        "FRANCIA",
        "1.250,50",
        "2,5 h",
        "Descuento 10 % · friend: −20,00",
        "3.931,50",
        "Descuento 5 % · spring −196,58",
        "Base imponible 3.734,92",
        "IVA 21 % sobre 3.734,92 784,33",
        "Total 4.519,25 €",
        "Página 1 de 1",
        "NIF-IVA ESB12345674",
    ];
    let in_english = [
        "Invoice F0001",
        "FRANCE",
        "1,250.50",
        "2.5 h",
        "Discount 10% · friend: −20.00",
        "3,931.50",
        "Discount 5% · spring −196.58",
        "Net total 3,734.92",
        "VAT 21% on 3,734.92 784.33",
        "Total €4,519.25",
        "Page 1 of 1",
        "VAT number ESB12345674",
    ];
    for (pdf, own) in [(&spanish, in_spanish), (&english, in_english)] {
        assert_says(&text(pdf), &common);
        assert_says(&text(pdf), &own);
    }
}

/// XTR-05: printed again, an issued document is the same to the byte, whatever became of the legal entity and its logo.
#[tokio::test]
async fn a_reprint_is_the_same_after_everything_has_changed() {
    let billing = Billing::start().await;
    let desk = billing.office().await;
    let draft = billing.create_invoice(sale(&desk)).await.expect("a draft");
    let issued = billing.issue(&draft, &desk.series).await.expect("issued");
    let hash = issued.seller.as_ref().expect("a seller").logo_hash.clone();
    let printed = billing.pdf(&issued, "es").await;
    let hybrid = billing.render(&issued, Format::PdfHybrid, "en-US", Paper::Letter).await.expect("a PDF");

    billing.set_logo(&desk.legal_entity, JPEG).await.expect("another logo");
    let renamed = LegalEntity {
        legal_name: "Iberia S.A.".into(),
        iban: String::new(),
        document_footer: "Another foot".into(),
        etag: String::new(),
        ..desk.legal_entity.clone()
    };
    let mask = ["legal_name", "iban", "document_footer"];
    billing.update_legal_entity(renamed, &mask).await.expect("renamed");
    let again = billing.pdf(&issued, "es").await;
    let hybrid_again =
        billing.render(&issued, Format::PdfHybrid, "en-US", Paper::Letter).await.expect("a PDF");
    let later = billing.create_invoice(sale(&desk)).await.expect("a draft");
    let later = billing.pdf(&later, "es").await;

    assert_eq!(hash, desk.legal_entity.logo_hash);
    assert!(printed == again && hybrid == hybrid_again, "a reprint differs");
    assert_says(&text(&later), &["Iberia S.A.", "Another foot"]);
    let names = |pdf: &RenderedDocument| -> Vec<Vec<u8>> {
        let file = File::load_mem(&pdf.content).expect("it is a PDF");
        let streams = file.objects.into_values().filter_map(|object| object.as_stream().ok().cloned());
        let images = streams.filter(|stream| {
            stream.dict.get(b"Subtype").and_then(Object::as_name).is_ok_and(|name| name == b"Image")
        });
        images.map(|stream| stream.content).collect()
    };
    assert_ne!(names(&printed), names(&later), "each has the logo of its time");
}

/// A draft says that it is one, has no number and no e-invoice; so it is with what is void.
#[tokio::test]
async fn what_does_not_count_says_so() {
    let billing = Billing::start().await;
    let desk = billing.office().await;
    let draft = billing.create_invoice(sale(&desk)).await.expect("a draft");

    let printed = billing.pdf(&draft, "es").await;
    let not_yet = billing.render(&draft, Format::Cii, "", Paper::A4).await;
    let issued = billing.issue(&draft, &desk.series).await.expect("issued");
    let request =
        VoidInvoiceRequest { name: issued.name.clone(), reason: "Twice".into(), ..Default::default() };
    billing.invoices().void_invoice(billing.admin.request(request)).await.expect("void");
    let void = billing.pdf(&issued, "es").await;
    let no_more = billing.render(&issued, Format::PdfHybrid, "", Paper::A4).await;

    assert_eq!(printed.file_name, "draft.pdf");
    assert_says(&text(&printed), &["Factura (Borrador)", "BORRADOR", "4.519,25"]);
    assert!(!text(&printed).contains("IBAN"), "nobody pays a draft");
    assert_says(&text(&void), &["Factura F0001 (Anulada)", "ANULADA"]);
    for refused in [not_yet, no_more] {
        assert_eq!(refusal(refused), (Code::FailedPrecondition, "INVOICE_NOT_ISSUED".to_owned()));
    }
}

/// XTR-05: a credit note names its invoice, says what its lines are, and gives back what it says.
#[tokio::test]
async fn a_credit_note_is_printed_and_sent_as_e_invoice() {
    let billing = Billing::start().await;
    let desk = billing.office().await;
    let draft = billing.create_invoice(sale(&desk)).await.expect("a draft");
    let issued = billing.issue(&draft, &desk.series).await.expect("issued");
    let credits = billing.credits(&desk).await;
    let part = Credit { key: "1".into(), quantity: "1".into(), ..Default::default() };
    let draft = billing.create_credit_note(of(&issued, vec![part])).await.expect("a draft");

    let not_yet = billing.render_credit(&draft, Format::Ubl).await;
    let printed_draft = billing.render_credit(&draft, Format::Pdf).await.expect("a PDF");
    let note = billing.issue_credit(&draft, &credits).await.expect("issued");
    let pdf = billing.render_credit(&note, Format::PdfHybrid).await.expect("a PDF");
    let again = billing.render_credit(&note, Format::PdfHybrid).await.expect("a PDF");
    let ubl = billing.render_credit(&note, Format::Ubl).await.expect("UBL");

    assert_eq!(refusal(not_yet), (Code::FailedPrecondition, "CREDIT_NOTE_NOT_ISSUED".to_owned()));
    assert_says(&text(&printed_draft), &["Factura rectificativa (Borrador)"]);
    assert!(pdf == again, "a reprint differs");
    // A third of 3 × 1,250.50 less 5 %: 1,187.97 or .98, and its tax.
    let net = note.totals.as_ref().and_then(|totals| totals.net.clone()).expect("a total");
    let cents = format!("1.187,{:02}", net.nanos / 10_000_000);
    assert_says(
        &text(&pdf),
        &[
            "Factura rectificativa C0001",
            "Factura rectificada",
            "F0001",
            "Coffee machine",
            "Motivo: Came back broken",
            &cents,
            "Total rectificado",
        ],
    );
    let e_invoice = EInvoice::from_cii(&attachment(&pdf)).expect("it is CII");
    assert_eq!(EInvoice::from_ubl(&ubl.content).expect("it is UBL"), e_invoice);
    let said = e_invoice.invoice();
    assert_eq!((said.kind, said.preceding[0].number.as_str()), (Kind::CreditNote, "F0001"));
    assert_eq!(said.totals.net.0, net.units * 100 + i64::from(net.nanos / 10_000_000));
}

#[tokio::test]
async fn what_cannot_be_rendered_is_refused() {
    let billing = Billing::start().await;
    let desk = billing.office().await;
    let draft = billing.create_invoice(sale(&desk)).await.expect("a draft");

    let request =
        RenderInvoiceRequest { name: draft.name.clone(), format: 9, language: "tlh".into(), paper: 7 };
    let answer = billing.invoices().render_invoice(billing.admin.request(request)).await;

    let expected = [
        field("format", "UNKNOWN_VALUE"),
        field("language", "UNKNOWN_LANGUAGE"),
        field("paper", "UNKNOWN_VALUE"),
    ];
    assert_eq!(violations(answer), expected);
    let nowhere = Invoice { name: "invoices/00000000-0000-7000-8000-000000000000".into(), ..draft };
    assert_eq!(refusal(billing.render(&nowhere, Format::Pdf, "", Paper::A4).await).0, Code::NotFound);
}

/// A document of as many lines as there may be is printed, and others are answered meanwhile.
#[tokio::test]
async fn as_many_lines_as_there_may_be_are_printed() {
    let billing = Billing::start().await;
    let desk = billing.office().await;
    let lines = (1..=1100).map(|number| Line {
        description: format!("Thing number {number} {}", "of many words ".repeat(10)),
        ..desk.line(&number.to_string(), "1.5", "9.995")
    });
    let draft = Invoice { lines: lines.collect(), ..sale(&desk) };
    let draft = billing.create_invoice(draft).await.expect("a draft");
    let issued = billing.issue(&draft, &desk.series).await.expect("issued");

    let pdf = billing.render(&issued, Format::PdfHybrid, "en", Paper::Letter).await.expect("a PDF");

    assert!(pdf.content.len() < 4 << 20, "{} bytes", pdf.content.len());
    assert_says(&text(&pdf), &["Thing number 1100 of many words"]);
    assert_eq!(EInvoice::from_cii(&attachment(&pdf)).expect("it is CII").invoice().lines.len(), 1100);
}
