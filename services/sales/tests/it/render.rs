//! Quotes as PDF: what stands in them, that a reprint is the same, and what is refused.

use lopdf::Document as File;
use prost::Name as _;
use tonic::{Code, Response, Status};
use trato_proto::{
    billing::v1::{self as billing, LegalEntity, LegalEntityLogoSet, legal_entity::TaxId},
    customers::v1::{self as customers, Account},
    sales::v1::{
        Adjustment, Choice, Product, Quote, RenderQuoteRequest, RenderedDocument, SalesDocument, adjustment,
        price_document_request as request,
        product::{Option as Choosable, OptionGroup},
        rendered_document::Paper,
        sales_document::Line,
    },
};
use uuid::Uuid;

use crate::{
    harness::{Sales, date, euros, field, refusal, violations},
    quote::{line, quote, quotes, refused},
};

/// A red square.
const PNG: &[u8] = include_bytes!("../../../../crates/paper/src/tests/square.png");
/// Its SHA-256.
const HASH: &str = "831301ce3d0686ffbde22550b2cdc989570d6a48f06d937b8d4ac15179fb19da";

impl Sales {
    /// Hears from billing of a company with everything that stands on documents.
    pub async fn hear_company(&self) -> LegalEntity {
        let entity = LegalEntity {
            name: format!("legalEntities/{}", Uuid::now_v7()),
            display_name: "Hispania".into(),
            legal_name: "Cafés Hispania S.L.".into(),
            tax_ids: vec![TaxId {
                country_code: "ES".into(),
                scheme: "VAT".into(),
                value: "ESB12345674".into(),
            }],
            address: Some(billing::Address {
                lines: vec!["Calle Mayor 1".into()],
                postal_code: "28013".into(),
                locality: "Madrid".into(),
                country_code: "ES".into(),
                ..Default::default()
            }),
            document_footer: "Registro Mercantil de Madrid, tomo 1234".into(),
            ..Default::default()
        };
        self.hear("trato.billing.v1.legal_entity.created", &entity.name, 1, &entity).await;
        entity
    }

    /// Hears from billing that a company has a logo since this revision.
    pub async fn hear_logo(&self, entity: &LegalEntity, revision: i64) {
        let entity = LegalEntity { logo_hash: HASH.into(), ..entity.clone() };
        let fact = LegalEntityLogoSet { content: PNG.into(), hash: HASH.into() };
        let fact = prost_types::Any {
            type_url: LegalEntityLogoSet::type_url(),
            value: prost::Message::encode_to_vec(&fact),
        };
        let (kind, subject) = ("trato.billing.v1.legal_entity.updated", (entity.name.as_str(), revision));
        self.service.hear_with(self.admin.tenant, kind, subject, &entity, vec![fact]).await;
    }

    /// Hears from customers of somebody in France.
    pub async fn hear_customer(&self) -> Account {
        let account = Account {
            name: format!("accounts/{}", Uuid::now_v7()),
            display_name: "Miramar".into(),
            legal_name: "Hôtel Miramar SARL".into(),
            tax_id: "FR12345678901".into(),
            address: Some(customers::Address {
                lines: vec!["2 rue de l'Église".into()],
                postal_code: "64200".into(),
                locality: "Biarritz".into(),
                country_code: "FR".into(),
                ..Default::default()
            }),
            ..Default::default()
        };
        self.hear("trato.customers.v1.account.created", &account.name, 1, &account).await;
        account
    }

    pub async fn render_quote(
        &self,
        name: &str,
        language: &str,
        paper: Paper,
    ) -> Result<RenderedDocument, Status> {
        let request =
            RenderQuoteRequest { name: name.into(), language: language.into(), paper: paper.into() };
        self.quotes().render_quote(self.admin.request(request)).await.map(Response::into_inner)
    }

    async fn printed(&self, quote: &Quote, language: &str) -> RenderedDocument {
        self.render_quote(&quote.name, language, Paper::A4).await.expect("a PDF")
    }
}

/// Text of each page of a PDF without white space.
pub fn pages(pdf: &RenderedDocument) -> Vec<String> {
    let file = File::load_mem(&pdf.content).expect("it is a PDF");
    let text = |page: u32| bare(&file.extract_text(&[page]).expect("it has text"));
    file.get_pages().into_keys().map(text).collect()
}

