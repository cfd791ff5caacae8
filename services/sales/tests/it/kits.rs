//! Kits: one line in every document, with what is in it on the delivery note, as it was ordered.

use trato_proto::sales::v1::{
    BatchCreateProductsRequest, CreateProductRequest, DeliveryNote, KitPart, Order, Product,
    UpdateDeliveryNoteRequest, UpdateProductRequest, delivery_note, rendered_document::Paper,
    sales_document::Line, sales_number_series::DocumentKind,
};
use uuid::Uuid;

use crate::{
    delivery_note::part,
    harness::{Sales, paths},
    order::document,
    product::component,
    quote::line,
    render::{assert_says, pages},
};

/// A kit with what is in it.
struct Desk {
    name: String,
    leg: String,
    cable: String,
}

impl Sales {
    /// Sales that prints, takes orders and delivers; and a desk at 100 euros: a frame of four legs, and 2.5 m of cable.
    async fn start_delivering_kits() -> (Self, Desk) {
        let (sales, list) = Self::start_pricing().await;
        sales.default_series(DocumentKind::Order, "O").await;
        sales.default_series(DocumentKind::DeliveryNote, "D").await;
        sales.hear_company().await;
        let leg = sales.product("Leg").await.name;
        let cable = Product { display_name: "Cable".into(), unit_code: "MTR".into(), ..Default::default() };
        let cable = sales.create_product(cable).await.expect("a product").name;
        let frame = sales.bundle("Frame", &[(&leg, "4")]).await.expect("a kit").name;
        let name = sales.kit("Desk", &[(&frame, "1"), (&cable, "2.5")]).await;
        sales.price(&list, &name, "", "100").await;
        (sales, Desk { name, leg, cable })
    }

    /// A kit that is sold and taxed.
    async fn kit(&self, display_name: &str, components: &[(&str, &str)]) -> String {
        let kit = Product {
            display_name: display_name.into(),
            sellable: true,
            tax_class: "ES-S".into(),
            components: components.iter().map(|(product, factor)| component(product, factor)).collect(),
            ..Default::default()
        };
        self.create_product(kit).await.expect("a kit").name
    }

    /// A draft of an order of somebody whose name is known.
    async fn drafted(&self, lines: Vec<Line>) -> Order {
        let account = self.hear_customer().await.name;
        let order = Order { account, document: Some(document(lines)), ..Default::default() };
        self.create_order(order).await.expect("a draft")
    }

    /// From now on a desk has five legs of another name, a lamp, and no cable.
    async fn change_desk(&self, desk: &Desk) {
        let renamed =
            Product { name: desk.leg.clone(), display_name: "Steel leg".into(), ..Default::default() };
        let request = UpdateProductRequest {
            product: Some(renamed),
            update_mask: Some(paths(&["display_name"])),
            ..Default::default()
        };
        self.products().update_product(self.admin.request(request)).await.expect("renamed");
        let lamp = self.product("Lamp").await.name;
        self.set_components(&desk.name, &[(&desk.leg, "5"), (&lamp, "1")]).await.expect("changed");
    }

    /// What a delivery note says in Spanish and in English.
    async fn printed_delivery(&self, name: &str) -> [String; 2] {
        let mut texts = [String::new(), String::new()];
        for (text, language) in texts.iter_mut().zip(["es", "en"]) {
            let printed = self.render_delivery(name, language, Paper::A4).await.expect("a PDF");
            *text = pages(&printed).concat();
        }
        texts
    }
}

fn told(parts: &[KitPart]) -> Vec<(&str, &str, &str)> {
    let told =
        parts.iter().map(|part| (part.description.as_str(), part.quantity.as_str(), part.unit_code.as_str()));
    told.collect()
}

fn parts(delivery_note: &DeliveryNote) -> Vec<(&str, &str, &str)> {
    told(&delivery_note.lines[0].parts)
}

