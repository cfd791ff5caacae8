//! What telemetry records, and that it costs nothing when off.

use super::*;

#[test]
fn the_exporters_own_transport_is_never_exported() {
    let targets = without_transport(LevelFilter::INFO);

    assert!(targets.would_enable("trato_platform::rpc", &tracing::Level::INFO));
    for target in
        ["h2::client", "tonic::transport", "hyper_util::client", "opentelemetry_sdk", "tower::buffer"]
    {
        assert!(!targets.would_enable(target, &tracing::Level::ERROR), "{target}");
    }
}

/// Writes into memory instead of standard error.
#[derive(Clone, Default)]
struct Lines(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_text_line_says_what_people_need() {
    let lines = Lines::default();
    let writer = lines.clone();
    let layer =
        fmt::layer().with_writer(move || writer.clone()).with_ansi(false).without_time().fmt_fields(Plain);

    tracing::subscriber::with_default(Registry::default().with(layer), || {
        let span = tracing::info_span!(
            "rpc",
            otel.kind = "server",
            rpc.method = "a.B/C",
            trace_id = tracing::field::Empty
        );
        span.record("trace_id", "0af7");
        span.in_scope(|| tracing::warn!(reason = "BUSY", cause = "two words", "turned away"));
    });

    let text = String::from_utf8(lines.0.lock().expect("not poisoned").clone()).expect("text");
    assert!(text.contains("rpc{rpc.method=a.B/C trace_id=0af7}"), "{text}");
    assert!(text.ends_with("turned away reason=BUSY cause=\"two words\"\n"), "{text}");
}