pub fn bare(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).collect()
}

pub fn assert_says(text: &str, expected: &[&str]) {
    for part in expected {
        assert!(text.contains(&bare(part)), "{part:?} is not in {text}");
    }
}

/// A desk of which oak is an option, at 100 euros.
pub async fn oak_desk(sales: &Sales, list: &str) -> String {
    let oak = Choosable {
        key: "oak".into(),
        display_name: "Solid oak".into(),
        surcharges: euros(1_999).into_iter().collect(),
        max_count: 2,
        ..Default::default()
    };
    let group = OptionGroup {
        key: "wood".into(),
        display_name: "Wood".into(),
        options: vec![oak],
        ..Default::default()
    };
    let desk = Product {
        display_name: "Desk".into(),
        sellable: true,
        tax_class: "ES-S".into(),
        unit_code: "C62".into(),
        option_groups: vec![group],
        ..Default::default()
    };
    let desk = sales.create_product(desk).await.expect("a product").name;
    sales.price(list, &desk, "", "100").await;
    desk
}

/// A quote of two lines with options, discounts, a charge and terms.
fn offer(account: &str, desk: &str, lamp: &str) -> Quote {
    let friends = Adjustment {
        kind: adjustment::Kind::Discount.into(),
        value: Some(adjustment::Value::Percent("10".into())),
        reason: "Friends".into(),
    };
    let desks = Line {
        adjustments: vec![friends],
        choices: vec![Choice { option: "oak".into(), count: 2 }],
        description: "Escritorio de roble".into(),
        promised_date: date(2099, 1, 15),
        ..line(desk, "3")
    };
    let document = SalesDocument {
        currency_code: "EUR".into(),
        lines: vec![desks, line(lamp, "1000.5")],
        discounts: vec![request::Discount {
            value: Some(request::discount::Value::Percent("5".into())),
            reason: "Spring".into(),
            ..Default::default()
        }],
        charges: vec![request::Charge {
            key: "freight".into(),
            value: Some(request::charge::Value::Amount(euros(1_500).expect("an amount"))),
            reason: "Portes".into(),
            tax_class: "ES-S".into(),
            ..Default::default()
        }],
        payment_terms: "30 días".into(),
        delivery_terms: "DAP Biarritz".into(),
        note: "Gracias por su interés.".into(),
        ..Default::default()
    };
    Quote { document: Some(document), valid_until: date(2099, 12, 31), ..quote(account, Vec::new()) }
}

/// Sales that knows company and customer, with a quote that is not sent.
async fn start_printing() -> (Sales, LegalEntity, Account, Quote) {
    let (sales, list) = Sales::start_pricing().await;
    sales.create_number_series(quotes("Q")).await.expect("a series");
    let desk = oak_desk(&sales, &list).await;
    let lamp = sales.good("Lamp", "ES-R").await;
    sales.price(&list, &lamp, "", "2.50").await;
    let entity = sales.hear_company().await;
    let account = sales.hear_customer().await;
    let draft = sales.create_quote(offer(&account.name, &desk, &lamp)).await.expect("a quote");
    (sales, entity, account, draft)
}