/// SFA-25, DOC-05: a kit is one line of its order, whose delivery notes list what is in it as it was when the order was confirmed,
/// each for its own quantity; and a reprint is the same, whatever becomes of the catalogue.
#[tokio::test]
async fn a_delivery_note_lists_what_is_in_a_kit_as_it_was_ordered() {
    let (sales, desk) = Sales::start_delivering_kits().await;
    let draft = sales.drafted(vec![line(&desk.name, "3"), line(&desk.name, "1")]).await;
    let order = sales.confirm_order(&draft.name).await.expect("confirmed");
    let first = sales.delivered(&order.name, vec![part("1", "1")]).await;
    let printed = sales.render_delivery(&first.name, "es", Paper::A4).await.expect("a PDF");

    sales.change_desk(&desk).await;
    let drafted = sales.create_delivery(&order.name, vec![part("1", "0.5")]).await.expect("a draft");
    let changed =
        DeliveryNote { name: drafted.name.clone(), lines: vec![part("1", "2")], ..Default::default() };
    let request = UpdateDeliveryNoteRequest {
        delivery_note: Some(changed),
        update_mask: Some(paths(&["lines"])),
        ..Default::default()
    };
    let updated = sales.delivery_notes().update_delivery_note(sales.admin.request(request)).await;
    let updated = updated.expect("a draft").into_inner();
    let second = sales.issue_delivery(&drafted.name).await.expect("issued");
    let rest = sales.delivered(&order.name, Vec::new()).await;
    let again = sales.render_delivery(&first.name, "es", Paper::A4).await.expect("a PDF");

    assert!(draft.kits.is_empty(), "{:?}", draft.kits);
    let [kit] = order.kits.as_slice() else { panic!("two lines are of one kit: {:?}", order.kits) };
    assert_eq!((kit.product.as_str(), kit.parts_omitted), (desk.name.as_str(), false));
    assert_eq!(told(&kit.parts), [("Cable", "2.5", "MTR"), ("Leg", "4", "C62")]);
    assert_eq!(kit.parts[0].product, desk.cable);
    assert_eq!(order.document.as_ref().map(|document| document.lines.len()), Some(2));
    assert_eq!(parts(&first), [("Cable", "2.5", "MTR"), ("Leg", "4", "C62")]);
    assert_eq!(parts(&drafted), [("Cable", "1.25", "MTR"), ("Leg", "2", "C62")]);
    for whole in [&updated, &second] {
        assert_eq!(parts(whole), [("Cable", "5", "MTR"), ("Leg", "8", "C62")]);
    }
    let keys: Vec<_> = rest.lines.iter().map(|line| line.order_line.as_str()).collect();
    assert_eq!((keys, parts(&rest)), (vec!["2"], parts(&first)));
    assert_eq!(sales.get_order(&order.name).await.kits, order.kits);
    assert!(printed == again, "a reprint differs");
    let [spanish, english] = sales.printed_delivery(&second.name).await;
    assert_says(&spanish, &["Contiene:", "Cable × 5 m", "Leg × 8"]);
    assert_says(&english, &["Contains:", "Cable × 5 m", "Leg × 8"]);
    assert_says(&sales.printed_delivery(&first.name).await[0], &["Cable × 2,5 m"]);
    assert!(!spanish.contains("Lamp"), "{spanish}");
}

/// SFA-25, DOC-05: what is no kit has no parts, and says nothing of them.
#[tokio::test]
async fn what_is_no_kit_has_no_parts() {
    let (sales, desk) = Sales::start_delivering_kits().await;
    let lamp = sales.good("Lamp", "ES-S").await;
    let lamps = Line { unit_price: "25".into(), ..line(&lamp, "2") };
    let draft = sales.drafted(vec![lamps, line(&desk.name, "1")]).await;
    let order = sales.confirm_order(&draft.name).await.expect("confirmed");

    let issued = sales.delivered(&order.name, vec![part("1", "2")]).await;

    assert_eq!(order.kits.len(), 1);
    assert!(issued.lines[0].parts.is_empty() && !issued.lines[0].parts_omitted);
    let [spanish, _] = sales.printed_delivery(&issued.name).await;
    assert!(!spanish.contains("Contiene"), "{spanish}");
}

