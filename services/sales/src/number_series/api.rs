//! `SalesNumberSeriesService`, and a number series on the wire.

use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Record, Resource},
    standard::{Reply, Store},
};
use trato_proto::{
    sales::v1::{self as pb, sales_number_series_service_server::SalesNumberSeriesService},
    wire::{self, UnknownName},
};
use trato_query::Field;
use trato_types::{
    Context, Result, Violations,
    numbering::{Period, padding},
};

use super::{
    model::{DocumentKind, NumberSeries},
    store,
};

/// Serves number series.
pub struct Api {
    number_series: Store<NumberSeries>,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { number_series: Store::new(&app.database) }
    }
}

#[tonic::async_trait]
impl SalesNumberSeriesService for Api {
    async fn get_sales_number_series(
        &self,
        request: Request<pb::GetSalesNumberSeriesRequest>,
    ) -> Reply<pb::SalesNumberSeries> {
        self.number_series.get(request).await
    }
    async fn list_sales_number_series(
        &self,
        request: Request<pb::ListSalesNumberSeriesRequest>,
    ) -> Reply<pb::ListSalesNumberSeriesResponse> {
        self.number_series.list(request).await
    }
    async fn create_sales_number_series(
        &self,
        request: Request<pb::CreateSalesNumberSeriesRequest>,
    ) -> Reply<pb::SalesNumberSeries> {
        self.number_series.create(request).await
    }
    async fn update_sales_number_series(
        &self,
        request: Request<pb::UpdateSalesNumberSeriesRequest>,
    ) -> Reply<pb::SalesNumberSeries> {
        self.number_series.update(request).await
    }
    async fn delete_sales_number_series(
        &self,
        request: Request<pb::DeleteSalesNumberSeriesRequest>,
    ) -> Reply<pb::SalesNumberSeries> {
        self.number_series.delete(request).await
    }
    async fn undelete_sales_number_series(
        &self,
        request: Request<pb::UndeleteSalesNumberSeriesRequest>,
    ) -> Reply<pb::SalesNumberSeries> {
        self.number_series.undelete(request).await
    }
    async fn batch_get_sales_number_series(
        &self,
        request: Request<pb::BatchGetSalesNumberSeriesRequest>,
    ) -> Reply<pb::BatchGetSalesNumberSeriesResponse> {
        self.number_series.batch_get(request).await
    }
    async fn batch_create_sales_number_series(
        &self,
        request: Request<pb::BatchCreateSalesNumberSeriesRequest>,
    ) -> Reply<pb::BatchCreateSalesNumberSeriesResponse> {
        self.number_series.batch_create(request).await
    }
    async fn upsert_sales_number_series(
        &self,
        request: Request<pb::UpsertSalesNumberSeriesRequest>,
    ) -> Reply<pb::SalesNumberSeries> {
        self.number_series.upsert(request).await
    }
}

impl Resource for NumberSeries {
    type Message = pb::SalesNumberSeries;
    const TABLE: &'static str = "number_series";
    const COLLECTION: &'static str = "salesNumberSeries";
    const EVENT: &'static str = "trato.sales.v1.sales_number_series";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(message: &pb::SalesNumberSeries, _: &Context) -> Result<Self> {
        let mut violations = Violations::new();
        let check = &mut violations;
        let display_name = check.keep("display_name", message.display_name.parse());
        let document_kind = check.keep("document_kind", parse_document_kind(message.document_kind));
        let prefix = check.keep("prefix", message.prefix.parse());
        let period = check.keep("period", parse_period(message.period)).unwrap_or(Period::None);
        let padding = check.keep("padding", padding(message.padding)).unwrap_or_default();
        let is_default = message.is_default;
        #[rustfmt::skip]
        let series = display_name.zip(document_kind).zip(prefix).map(
            |((display_name, document_kind), prefix)| Self {
                display_name, document_kind, prefix, period, padding, is_default,
            },
        );
        violations.into_result(series)
    }

    fn render(record: &Record<Self>) -> pb::SalesNumberSeries {
        let series = &record.value;
        let (source, external_id) = record.external_fields();
        pb::SalesNumberSeries {
            name: record.name(),
            create_time: Some(wire::timestamp(record.create_time)),
            update_time: Some(wire::timestamp(record.update_time)),
            delete_time: record.delete_time.map(wire::timestamp),
            creator: record.creator.clone(),
            etag: record.etag(),
            source,
            external_id,
            display_name: series.display_name.to_string(),
            document_kind: render_document_kind(series.document_kind).into(),
            prefix: series.prefix.to_string(),
            period: render_period(series.period).into(),
            padding: series.padding,
            is_default: series.is_default,
        }
    }
}

fn parse_document_kind(document_kind: i32) -> Result<DocumentKind, UnknownName> {
    match pb::sales_number_series::DocumentKind::try_from(document_kind) {
        Ok(pb::sales_number_series::DocumentKind::Quote) => Ok(DocumentKind::Quote),
        Ok(pb::sales_number_series::DocumentKind::Order) => Ok(DocumentKind::Order),
        Ok(pb::sales_number_series::DocumentKind::DeliveryNote) => Ok(DocumentKind::DeliveryNote),
        Ok(pb::sales_number_series::DocumentKind::Return) => Ok(DocumentKind::Return),
        Ok(pb::sales_number_series::DocumentKind::Unspecified) | Err(_) => Err(UnknownName),
    }
}

fn render_document_kind(document_kind: DocumentKind) -> pb::sales_number_series::DocumentKind {
    match document_kind {
        DocumentKind::Quote => pb::sales_number_series::DocumentKind::Quote,
        DocumentKind::Order => pb::sales_number_series::DocumentKind::Order,
        DocumentKind::DeliveryNote => pb::sales_number_series::DocumentKind::DeliveryNote,
        DocumentKind::Return => pb::sales_number_series::DocumentKind::Return,
    }
}

fn parse_period(period: i32) -> Result<Period, UnknownName> {
    match pb::sales_number_series::Period::try_from(period) {
        Ok(pb::sales_number_series::Period::Unspecified | pb::sales_number_series::Period::None) => {
            Ok(Period::None)
        }
        Ok(pb::sales_number_series::Period::Year) => Ok(Period::Year),
        Err(_) => Err(UnknownName),
    }
}

fn render_period(period: Period) -> pb::sales_number_series::Period {
    match period {
        Period::None => pb::sales_number_series::Period::None,
        Period::Year => pb::sales_number_series::Period::Year,
    }
}