/// DOC-01: a quote that was sent is printed with everything it says, in Spanish and in English, on both sheets.
#[tokio::test]
async fn a_sent_quote_is_printed_in_both_languages() {
    let (sales, entity, _, draft) = start_printing().await;
    sales.hear_logo(&entity, 2).await;
    let sent = sales.send_draft(&draft).await;

    let spanish = sales.render_quote(&sent.name, "es", Paper::A4).await.expect("a PDF");
    let english = sales.render_quote(&sent.name, "", Paper::Letter).await.expect("a PDF");

    assert_eq!(
        (spanish.media_type.as_str(), spanish.file_name.as_str()),
        ("application/pdf", "Q0001-v1.pdf")
    );
    assert_eq!(spanish.name, sent.name);
    assert_eq!(sent.issuer.as_ref().expect("an issuer").logo_hash, HASH);
    let common = [
        "Cafés Hispania S.L.",
        "Calle Mayor 1",
        "28013 Madrid",
        "Hôtel Miramar SARL",
        "64200 Biarritz",
        "FR12345678901",
        "Q0001",
        "Escritorio de roble",
        "Lamp",
        "Registro Mercantil",
        "DAP Biarritz",
        "Gracias por su interés.",
    ];
    // 3 × 100.00 + 3 × 2 × 19.99 less 10 % = 377.95 (41.99 off); 1,000.5 × 2.50 = 2,501.25; 5 % of both is 143.96 off.
    let in_spanish = [
        "Presupuesto Q0001",
        "Versión 1",
        "Válido hasta 31/12/2099",
        "FRANCIA",
        "Solid oak × 2: 119,94",
        "Descuento 10 % · Friends: −41,99",
        "Entrega prevista: 15/01/2099",
        "1.000,5",
        "377,95",
        "2.501,25",
        "Descuento 5 % · Spring −143,96",
        "Recargo · Portes 15,00",
        "Base imponible 2.750,24",
        "IVA 21 %",
        "IVA 10 %",
        "Pago: 30 días",
        "Aceptamos este presupuesto",
        "Nombre y firma",
        "Página 1 de 1",
        "NIF-IVA ESB12345674",
    ];
    let in_english = [
        "Quote Q0001",
        "Version 1",
        "Valid until 31 December 2099",
        "FRANCE",
        "Discount 10% · Friends: −41.99",
        "Promised for 15 January 2099",
        "2,501.25",
        "Net total 2,750.24",
        "Payment: 30 días",
        "We accept this offer",
        "Name and signature",
        "Page 1 of 1",
    ];
    for (pdf, own) in [(&spanish, in_spanish.as_slice()), (&english, in_english.as_slice())] {
        let text = pages(pdf).concat();
        assert_says(&text, &common);
        assert_says(&text, own);
        assert!(!text.contains("BORRADOR") && !text.contains("DRAFT"), "{text}");
    }
}

/// DOC-01: printed again, a quote that was sent is the same to the byte, whatever became of company and customer.
#[tokio::test]
async fn a_reprint_is_the_same_after_everything_has_changed() {
    let (sales, entity, account, draft) = start_printing().await;
    sales.hear_logo(&entity, 2).await;
    let sent = sales.send_draft(&draft).await;
    let printed = sales.printed(&sent, "es").await;

    let renamed = LegalEntity { legal_name: "Iberia S.A.".into(), ..entity };
    sales.hear("trato.billing.v1.legal_entity.updated", &renamed.name, 3, &renamed).await;
    let moved = Account { legal_name: "Hôtel du Lac".into(), address: None, ..account };
    sales.hear("trato.customers.v1.account.updated", &moved.name, 2, &moved).await;
    let again = sales.printed(&sent, "es").await;
    let declined = sales.decline(&sent.name, DECLINED).await.expect("declined");
    let archived = sales.printed(&declined, "es").await;
    let next = sales.revise(&sent.name).await.expect("a version");
    let next_printed = sales.printed(&next, "es").await;
    let next = sales.send_draft(&next).await;

    assert!(printed == again && printed == archived, "a reprint differs");
    assert_says(&pages(&next_printed).concat(), &["Iberia S.A.", "Hôtel du Lac", "Versión 2", "BORRADOR"]);
    assert_eq!(next.recipient.expect("a recipient").display_name, "Hôtel du Lac");
    assert_eq!(next.issuer.expect("an issuer").logo_hash, "");
}

const DECLINED: trato_proto::sales::v1::quote::DeclineReason =
    trato_proto::sales::v1::quote::DeclineReason::Timing;

