//! What an operator does with `trato`: look after the installation, its tenants and its read models, and ask for help.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::Path,
};

use serde_json::{Value, json};
use tokio::process::Command;
use trato_devstack::Facts;
use uuid::Uuid;

use crate::harness::{
    eventually::{SOON, eventually},
    operator::{trato, trato_on},
    programs::{PROGRAMS, SERVICES},
    stack,
    tenant::Tenant,
    values::{list, name, text},
};

/// A folder of a test's own below the stack's.
fn folder(facts: &Facts, name: &str) -> std::path::PathBuf {
    facts.home.join(format!("{name}-{}", Uuid::new_v4().simple()))
}

/// Names of what the doctor found in a service.
fn findings(examination: &Value, service: &str) -> Vec<String> {
    let found = list(&examination["services"][service], "findings");
    found.iter().map(|finding| text(finding, "name").to_owned()).collect()
}

/// The same state in every service.
fn in_all_services(state: &str) -> Value {
    json!(SERVICES.map(|service| (service, state)).into_iter().collect::<BTreeMap<_, _>>())
}

fn copy(from: &Path, to: &Path) {
    for service in fs::read_dir(from).expect("an installation").flatten() {
        let folder = to.join(service.file_name());
        fs::create_dir_all(&folder).expect("made");
        for variable in fs::read_dir(service.path()).expect("a folder of a service").flatten() {
            fs::copy(variable.path(), folder.join(variable.file_name())).expect("copied");
        }
    }
}

#[tokio::test]
async fn the_doctor_finds_no_fault_in_an_installation_that_has_none() {
    let said = trato(stack::shared(), &["doctor", "--json"]).await;

    assert_eq!(said.code, Some(0), "{}{}", said.output, said.errors);
    let examination = said.json();
    for service in PROGRAMS {
        assert_eq!(text(&examination["services"][service], "version"), env!("CARGO_PKG_VERSION"));
    }
    assert!(examination["services"]["sales"]["facts"]["numbered"].is_i64(), "{examination:#}");
}

