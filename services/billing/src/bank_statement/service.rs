//! `BankStatementService`.

use prost::Message as _;
use tonic::Request;
use trato_platform::{
    App,
    db::{RequestKey, Tx},
    standard::{Reply, answer, once},
};
use trato_proto::billing::v1::{
    self as pb, bank_statement_service_server::BankStatementService, import_bank_statement_request::Format,
};
use trato_types::{Context, Error, Id, Result, Violations};

use super::{
    camt, csv,
    import::Importer,
    model::{Statement, StatementError},
};

type Parse = fn(&[u8]) -> Result<Statement, StatementError>;

/// Imports bank statements.
pub struct Api {
    importer: Importer,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { importer: Importer::new(&app.database) }
    }
}

#[tonic::async_trait]
impl BankStatementService for Api {
    async fn import_bank_statement(
        &self,
        request: Request<pb::ImportBankStatementRequest>,
    ) -> Reply<pb::ImportBankStatementResponse> {
        answer(request, async |cx, mut body| {
            let key = RequestKey::parse(&std::mem::take(&mut body.request_id), &body)?;
            let message = "a lost answer must not move money twice";
            let key = key.ok_or_else(|| Error::invalid("request_id", "REQUIRED", message))?;
            let database = &self.importer.till.database;
            once(database, cx, Some(&key), self.import(cx, &key, &body)).await
        })
        .await
    }
}

impl Api {
    async fn import(
        &self,
        cx: &Context,
        key: &RequestKey,
        body: &pb::ImportBankStatementRequest,
    ) -> Result<pb::ImportBankStatementResponse> {
        let mut violations = Violations::new();
        let legal_entity = violations.keep("legal_entity", Id::parse(&body.legal_entity));
        let parse = match Format::try_from(body.format) {
            Ok(Format::Camt053) => Some(camt::parse as Parse),
            Ok(Format::Csv) => Some(csv::parse as Parse),
            Ok(Format::Unspecified) => {
                violations.add("format", "REQUIRED", "is required");
                None
            }
            Err(_) => {
                violations.add("format", "UNKNOWN_VALUE", "must be one of the names the contract lists");
                None
            }
        };
        let (legal_entity, parse) = violations.into_result(legal_entity.zip(parse))?;
        let statement = parse(&body.content)?;
        let count = i32::try_from(statement.lines.len()).unwrap_or(i32::MAX);
        if body.entry_count != 0 && body.entry_count != count {
            return Err(StatementError::NotEven.into());
        }
        let mut tx = Tx::of(&self.importer.till.database, cx).await?;
        let answer = self.importer.import(&mut tx, legal_entity, &statement.lines).await?;
        tx.remember(key, answer.encode_to_vec()).await?;
        tx.end(body.validate_only).await?;
        Ok(answer)
    }
}