/// A quote that was not sent says that it is a draft, with the number of pages that it has; hundreds of lines are all there.
#[tokio::test]
async fn a_draft_says_so_and_a_long_quote_goes_on_over_pages() {
    let (sales, _, account, draft) = start_printing().await;
    let product = draft.document.as_ref().expect("a document").lines[0].product.clone();
    let lines = (1..=300).map(|number| Line {
        description: format!("Desk number {number}."),
        choices: vec![Choice { option: "oak".into(), count: 1 }],
        ..line(&product, "1")
    });
    let long = sales.create_quote(quote(&account.name, lines.collect())).await.expect("a quote");

    let printed = sales.printed(&draft, "es").await;
    let long = sales.render_quote(&long.name, "en-US", Paper::Letter).await.expect("a PDF");

    assert_eq!(printed.file_name, "draft.pdf");
    assert_says(&pages(&printed)[0], &["Presupuesto (Borrador)", "BORRADOR"]);
    let pages = pages(&long);
    assert!((8..40).contains(&pages.len()), "{} pages", pages.len());
    for (at, page) in pages.iter().enumerate() {
        assert_says(page, &["DRAFT", &format!("Page {} of {}", at + 1, pages.len())]);
    }
    let whole = pages.concat();
    for number in 1..=300 {
        assert_eq!(whole.matches(&bare(&format!("Desk number {number}."))).count(), 1, "{number}");
    }
}

/// Which legal entity it is: the one that is named, else the one that was recorded first.
#[tokio::test]
async fn a_quote_is_made_out_in_the_name_that_it_says() {
    let (sales, first, _, draft) = start_printing().await;
    let other = LegalEntity { legal_name: "Iberia S.A.".into(), ..sales.hear_company().await };
    sales.hear("trato.billing.v1.legal_entity.updated", &other.name, 2, &other).await;
    let nobody = format!("legalEntities/{}", Uuid::now_v7());

    let unsaid = sales.send_draft(&draft).await;
    let again = sales.revise(&unsaid.name).await.expect("a version");
    let named = Quote { legal_entity: other.name.clone(), ..again.clone() };
    let named = sales.update_quote(named, &["legal_entity"]).await.expect("a draft");
    let named = sales.send_draft(&named).await;
    let lost = sales.revise(&named.name).await.expect("a version");
    let lost = Quote { legal_entity: nobody, ..lost };
    let lost = sales.update_quote(lost, &["legal_entity"]).await.expect("a draft");
    sales.submit(&lost.name).await.expect("a draft");

    let issuer = |quote: &Quote| quote.issuer.as_ref().expect("an issuer").legal_name.clone();
    assert_eq!((issuer(&unsaid), issuer(&named)), (first.legal_name.clone(), other.legal_name));
    assert_eq!(refusal(sales.send(&lost.name).await), refused("LEGAL_ENTITY_NOT_FOUND"));
    let printed = sales.render_quote(&lost.name, "", Paper::A4).await;
    assert_eq!(refusal(printed), refused("LEGAL_ENTITY_NOT_FOUND"));
}

#[tokio::test]
async fn what_cannot_be_rendered_is_refused() {
    let (sales, desk) = Sales::start_quoting().await;
    let nameless = sales.sent(&desk, "1").await;
    let without = sales.render_quote(&nameless.name, "", Paper::A4).await;
    sales.hear_company().await;
    let later = sales.render_quote(&nameless.name, "", Paper::A4).await.expect("it is known by now");
    let cancelled = sales.draft(&desk, "1").await;
    sales.cancel(&cancelled.name).await.expect("cancelled");
    let superseded = sales.sent(&desk, "1").await;
    sales.revise(&superseded.name).await.expect("a version");

    assert_eq!(nameless.issuer, None);
    assert_eq!(refusal(without), refused("LEGAL_ENTITY_NOT_FOUND"));
    assert_says(&pages(&later).concat(), &["Cafés Hispania S.L."]);
    for name in [&cancelled.name, &superseded.name] {
        let answer = sales.render_quote(name, "", Paper::A4).await;
        assert_eq!(refusal(answer), refused("QUOTE_WITHDRAWN"));
    }
    let request = RenderQuoteRequest { name: nameless.name, language: "tlh".into(), paper: 7 };
    let answer = sales.quotes().render_quote(sales.admin.request(request)).await;
    assert_eq!(violations(answer), [field("language", "UNKNOWN_LANGUAGE"), field("paper", "UNKNOWN_VALUE")]);
    let nowhere = "quotes/00000000-0000-7000-8000-000000000000";
    assert_eq!(refusal(sales.render_quote(nowhere, "", Paper::A4).await).0, Code::NotFound);
}
