//! Delivery notes as PDF: what comes, for whom, and never what it costs.

use tonic::{Response, Status};
use trato_proto::{
    billing::v1::LegalEntity,
    customers::v1::Account,
    sales::v1::{
        Address, Choice, CreateDeliveryNoteRequest, DeliveryNote, Order, RenderDeliveryNoteRequest,
        RenderedDocument, VoidDeliveryNoteRequest, delivery_note::Line, rendered_document::Paper,
        sales_document, sales_number_series::DocumentKind,
    },
};

use crate::{
    delivery_note::{part, with_serials},
    harness::{Sales, date, field, refusal, violations},
    order::{document, precondition},
    quote::line,
    render::{assert_says, oak_desk, pages},
};

impl Sales {
    pub async fn render_delivery(
        &self,
        name: &str,
        language: &str,
        paper: Paper,
    ) -> Result<RenderedDocument, Status> {
        let request =
            RenderDeliveryNoteRequest { name: name.into(), language: language.into(), paper: paper.into() };
        self.delivery_notes()
            .render_delivery_note(self.admin.request(request))
            .await
            .map(Response::into_inner)
    }

    /// A draft of a delivery note of two lines, one with a lot and one with serial numbers.
    async fn packed(&self, order: &str) -> DeliveryNote {
        let lot = Line { lot: "L-77".into(), ..part("1", "2.5") };
        let delivery_note = DeliveryNote {
            order: order.into(),
            lines: vec![lot, with_serials("2", &["SN-001", "SN-002"])],
            note: "Llamar antes.".into(),
            ..Default::default()
        };
        let request = CreateDeliveryNoteRequest { delivery_note: Some(delivery_note), ..Default::default() };
        let answer = self.delivery_notes().create_delivery_note(self.admin.request(request)).await;
        answer.expect("a draft").into_inner()
    }

