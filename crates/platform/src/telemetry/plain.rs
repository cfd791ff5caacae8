//! Fields of log lines as people read them: what only OpenTelemetry needs is left out.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{FormatFields, format::Writer},
};

/// Writes `name=value` pairs, the message first and bare.
pub(super) struct Plain;

impl<'w> FormatFields<'w> for Plain {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut visitor = Visitor { writer, empty: true, result: Ok(()) };
        fields.record(&mut visitor);
        visitor.result
    }
}

struct Visitor<'w> {
    writer: Writer<'w>,
    empty: bool,
    result: fmt::Result,
}

/// Names and kinds for the collector, which repeat what the line says anyway.
const FOR_MACHINES: [&str; 7] = [
    "otel.",
    "rpc.system.",
    "db.system.",
    "url.scheme",
    "messaging.system",
    "messaging.operation.",
    "messaging.destination.",
];

fn is_for_machines(name: &str) -> bool {
    FOR_MACHINES.iter().any(|beginning| name.starts_with(beginning))
}

impl Visitor<'_> {
    fn write(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        if self.result.is_err() || is_for_machines(field.name()) {
            return;
        }
        let space = if std::mem::replace(&mut self.empty, false) { "" } else { " " };
        self.result = match field.name() {
            "message" => write!(self.writer, "{space}{value}"),
            name => write!(self.writer, "{space}{name}={value}"),
        };
    }
}

impl Visit for Visitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        // Debug form only where the text would otherwise blur into its surroundings.
        if field.name() == "message" || value.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.write(field, format_args!("{value}"));
        } else {
            self.write(field, format_args!("{value:?}"));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.write(field, format_args!("{value:?}"));
    }
}
