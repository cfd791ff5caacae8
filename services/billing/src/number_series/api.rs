//! `NumberSeriesService`, and a number series on the wire.

use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Record, Resource},
    standard::{Reply, Store, answer},
};
use trato_proto::{
    billing::v1::{self as pb, number_series_service_server::NumberSeriesService},
    wire::{self, UnknownName},
};
use trato_query::Field;
use trato_types::{
    Context, Id, Result, Violations,
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
impl NumberSeriesService for Api {
    async fn get_number_series(
        &self,
        request: Request<pb::GetNumberSeriesRequest>,
    ) -> Reply<pb::NumberSeries> {
        self.number_series.get(request).await
    }
    async fn list_number_series(
        &self,
        request: Request<pb::ListNumberSeriesRequest>,
    ) -> Reply<pb::ListNumberSeriesResponse> {
        self.number_series.list(request).await
    }
    async fn create_number_series(
        &self,
        request: Request<pb::CreateNumberSeriesRequest>,
    ) -> Reply<pb::NumberSeries> {
        self.number_series.create(request).await
    }
    async fn update_number_series(
        &self,
        request: Request<pb::UpdateNumberSeriesRequest>,
    ) -> Reply<pb::NumberSeries> {
        self.number_series.update(request).await
    }
    async fn delete_number_series(
        &self,
        request: Request<pb::DeleteNumberSeriesRequest>,
    ) -> Reply<pb::NumberSeries> {
        self.number_series.delete(request).await
    }
    async fn undelete_number_series(
        &self,
        request: Request<pb::UndeleteNumberSeriesRequest>,
    ) -> Reply<pb::NumberSeries> {
        self.number_series.undelete(request).await
    }
    async fn batch_get_number_series(
        &self,
        request: Request<pb::BatchGetNumberSeriesRequest>,
    ) -> Reply<pb::BatchGetNumberSeriesResponse> {
        self.number_series.batch_get(request).await
    }
    async fn batch_create_number_series(
        &self,
        request: Request<pb::BatchCreateNumberSeriesRequest>,
    ) -> Reply<pb::BatchCreateNumberSeriesResponse> {
        self.number_series.batch_create(request).await
    }
    async fn upsert_number_series(
        &self,
        request: Request<pb::UpsertNumberSeriesRequest>,
    ) -> Reply<pb::NumberSeries> {
        self.number_series.upsert(request).await
    }

    async fn preview_number(
        &self,
        request: Request<pb::PreviewNumberRequest>,
    ) -> Reply<pb::PreviewNumberResponse> {
        answer(request, async |cx, body| self.preview(cx, &body).await).await
    }
}

impl Api {
    async fn preview(
        &self,
        cx: &Context,
        body: &pb::PreviewNumberRequest,
    ) -> Result<pb::PreviewNumberResponse> {
        let mut violations = Violations::new();
        let date = body.date.as_ref().map(wire::parse_date);
        let date = date.and_then(|date| violations.keep("date", date));
        violations.into_result(Some(()))?;
        let series = self.number_series.read(cx, &body.name).await?;
        let period = series.value.period_of(date)?;
        let last = store::last_ordinal(self.number_series.database(), cx, series.id, &period).await?;
        let ordinal = last + 1;
        Ok(pb::PreviewNumberResponse { number: series.value.number(&period, ordinal), ordinal })
    }
}

impl Resource for NumberSeries {
    type Message = pb::NumberSeries;
    const TABLE: &'static str = "number_series";
    const COLLECTION: &'static str = "numberSeries";
    const EVENT: &'static str = "trato.billing.v1.number_series";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(message: &pb::NumberSeries, _: &Context) -> Result<Self> {
        let mut violations = Violations::new();
        let check = &mut violations;
        let display_name = check.keep("display_name", message.display_name.parse());
        let legal_entity = check.keep("legal_entity", Id::parse(&message.legal_entity));
        let document_kind = check.keep("document_kind", parse_document_kind(message.document_kind));
        let prefix = check.keep("prefix", message.prefix.parse());
        let period = check.keep("period", parse_period(message.period)).unwrap_or(Period::None);
        let padding = check.keep("padding", padding(message.padding)).unwrap_or_default();
        let gap_free = message.gap_free;
        #[rustfmt::skip]
        let series = display_name.zip(legal_entity).zip(document_kind).zip(prefix).map(
            |(((display_name, legal_entity), document_kind), prefix)| Self {
                display_name, legal_entity, document_kind, prefix, period, padding, gap_free,
            },
        );
        violations.into_result(series)
    }

    fn render(record: &Record<Self>) -> pb::NumberSeries {
        let series = &record.value;
        let (source, external_id) = record.external_fields();
        pb::NumberSeries {
            name: record.name(),
            create_time: Some(wire::timestamp(record.create_time)),
            update_time: Some(wire::timestamp(record.update_time)),
            delete_time: record.delete_time.map(wire::timestamp),
            creator: record.creator.clone(),
            etag: record.etag(),
            source,
            external_id,
            display_name: series.display_name.to_string(),
            legal_entity: series.legal_entity.name(),
            document_kind: render_document_kind(series.document_kind).into(),
            prefix: series.prefix.to_string(),
            period: render_period(series.period).into(),
            padding: series.padding,
            gap_free: series.gap_free,
        }
    }
}

fn parse_document_kind(document_kind: i32) -> Result<DocumentKind, UnknownName> {
    match pb::number_series::DocumentKind::try_from(document_kind) {
        Ok(pb::number_series::DocumentKind::Invoice) => Ok(DocumentKind::Invoice),
        Ok(pb::number_series::DocumentKind::CreditNote) => Ok(DocumentKind::CreditNote),
        Ok(pb::number_series::DocumentKind::Unspecified) | Err(_) => Err(UnknownName),
    }
}

fn render_document_kind(document_kind: DocumentKind) -> pb::number_series::DocumentKind {
    match document_kind {
        DocumentKind::Invoice => pb::number_series::DocumentKind::Invoice,
        DocumentKind::CreditNote => pb::number_series::DocumentKind::CreditNote,
    }
}

fn parse_period(period: i32) -> Result<Period, UnknownName> {
    match pb::number_series::Period::try_from(period) {
        Ok(pb::number_series::Period::Unspecified | pb::number_series::Period::None) => Ok(Period::None),
        Ok(pb::number_series::Period::Year) => Ok(Period::Year),
        Err(_) => Err(UnknownName),
    }
}

fn render_period(period: Period) -> pb::number_series::Period {
    match period {
        Period::None => pb::number_series::Period::None,
        Period::Year => pb::number_series::Period::Year,
    }
}