/// SFA-25, DOC-05: a part that is too fine to be taken apart in quantities does not stand against a delivery.
#[tokio::test]
async fn a_kit_of_parts_too_fine_is_delivered() {
    let (sales, desk) = Sales::start_delivering_kits().await;
    let pair = sales.bundle("Pair", &[(&desk.leg, "0.001")]).await.expect("a kit").name;
    let dust = sales.kit("Dust", &[(&pair, "0.0001")]).await;
    let dusts = Line { unit_price: "1".into(), ..line(&dust, "30") };
    let draft = sales.drafted(vec![dusts]).await;
    let order = sales.confirm_order(&draft.name).await.expect("confirmed");

    let one = sales.delivered(&order.name, vec![part("1", "1")]).await;
    let more = sales.delivered(&order.name, vec![part("1", "25")]).await;

    assert_eq!(told(&order.kits[0].parts), [("Leg", "0.0000001", "C62")]);
    assert_eq!(parts(&one), [("Leg", "0.000001", "C62")], "never nothing");
    assert_eq!(parts(&more), [("Leg", "0.000003", "C62")], "2.5 millionths");
}

/// SFA-25, DOC-05: an order that was confirmed before its kits were kept is delivered with what the catalogue has, and the delivery
/// note keeps that once it is issued.
#[tokio::test]
async fn kits_of_an_older_order_are_those_of_the_catalogue_until_the_note_is_issued() {
    let (sales, desk) = Sales::start_delivering_kits().await;
    let draft = sales.drafted(vec![line(&desk.name, "3")]).await;
    let order = sales.confirm_order(&draft.name).await.expect("confirmed");
    let older = sales.as_before_kits_were_kept(&order).await;

    let drafted = sales.create_delivery(&older, vec![part("1", "1")]).await.expect("a draft");
    sales.change_desk(&desk).await;
    let issued = sales.issue_delivery(&drafted.name).await.expect("issued");
    sales.set_components(&desk.name, &[(&desk.cable, "1")]).await.expect("changed");
    let kept = sales.confirm_delivery(&issued.name, Vec::new()).await.expect("it arrives");

    assert!(sales.get_order(&older).await.kits.is_empty());
    assert_eq!(parts(&drafted), [("Cable", "2.5", "MTR"), ("Leg", "4", "C62")]);
    assert_eq!(parts(&issued), [("Lamp", "1", "C62"), ("Steel leg", "5", "C62")]);
    assert_eq!(parts(&kept), parts(&issued));
}

impl Sales {
    /// The same order once more, as it was stored before its kits were kept.
    async fn as_before_kits_were_kept(&self, order: &Order) -> String {
        let id = |name: &str| name.trim_start_matches("orders/").parse::<Uuid>().expect("an identifier");
        let older = Uuid::now_v7();
        let mut tx = self.service.transaction(self.admin.tenant).await;
        let copied = sqlx::query(
            "insert into sales_order select (jsonb_populate_record(null::sales_order, to_jsonb(sales_order) \
             || jsonb_build_object('id', $2::uuid, 'number', 'OLD', 'kits', null))).* from sales_order where id = $1",
        );
        copied.bind(id(&order.name)).bind(older).execute(tx.connection()).await.expect("it is copied");
        tx.commit().await.expect("committed");
        format!("orders/{older}")
    }
}

/// SFA-25: what is kept of kits does not change, whoever writes.
#[tokio::test]
async fn the_table_keeps_what_is_in_kits() {
    let (sales, desk) = Sales::start_delivering_kits().await;
    let draft = sales.drafted(vec![line(&desk.name, "3")]).await;
    let order = sales.confirm_order(&draft.name).await.expect("confirmed");
    sales.delivered(&order.name, vec![part("1", "1")]).await;

    for (table, constraint) in
        [("sales_order", "sales_order_immutable"), ("delivery_note", "delivery_note_immutable")]
    {
        let mut tx = sales.service.transaction(sales.admin.tenant).await;
        let changed = format!("update {table} set kits = '[]'");
        let changed = sqlx::query(sqlx::AssertSqlSafe(changed)).execute(tx.connection()).await;
        let error = changed.expect_err("it is refused").into_database_error().expect("by the database");
        assert_eq!(error.constraint(), Some(constraint));
    }
}

