//! Layers, faults and what is printed of a configuration.

use std::path::Path;

use serde::Deserialize;

use super::*;

const SERVICE: &str = r#"
[server]
max_concurrency = 64

[import]
# Rows of one page.
page = 100
token = ""
"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Import {
    page: u32,
    #[expect(dead_code, reason = "only shown, never used")]
    token: String,
}

impl Section for Import {
    const NAME: &'static str = "import";
    const SECRETS: &'static [&'static str] = &["token"];

    fn check(&self, check: &mut Checker<'_>) {
        check.range("page", self.page, 1..=1000);
    }
}

fn loader() -> Loader {
    Loader::new(SERVICE).section::<Import>()
}

fn variables(pairs: &[(&str, &str)]) -> Environment {
    Environment::of(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

/// A file that goes when the test does.
struct TempFile(std::path::PathBuf);

impl Drop for TempFile {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own cleaning.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl std::ops::Deref for TempFile {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

fn file(name: &str, text: &str) -> TempFile {
    let path = std::env::temp_dir().join(format!("trato-config-{}-{name}.toml", std::process::id()));
    std::fs::write(&path, text).expect("the temporary folder takes files");
    TempFile(path)
}

fn with_file(path: &Path, pairs: &[(&str, &str)]) -> Environment {
    let mut environment = variables(pairs);
    environment.file = Some(path.to_owned());
    environment
}

fn faults(loader: &Loader, environment: &Environment) -> Vec<String> {
    match loader.load(environment) {
        Ok(_) => Vec::new(),
        Err(ConfigFaults(faults)) => faults.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn the_later_layer_wins() {
    let path =
        file("layers", "[server]\ndrain_seconds = 7\nrequest_timeout_seconds = 9\n[import]\npage = 5\n");
    let environment = with_file(&path, &[("TRATO_SERVER__REQUEST_TIMEOUT_SECONDS", "11")]);

    let loaded = loader().load(&environment).expect("no faults");

    assert_eq!(loaded.settings.server.keepalive_seconds, 30, "platform default");
    assert_eq!(loaded.settings.server.max_concurrency, 64, "service default");
    assert_eq!(loaded.settings.server.drain_seconds, 7, "file");
    assert_eq!(loaded.settings.server.request_timeout().as_secs(), 11, "variable");
    assert_eq!(loaded.section::<Import>().expect("declared").page, 5);
}

/// CRD-10: every fault of every layer is named at once, each with where it stands and what would be right.
#[test]
fn every_fault_is_named_at_once() {
    let path = file(
        "faults",
        r#"
[server]
lisetn = "127.0.0.1:1"
drain_seconds = "soon"
keepalive_seconds = 4000

[telemetry]
log_format = "xml"
log_filter = "=="

[auth]
issuers = [
  { url = "http://id.example.com", audeince = "trato", algorithms = ["HS256"], tenants = { acme = "no-uuid" } },
]

[datbase]
url = "x"
"#,
    );
    let environment = with_file(
        &path,
        &[
            ("TRATO_SERVER__LISTEN", "localhost"),
            ("TRATO_DATABASE_URL", "postgres://sales:secret@db/sales"),
            ("TRATO_BROKER__PREFETCH", "70000"),
            ("TRATO_BROKER__URL", "http://sales:secret@broker"),
            ("TRATO_DATABASE__MIN_CONNECTIONS", "17"),
            ("TRATO_IMPORT__PAGE", "0"),
        ],
    );

    let found = faults(&loader().require("database.url"), &environment);

    let file = format!("(file {})", path.display());
    let expected = [
        format!("auth.issuers[0].algorithms {file}: must list some of ES256"),
        "auth.issuers[0].audience (not set): must be set".to_owned(),
        format!("auth.issuers[0].audeince {file}: is not a setting; did you mean audience?"),
        format!("auth.issuers[0].tenants.acme {file}: UUID parsing failed"),
        format!("auth.issuers[0].url {file}: must be an https address"),
        "broker.prefetch (variable TRATO_BROKER__PREFETCH): must be an unsigned 16 bit integer".to_owned(),
        "broker.url (variable TRATO_BROKER__URL): must start with amqp://".to_owned(),
        "database.min_connections (variable TRATO_DATABASE__MIN_CONNECTIONS): must be from 0 to 16, not 17"
            .to_owned(),
        "database.url (not set): must be set, by the file or by the variable TRATO_DATABASE__URL".to_owned(),
        "database_url (variable TRATO_DATABASE_URL): is not a setting; did you mean TRATO_DATABASE__URL?"
            .to_owned(),
        format!("datbase {file}: is not a setting; did you mean database?"),
        "import.page (variable TRATO_IMPORT__PAGE): must be from 1 to 1000, not 0".to_owned(),
        format!("server.drain_seconds {file}: must be a whole number, not a text"),
        format!("server.keepalive_seconds {file}: must be from 1 to 3600, not 4000"),
        "server.listen (variable TRATO_SERVER__LISTEN): must be an address and port".to_owned(),
        format!("server.lisetn {file}: is not a setting; did you mean listen?"),
        format!("telemetry.log_filter {file}: is not a filter"),
        format!("telemetry.log_format {file}: must be text or json"),
    ];
    for expected in &expected {
        assert!(found.iter().any(|fault| fault.starts_with(expected)), "{expected}\nnot in {found:#?}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    assert!(!found.join("\n").contains("secret"), "{found:#?}");
}

/// CRD-10: a file that cannot be read or parsed stops the start as well.
#[test]
fn a_broken_file_is_a_fault() {
    let broken = file("broken", "[server\nlisten = 1");
    let missing = Path::new("/nowhere/trato.toml");

    assert!(faults(&loader(), &with_file(&broken, &[]))[0].contains("line 1"));
    assert!(faults(&loader(), &with_file(missing, &[]))[0].contains("/nowhere/trato.toml cannot be read"));
}

/// CRD-10: a service cannot ship a section that nobody reads, or change a platform key that does not exist.
#[test]
fn the_services_own_file_is_checked_too() {
    let found =
        faults(&Loader::new("[imprt]\npage = 1\n[server]\nport = 1").section::<Import>(), &variables(&[]));

    assert!(found.iter().any(|fault| fault.starts_with("imprt (service defaults): no part")), "{found:#?}");
    assert!(
        found.iter().any(|fault| fault.starts_with("server.port (service defaults): is not")),
        "{found:#?}"
    );
}

#[test]
fn variables_that_are_no_settings_are_left_alone() {
    let environment = variables(&[
        ("TRATO_STACK", "native"),
        ("TRATO_TEST_SEED", "7"),
        ("TRATO_SALES_SERVICE_HOST", "10.0.0.7"),
        ("TRATO_SALES_SERVICE_PORT_GRPC", "50051"),
        ("TRATO_SALES_PORT_50051_TCP_ADDR", "10.0.0.7"),
        ("PATH", "/bin"),
    ]);

    assert_eq!(faults(&loader(), &environment), Vec::<String>::new());
}

#[test]
fn lists_and_tables_can_be_given_as_variables() {
    let environment = variables(&[
        (
            "TRATO_AUTH__ISSUERS",
            r#"[{ url = "https://id.example.com", audience = "trato", tenants = { "a b" = "0192f0c1-0000-7000-8000-000000000001" } }]"#,
        ),
        ("TRATO_UPSTREAMS", r#"{ "trato.customers" = "http://127.0.0.1:1, http://127.0.0.1:2" }"#),
        ("TRATO_AUTH__CLAIMS__ROLES", "/realm_access/roles"),
    ]);

    let settings = loader().require("auth.issuers").load(&environment).expect("no faults").settings;

    assert_eq!(settings.auth.issuers[0].tenants.len(), 1);
    assert_eq!(settings.auth.claims.roles, "/realm_access/roles");
    assert_eq!(settings.upstreams.addresses("trato.customers").len(), 2);
    assert!(settings.upstreams.addresses("trato.sales").is_empty());
}

#[test]
fn what_is_printed_shows_origins_and_no_secret() {
    let path = file("print", "[database]\nurl = \"postgres://sales:hush@db/sales?password=hush\"\n");
    let environment = with_file(
        &path,
        &[("TRATO_IMPORT__TOKEN", "hush"), ("TRATO_BROKER__URL", "amqp://u:hu/sh@broker/%2f")],
    );

    let printed = loader().load(&environment).expect("no faults").print();

    assert!(!printed.contains("hu/sh") && !printed.contains("hush"), "{printed}");
    let line =
        |start: &str| printed.lines().find(|line| line.starts_with(start)).unwrap_or_default().to_owned();
    assert!(line("url = \"postgres://sales:***@db/sales\"").ends_with(&format!("# file {}", path.display())));
    assert!(line("token = \"***\"").ends_with("# variable TRATO_IMPORT__TOKEN"));
    assert!(line("max_concurrency = 64").ends_with("# service defaults"));
    assert!(line("keepalive_seconds = 30").ends_with("# platform defaults"));
    let again: toml::Table = printed.parse().expect("what is printed is TOML");
    assert_eq!(again["auth"]["claims"]["tenant"].as_str(), Some("tenant"));
}

/// The certificate of TLS, its key and its authority belong together, and are read before anything starts.
#[test]
fn halves_of_tls_and_files_that_cannot_be_read_are_named() {
    let wrong = |pairs: &[(&str, &str)]| faults(&loader(), &variables(pairs));

    let half = wrong(&[("TRATO_TLS__CERTIFICATE", "/nowhere/tls.crt")]);
    let unreadable = wrong(&[
        ("TRATO_TLS__CERTIFICATE", "/nowhere/tls.crt"),
        ("TRATO_TLS__KEY", "/nowhere/tls.key"),
        ("TRATO_TLS__AUTHORITY", "/nowhere/ca.crt"),
    ]);
    let bare = wrong(&[("TRATO_UPSTREAMS", "{ \"trato.customers\" = \"https://customers:50051\" }")]);

    assert_eq!(half.len(), 2, "{half:#?}");
    assert!(half[0].starts_with("tls.authority (platform defaults): must be set"), "{half:#?}");
    assert!(half[1].starts_with("tls.key (platform defaults): must be set"), "{half:#?}");
    assert_eq!(unreadable.len(), 1, "{unreadable:#?}");
    assert!(
        unreadable[0]
            .contains("tls.certificate (variable TRATO_TLS__CERTIFICATE): /nowhere/tls.crt cannot be read")
    );
    assert!(bare[0].starts_with("upstreams.trato.customers"), "{bare:#?}");
    assert!(bare[0].ends_with("https needs the certificate, key and authority of [tls]"), "{bare:#?}");
}