    /// A confirmed order of two lines that goes to a place of its own.
    async fn order_for(&self, account: &Account, product: &str) -> Order {
        let lines = vec![line(product, "5"), line(product, "2")];
        let order = Order {
            account: account.name.clone(),
            document: Some(document(lines)),
            customer_po: "PO-4711".into(),
            promised_date: date(2099, 3, 1),
            ship_to: Some(Address {
                lines: vec!["Almacén 3".into()],
                postal_code: "20100".into(),
                locality: "Errenteria".into(),
                country_code: "ES".into(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let draft = self.create_order(order).await.expect("a draft");
        self.confirm_order(&draft.name).await.expect("confirmed")
    }
}

/// DOC-05: an issued delivery note is printed with lots, serial numbers and a line to sign on, in both languages; prices are
/// not on it.
#[tokio::test]
async fn an_issued_delivery_note_is_printed_without_prices() {
    let (sales, desk) = Sales::start_ordering().await;
    sales.hear_company().await;
    let account = sales.hear_customer().await;
    let order = sales.order_for(&account, &desk).await;
    let draft = sales.packed(&order.name).await;

    let marked = sales.render_delivery(&draft.name, "es", Paper::A4).await.expect("a PDF");
    let issued = sales.issue_delivery(&draft.name).await.expect("issued");
    let spanish = sales.render_delivery(&draft.name, "es", Paper::A4).await.expect("a PDF");
    let english = sales.render_delivery(&draft.name, "en", Paper::Letter).await.expect("a PDF");

    assert_says(&pages(&marked).concat(), &["Albarán (Borrador)", "BORRADOR"]);
    assert_eq!((marked.file_name.as_str(), spanish.file_name.as_str()), ("draft.pdf", "D0001.pdf"));
    let recipient = issued.recipient.expect("a recipient");
    assert_eq!(recipient.display_name, "Hôtel Miramar SARL");
    let common = [
        "Cafés Hispania S.L.",
        "Hôtel Miramar SARL",
        "Almacén 3",
        "20100 Errenteria",
        "D0001",
        order.number.as_str(),
        "PO-4711",
        "Desk",
        "Llamar antes.",
    ];
    let in_spanish = [
        "Albarán D0001",
        "Su pedido",
        "Entrega prevista 01/03/2099",
        "2,5",
        "Lote L-77",
        "Números de serie: SN-001, SN-002",
        "Recibido completo",
        "Nombre y firma",
    ];
    let in_english = [
        "Delivery note D0001",
        "Your order",
        "Promised for 1 March 2099",
        "2.5",
        "Lot L-77",
        "Serial numbers: SN-001, SN-002",
        "Received complete",
        "Name and signature",
    ];
    for (pdf, own) in [(&spanish, in_spanish), (&english, in_english)] {
        let text = pages(pdf).concat();
        assert_says(&text, &common);
        assert_says(&text, &own);
        for price in ["100,00", "100.00", "EUR", "€", "IVA2", "VAT2"] {
            assert!(!text.contains(price), "{price} is in {text}");
        }
    }
}

/// DOC-05, SFA-24: what was chosen of a product is read on its delivery note, and not what it costs.
#[tokio::test]
async fn a_delivery_note_says_what_was_chosen() {
    let (sales, list) = Sales::start_pricing().await;
    sales.default_series(DocumentKind::Order, "O").await;
    sales.default_series(DocumentKind::DeliveryNote, "D").await;
    sales.hear_company().await;
    let account = sales.hear_customer().await;
    let desk = oak_desk(&sales, &list).await;
    let choices = vec![Choice { option: "oak".into(), count: 2 }];
    let desks = sales_document::Line { choices, ..line(&desk, "3") };
    let order = Order { account: account.name, document: Some(document(vec![desks])), ..Default::default() };
    let draft = sales.create_order(order).await.expect("a draft");
    let order = sales.confirm_order(&draft.name).await.expect("confirmed");

    let issued = sales.delivered(&order.name, vec![part("1", "3")]).await;
    let printed = sales.render_delivery(&issued.name, "es", Paper::A4).await.expect("a PDF");

    assert_eq!(issued.lines[0].description, "Desk (Solid oak × 2)");
    let text = pages(&printed).concat();
    assert_says(&text, &["Desk (Solid oak × 2)"]);
    assert!(!text.contains("19,99") && !text.contains("39,98"), "{text}");
}

/// DOC-05: printed again, an issued delivery note is the same to the byte, whatever became of company, customer and delivery; one
/// that is void says so.
#[tokio::test]
async fn a_reprint_of_a_delivery_note_is_the_same() {
    let (sales, desk) = Sales::start_ordering().await;
    let entity = sales.hear_company().await;
    sales.hear_logo(&entity, 2).await;
    let account = sales.hear_customer().await;
    let order = sales.order_for(&account, &desk).await;
    let issued = sales.delivered(&order.name, vec![part("1", "1")]).await;
    let void = sales.delivered(&order.name, vec![part("1", "1")]).await;
    let printed = sales.render_delivery(&issued.name, "es", Paper::A4).await.expect("a PDF");

    let renamed = LegalEntity { legal_name: "Iberia S.A.".into(), ..entity };
    sales.hear("trato.billing.v1.legal_entity.deleted", &renamed.name, 3, &renamed).await;
    let moved = Account { legal_name: "Hôtel du Lac".into(), ..account };
    sales.hear("trato.customers.v1.account.updated", &moved.name, 2, &moved).await;
    sales.confirm_delivery(&issued.name, Vec::new()).await.expect("confirmed");
    let request = VoidDeliveryNoteRequest {
        name: void.name.clone(),
        reason: "Wrong lorry".into(),
        ..Default::default()
    };
    sales.delivery_notes().void_delivery_note(sales.admin.request(request)).await.expect("void");
    let again = sales.render_delivery(&issued.name, "es", Paper::A4).await.expect("a PDF");
    let void = sales.render_delivery(&void.name, "es", Paper::A4).await.expect("a PDF");

    assert!(printed == again, "a reprint differs");
    assert_says(&pages(&void).concat(), &["Albarán D0002 (Anulado)", "ANULADO"]);
}

#[tokio::test]
async fn what_cannot_be_rendered_of_delivery_notes_is_refused() {
    let (sales, desk) = Sales::start_ordering().await;
    let order = sales.confirmed(&desk, &["5"]).await;
    let issued = sales.delivered(&order.name, vec![part("1", "1")]).await;

    let without = sales.render_delivery(&issued.name, "", Paper::A4).await;
    let request = RenderDeliveryNoteRequest { name: issued.name, language: "tlh".into(), paper: 7 };
    let wrong = sales.delivery_notes().render_delivery_note(sales.admin.request(request)).await;

    assert_eq!(refusal(without), precondition("LEGAL_ENTITY_NOT_FOUND"));
    assert_eq!(violations(wrong), [field("language", "UNKNOWN_LANGUAGE"), field("paper", "UNKNOWN_VALUE")]);
}

/// DOC-05: a later number has no earlier day, also where it is yet an earlier one: the day is that of the number before.
#[tokio::test]
async fn a_later_number_has_no_earlier_day() {
    let (sales, desk) = Sales::start_ordering().await;
    let order = sales.confirmed(&desk, &["2"]).await;
    let company = sales.hear_company().await;
    let mut days = Vec::new();
    // The second one is 26 hours behind.
    for (revision, zone) in [(2, "Pacific/Kiritimati"), (3, "Etc/GMT+12")] {
        let company = LegalEntity { time_zone: zone.into(), ..company.clone() };
        sales.hear("trato.billing.v1.legal_entity.updated", &company.name, revision, &company).await;
        days.push(sales.delivered(&order.name, vec![part("1", "1")]).await.issue_date);
    }

    assert!(days[0].is_some());
    assert_eq!(days[0], days[1]);
}

/// DOC-05: a delivery note is of the day that it is where the company is that makes it out.
#[tokio::test]
async fn a_delivery_note_is_of_the_day_of_its_company() {
    let (sales, desk) = Sales::start_ordering().await;
    let order = sales.confirmed(&desk, &["2"]).await;
    let company = sales.hear_company().await;
    let mut days = Vec::new();
    // It is never the same day in both: their clocks are 26 hours apart.
    for (revision, zone) in [(2, "Etc/GMT+12"), (3, "Pacific/Kiritimati")] {
        let company = LegalEntity { time_zone: zone.into(), ..company.clone() };
        sales.hear("trato.billing.v1.legal_entity.updated", &company.name, revision, &company).await;
        let issued = sales.delivered(&order.name, vec![part("1", "1")]).await;
        let day = issued.issue_date.expect("it has a day");
        days.push((day.year, day.month, day.day));
    }

    assert!(days[0] < days[1], "{days:?}");
}