impl Sales {
    /// So many products that are called parts, and so.
    async fn create_parts(&self, count: i32, name: &str) {
        let part = |number: i32| CreateProductRequest {
            product: Some(Product {
                display_name: format!("Part {number}{name}"),
                tax_class: "ES-S".into(),
                sellable: true,
                ..Default::default()
            }),
            ..Default::default()
        };
        let requests = (0..count).map(part).collect();
        let request = BatchCreateProductsRequest { requests, ..Default::default() };
        self.products().batch_create_products(self.admin.request(request)).await.expect("a batch");
    }

    /// A kit of one of each.
    async fn kit_of_all_parts(&self, display_name: &str) -> String {
        let kit = self.kit(display_name, &[]).await;
        let id: Uuid = kit.trim_start_matches("products/").parse().expect("an identifier");
        let mut tx = self.service.transaction(self.admin.tenant).await;
        let linked = sqlx::query(
            "insert into product_component (tenant_id, product, component, factor) \
             select tenant_id, $1, id, 1 from product where display_name like 'Part %'",
        );
        linked.bind(id).execute(tx.connection()).await.expect("they are linked");
        tx.commit().await.expect("committed");
        kit
    }
}

/// SFA-25, DOC-05: what an order has no room for of its kits is not kept, and its delivery notes say that it is not listed.
#[tokio::test]
async fn a_delivery_note_does_not_list_what_its_order_has_no_room_for() {
    let (sales, _) = Sales::start_delivering_kits().await;
    sales.create_parts(1_000, &"x".repeat(180)).await;
    let kits = [sales.kit_of_all_parts("First").await, sales.kit_of_all_parts("Second").await];
    let lines = kits.iter().map(|kit| Line { unit_price: "1".into(), ..line(kit, "2") });
    let draft = sales.drafted(lines.collect()).await;
    let order = sales.confirm_order(&draft.name).await.expect("confirmed");

    let both = sales.delivered(&order.name, vec![part("1", "1"), part("2", "1")]).await;
    let second = sales.delivered(&order.name, vec![part("2", "1")]).await;

    let listed = |line: &delivery_note::Line| (line.parts.len(), line.parts_omitted);
    assert_eq!(order.kits.iter().map(|kit| kit.parts_omitted).collect::<Vec<_>>(), [false, true]);
    assert_eq!(both.lines.iter().map(listed).collect::<Vec<_>>(), [(1_000, false), (0, true)]);
    assert_eq!(second.lines.iter().map(listed).collect::<Vec<_>>(), [(0, true)]);
}

/// SFA-25, DOC-05: a kit of too many parts is sold and delivered, and the delivery note says that its parts are not listed.
#[tokio::test]
async fn a_kit_of_too_many_parts_is_delivered_without_them() {
    let (sales, desk) = Sales::start_delivering_kits().await;
    sales.create_parts(210, "").await;
    // Each part is within all that have a lower identifier: 210 × 209 / 2 links.
    let mut tx = sales.service.transaction(sales.admin.tenant).await;
    let linked = sqlx::query(
        "insert into product_component (tenant_id, product, component, factor) \
         select one.tenant_id, one.id, other.id, 1 from product one join product other on other.id > one.id \
         where one.display_name like 'Part %' and other.display_name like 'Part %'",
    );
    linked.execute(tx.connection()).await.expect("they are linked");
    let first: Uuid =
        sqlx::query_scalar("select id from product where display_name like 'Part %' order by id limit 1")
            .fetch_one(tx.connection())
            .await
            .expect("there is one");
    tx.commit().await.expect("committed");

    let huge = Line { unit_price: "1".into(), ..line(&format!("products/{first}"), "1") };
    let draft = sales.drafted(vec![huge, line(&desk.name, "1")]).await;
    let order = sales.confirm_order(&draft.name).await.expect("confirmed");
    let issued = sales.delivered(&order.name, Vec::new()).await;

    assert_eq!(order.kits.iter().map(|kit| kit.parts_omitted).collect::<Vec<_>>(), [true, true]);
    let omitted = |line: &delivery_note::Line| (line.parts.len(), line.parts_omitted);
    assert_eq!(issued.lines.iter().map(omitted).collect::<Vec<_>>(), [(0, true), (0, true)]);
    let [spanish, english] = sales.printed_delivery(&issued.name).await;
    assert_says(&spanish, &["Contiene componentes que no se detallan aquí."]);
    assert_says(&english, &["Contains parts that are not listed here."]);
}
