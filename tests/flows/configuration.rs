//! Configuration as an operator meets it: every fault is named, and nothing starts with one.

use crate::harness::{operator, programs::PROGRAMS, stack};

/// CRD-10: a program with unknown keys and bad values does not start, and names all of them at once.
#[tokio::test]
async fn every_fault_of_a_configuration_is_named_and_nothing_starts() {
    let faults = [
        ("TRATO_SERVER__COLOUR", "red", "server.colour"),
        ("TRATO_SERVER__MAX_MESSAGE_BYTES", "12", "server.max_message_bytes"),
        ("TRATO_TELEMETRY__SAMPLING_RATIO", "2.5", "telemetry.sampling_ratio"),
        ("TRATO_AUTH__LEEWAY_SECONDS", "600", "auth.leeway_seconds"),
        ("TRATO_NOWHERE__KEY", "1", "nowhere"),
    ];
    let variables: Vec<(&str, &str)> = faults.iter().map(|(name, value, _)| (*name, *value)).collect();
    for program in PROGRAMS {
        for command in ["check-config", "serve"] {
            let said = operator::run_with(stack::shared(), program, &[command], &variables).await;
            assert_eq!(said.code, Some(64), "{program} {command}: {}{}", said.output, said.errors);
            for (_, _, key) in faults {
                let named = said.errors.contains(key) || said.output.contains(key);
                assert!(named, "{program} {command} does not name {key}:\n{}{}", said.output, said.errors);
            }
        }
    }
}

/// CRD-10: a good configuration is confirmed, and shown with where each value came from and without its secrets.
#[tokio::test]
async fn a_configuration_is_shown_with_its_sources_and_without_its_secrets() {
    let facts = stack::shared();
    for program in PROGRAMS {
        let checked = operator::run(facts, program, &["check-config"]).await;
        assert_eq!(checked.code, Some(0), "{program}: {}{}", checked.output, checked.errors);
        let variables = [("TRATO_SERVER__DRAIN_SECONDS", "7")];
        let shown = operator::run_with(facts, program, &["print-config"], &variables).await;
        assert_eq!(shown.code, Some(0), "{program}: {}{}", shown.output, shown.errors);
        let drain = shown.output.lines().find(|line| line.contains("drain_seconds")).unwrap_or_default();
        assert!(drain.contains('7') && drain.contains("TRATO_SERVER__DRAIN_SECONDS"), "{program}: {drain:?}");
        let passwords = facts.databases.get(program).into_iter().flat_map(|database| {
            [&database.url, &database.system_url, &database.owner_url].map(|url| {
                url.split('@').next().and_then(|login| login.rsplit(':').next()).unwrap_or_default()
            })
        });
        for password in passwords {
            assert!(!password.is_empty() && !shown.output.contains(password), "{program} shows a password");
        }
    }
}

/// CRD-10: what stands in a file is overridden by a variable, and what stands in neither is the default.
#[tokio::test]
async fn a_variable_wins_over_the_file_and_the_file_over_the_default() {
    let facts = stack::shared();
    let shown = operator::run(facts, "sales", &["print-config"]).await;
    let line =
        |key: &str| shown.output.lines().find(|line| line.contains(key)).unwrap_or_default().to_owned();
    assert!(line("leeway_seconds").contains("30"), "the default: {}", line("leeway_seconds"));
    assert!(shown.output.contains(&facts.issuer.url), "the file: {}", shown.output);
    assert!(
        line("system_url").contains("TRATO_DATABASE__SYSTEM_URL"),
        "the variable: {}",
        line("system_url")
    );
}