#[tokio::test]
async fn the_doctor_says_in_words_what_is_wrong() {
    let facts = stack::shared();
    let broken = folder(facts, "broken");
    copy(&facts.home.join("installation"), &broken);
    let set = |service: &str, variable: &str, value: &str| {
        fs::write(broken.join(service).join(variable), value).expect("written");
    };
    let superuser = facts.postgres.superuser_url.rsplit_once('/').expect("the database stands last").0;
    set("customers", "TRATO_DATABASE__SYSTEM_URL", &format!("{superuser}/customers"));
    set("customers", "TRATO_BROKER__URL", "amqp://nobody:nothing@127.0.0.1:1");
    set("sales", "TRATO_SERVER__COLOUR", "red");
    set("gateway", "TRATO_UPSTREAMS", r#"{ "trato.sales" = "http://127.0.0.1:1" }"#);
    let alone = folder(facts, "alone");
    let path = fs::read_to_string(broken.join("billing").join("TRATO_CONFIG")).expect("where settings are");
    let settings = fs::read_to_string(path.trim()).expect("settings");
    let (without, _) = settings.split_once("[upstreams]").expect("billing asks others");
    fs::write(&alone, without).expect("written");
    set("billing", "TRATO_CONFIG", &alone.display().to_string());

    let said = trato_on(facts, &broken, &["doctor", "--json"]).await;

    assert_eq!(said.code, Some(3), "{}{}", said.output, said.errors);
    let examination: Value = serde_json::from_str(&said.output).expect("it answers in JSON");
    let customers = findings(&examination, "customers");
    for wanted in ["role-bypasses-row-security", "broker-unreachable"] {
        assert!(customers.iter().any(|name| name == wanted), "{customers:?}");
    }
    assert_eq!(findings(&examination, "sales"), ["configuration-faulty"]);
    let gateway = findings(&examination, "gateway");
    assert!(gateway.iter().any(|name| name == "upstream-unreachable"), "{examination:#}");
    let billing = findings(&examination, "billing");
    assert_eq!(billing.iter().filter(|name| *name == "upstream-not-set").count(), 2, "{billing:?}");
    let words = trato_on(facts, &broken, &["doctor"]).await.output;
    assert!(words.contains("FAULT in customers") && words.contains("server.colour"), "{words}");
    fs::remove_dir_all(&broken).expect("removed");
    fs::remove_file(&alone).expect("removed");
}

#[tokio::test]
async fn one_command_speaks_for_all_services_or_for_one() {
    let facts = stack::shared();

    let checked = trato(facts, &["check-config", "--json"]).await.json();
    let printed = trato(facts, &["print-config", "sales", "--json"]).await.json();
    let migrated = trato(facts, &["migrate", "sales"]).await;
    let unknown = trato(facts, &["migrate", "payments"]).await;

    assert_eq!(checked.as_object().map(serde_json::Map::len), Some(PROGRAMS.len()), "{checked}");
    assert!(text(&checked["gateway"], "answer").contains("fine"), "{checked}");
    let settings = &printed["sales"]["answer"];
    assert!(settings["server"]["drain_seconds"].is_i64(), "{printed}");
    let url = &facts.databases["sales"].url;
    let password = url.split(['/', ':', '@']).nth(4).expect("an address with a password");
    assert!(!password.is_empty() && !printed.to_string().contains(password), "a secret is shown: {printed}");
    assert!(migrated.output.contains("up to date"), "{migrated:?}");
    assert_eq!(unknown.code, Some(1));
    let (_, names) = unknown.errors.trim().rsplit_once("it has ").expect("it says what there is");
    assert_eq!(HashSet::from_iter(names.split(", ")), HashSet::from(PROGRAMS), "{names}");
    let letters = trato(facts, &["dead-letters", "list", "--json"]).await.json();
    assert!(letters["customers"]["answer"]["parked"].is_array(), "{letters}");
}

/// A suspended tenant is refused by every service within seconds, others are not, and it comes back.
#[tokio::test]
async fn a_suspended_tenant_is_refused_everywhere_until_it_is_let_in_again() {
    let (tenant, other) = (Tenant::fresh(), Tenant::fresh());
    let (director, neighbour) = (tenant.director(), other.director());
    let id = tenant.id.to_string();
    director.get("/v1/accounts").await.ok();

    trato(stack::shared(), &["tenant", "suspend", &id, "--json"]).await.json();

    let paths = ["/v1/accounts", "/v1/opportunities", "/v1/invoices"];
    for path in paths {
        let status = || async { director.get(path).await.status };
        eventually(SOON, "the tenant to be refused", status, |status| *status == 403).await;
        let refusal = director.get(path).await.refused_as("TENANT_SUSPENDED");
        assert_eq!(refusal.code, "PERMISSION_DENIED");
        neighbour.get(path).await.ok();
    }
    let listed = trato(stack::shared(), &["tenant", "list", "--json"]).await.json();
    assert_eq!(listed[&id]["states"], in_all_services("SUSPENDED"), "{listed}");

    trato(stack::shared(), &["tenant", "resume", &id, "--json"]).await.json();
    for path in paths {
        let status = || async { director.get(path).await.status };
        eventually(SOON, "the tenant to be let in", status, |status| *status == 200).await;
    }
}

#[tokio::test]
async fn a_tenant_is_registered_in_every_service_under_a_new_identifier() {
    let made =
        trato(stack::shared(), &["tenant", "create", "--display-name", "Initech", "--json"]).await.json();

    assert_eq!(text(&made, "claim"), "tenant");
    let listed = trato(stack::shared(), &["tenant", "list", "--json"]).await.json();
    let known = &listed[text(&made, "tenant")];
    assert_eq!((text(known, "display_name"), &known["registered"]), ("Initech", &json!(true)), "{listed}");
    assert_eq!(known["states"], in_all_services("ACTIVE"));
}

#[tokio::test]
async fn a_read_model_agrees_with_the_log_it_is_made_from() {
    let tenant = Tenant::fresh();
    let director = tenant.director();
    let account = name(&director.post("/v1/accounts", json!({ "displayName": "Compared" })).await.ok());
    let id = tenant.id.to_string();
    let arguments = ["projection", "compare", "project-accounts", "--tenant", &id, "--json"];

    let compared = || async {
        let said = trato(stack::shared(), &arguments).await;
        let found: Value = serde_json::from_str(&said.output).expect("it answers in JSON");
        (said.code, found[0]["stored_rows"].clone(), found[0]["expected_rows"].clone())
    };
    let agreed = (Some(0), json!(1), json!(1));
    eventually(SOON, "sales to know the account", compared, |found| *found == agreed).await;

    let tail =
        trato(stack::shared(), &["events", "tail", "customers", "--tenant", &id, "--json"]).await.json();
    assert_eq!((text(&tail, "subject"), text(&tail, "service")), (account.as_str(), "customers"));
}

/// What is sent to those who are asked for help holds settings and findings, no password and nobody's name.
#[tokio::test]
async fn a_support_bundle_holds_no_secret_and_no_data_of_tenants() {
    let tenant = Tenant::fresh();
    let facts = stack::shared();
    let person = json!({ "givenNames": "Perpetua", "surname": "Quillfeather", "displayName": "Perpetua Quillfeather" });
    tenant.director().post("/v1/accounts", json!({ "displayName": "Zanzibar Quills" })).await.ok();
    tenant.director().post("/v1/contacts", person).await.ok();
    let folder = folder(facts, "bundle");
    fs::create_dir_all(&folder).expect("made");
    let file = folder.join("bundle.tar.gz").display().to_string();

    trato(facts, &["support-bundle", "--to", &file, "--json"]).await.json();

    let unpacked = Command::new("tar").args(["-xzOf", &file]).output().await.expect("tar is there");
    assert!(unpacked.status.success());
    let content = String::from_utf8(unpacked.stdout).expect("it holds text");
    for wanted in ["drain_seconds", "TRATO_DATABASE__URL", "clock_difference_seconds"] {
        assert!(content.contains(wanted), "{wanted} is not in the bundle");
    }
    let mut secrets = vec!["Zanzibar".to_owned(), "Quillfeather".to_owned(), "Perpetua".to_owned()];
    let databases = facts.databases.values();
    let addresses =
        databases.flat_map(|known| [&known.url, &known.system_url, &known.owner_url, &known.backup_url]);
    for address in addresses.chain([&facts.broker.url]) {
        let login = address.split_once("://").and_then(|(_, rest)| rest.split_once('@')).expect("a login").0;
        secrets.push(login.split_once(':').expect("a password").1.to_owned());
    }
    for secret in secrets {
        assert!(!content.contains(&secret), "the bundle holds {secret}");
    }
    fs::remove_dir_all(&folder).expect("removed");
}

#[tokio::test]
async fn a_support_bundle_leaves_a_place_without_disks_by_standard_output() {
    let trato = stack::shared().programs.join("trato");
    let mut command = Command::new(trato);
    command.env("TRATO_INSTALLATION", stack::shared().home.join("installation"));

    let said = command.args(["support-bundle", "--to", "-"]).output().await.expect("the programs are built");

    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let list = String::from_utf8_lossy(&said.stderr);
    assert!(list.contains("doctor.txt"), "{list}");
    let folder = folder(stack::shared(), "bundle-by-output");
    fs::create_dir_all(&folder).expect("made");
    let file = folder.join("bundle.tar.gz");
    fs::write(&file, &said.stdout).expect("written");
    let listed = Command::new("tar").arg("-tzf").arg(&file).output().await.expect("tar is there");
    let listed = String::from_utf8(listed.stdout).expect("names");
    assert!(listed.contains("trato-support/doctor.json"), "{listed}");
    fs::remove_dir_all(&folder).expect("removed");
}

#[tokio::test]
async fn a_read_model_that_keeps_history_is_not_made_anew_by_accident() {
    let said = trato(stack::shared(), &["projection", "rebuild", "extend-timeline"]).await;

    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.errors.contains("--lose-history"), "{said:?}");
}
