//! Which request leads where, and what is refused at start.

use http::Method;
use trato_gateway::{
    routes::{Route, Routes},
    schema::Schema,
};

use crate::contract::{ROUTES, pool_with};

/// Name of the method and the captures.
fn find(verb: Method, path: &str) -> Option<(&'static str, Vec<String>)> {
    match ROUTES.find(&verb, path) {
        Route::Found(binding, captures) => {
            Some((&*ROUTES.method_of(binding).name, captures.into_iter().map(Into::into).collect()))
        }
        _ => None,
    }
}

fn found(verb: Method, path: &str) -> (&'static str, Vec<String>) {
    find(verb, path).unwrap_or_else(|| panic!("{path} leads nowhere"))
}

#[test]
fn a_path_leads_to_the_method_whose_template_it_matches() {
    assert_eq!(found(Method::GET, "/v1/books/7"), ("GetBook", vec!["books/7".to_owned()]));
    assert_eq!(
        found(Method::GET, "/v1/shelves/1/books/7"),
        ("GetBook", vec!["shelves/1/books/7".to_owned()])
    );
    assert_eq!(found(Method::GET, "/v1/books"), ("ListBooks", vec![]));
    assert_eq!(found(Method::GET, "/v1/books:watch"), ("WatchBooks", vec![]));
    assert_eq!(found(Method::POST, "/v1/books/7:lend"), ("LendBook", vec!["books/7".to_owned()]));
    assert_eq!(found(Method::PATCH, "/v1/books/7"), ("UpdateBook", vec!["books/7".to_owned()]));
    assert_eq!(found(Method::GET, "/v1/files/a/b/c"), ("ReadFile", vec!["a/b/c".to_owned()]));
    assert_eq!(found(Method::GET, "/v1/files"), ("ReadFile", vec![String::new()]));
}

#[test]
fn head_is_answered_by_gets_binding() {
    assert_eq!(found(Method::HEAD, "/v1/books/7").0, "GetBook");
    assert!(find(Method::HEAD, "/v1/books/7:lend").is_none());
}

#[test]
fn captures_are_decoded_but_a_slash_inside_a_name_is_not() {
    assert_eq!(found(Method::GET, "/v1/books/a%20b%C3%A9%2Fc").1, ["books/a bé%2Fc"]);
    assert_eq!(found(Method::GET, "/v1/books/a:b").1, ["books/a:b"]);
    assert_eq!(found(Method::POST, "/v1/books/a:b:lend").1, ["books/a:b"]);
    for wrong in ["/v1/books/%", "/v1/books/%4", "/v1/books/%zz", "/v1/books/%ff"] {
        assert!(matches!(ROUTES.find(&Method::GET, wrong), Route::BadEncoding), "{wrong}");
    }
}

#[test]
fn a_path_with_other_methods_names_them() {
    let Route::OtherMethods(methods) = ROUTES.find(&Method::PUT, "/v1/books/7") else {
        panic!("it has no PUT")
    };

    assert_eq!(methods, [Method::DELETE, Method::GET, Method::HEAD, Method::OPTIONS, Method::PATCH]);
    assert!(matches!(ROUTES.find(&Method::GET, "/v1/magazines"), Route::NotFound));
    assert!(matches!(ROUTES.find(&Method::GET, "/v1/books/"), Route::NotFound));
}

fn errors(bindings: &str) -> String {
    let pool = pool_with(&format!(
        r#"
        syntax = "proto3";
        package single;
        import "google/api/annotations.proto";
        message Inner {{ string name = 1; }}
        message Asked {{ string name = 1; Inner inner = 2; repeated string names = 3; map<string, string> labels = 4; }}
        service Things {{ {bindings} }}
        "#
    ));
    let schema = Schema::new(&pool).expect("a schema");
    Routes::new(&pool, &schema).expect_err("the bindings are wrong").to_string()
}

fn rpc(name: &str, rule: &str) -> String {
    format!("rpc {name}(Asked) returns (Inner) {{ option (google.api.http) = {{ {rule} }}; }}\n")
}

#[test]
fn two_bindings_of_the_same_paths_are_refused_with_both_names() {
    let message =
        errors(&(rpc("A", r#"get: "/v1/{name=things/*}""#) + &rpc("B", r#"get: "/v1/things/{name}""#)));

    assert!(message.contains("GET /v1/{name=things/*} of /single.Things/A"), "{message}");
    assert!(message.contains("GET /v1/things/{name} of /single.Things/B"), "{message}");
}

#[test]
fn malformed_bindings_are_refused_all_at_once() {
    let cases = [
        (r#"get: "v1/things""#, "begin with a slash"),
        (r#"get: "/v1/{nam}""#, "no field \"nam\""),
        (r#"get: "/v1/{inner}""#, "is a message"),
        (r#"get: "/v1/{names}""#, "list or map"),
        (r#"get: "/v1/{name.x}""#, "no message"),
        (r#"get: "/v1/a" body: "*""#, "GET binding cannot have a body"),
        (r#"post: "/v1/b" body: "bodi""#, "no field \"bodi\""),
        (r#"get: "/v1/c" response_body: "x""#, "no field \"x\""),
        (r#"body: "*""#, "no HTTP method"),
        (r#"custom { kind: "A B" path: "/v1/d" }"#, "not an HTTP method"),
        (
            r#"get: "/v1/e" additional_bindings { get: "/v1/f" additional_bindings { get: "/v1/g" } }"#,
            "must not have additional bindings",
        ),
    ];
    let all: String =
        cases.iter().enumerate().map(|(index, (rule, _))| rpc(&format!("M{index}"), rule)).collect();
    let message = errors(&all);

    for (rule, problem) in cases {
        assert!(message.contains(problem), "{rule}: {message}");
    }
}

#[test]
fn a_method_that_takes_a_stream_cannot_be_bound() {
    let message = errors(
        r#"rpc A(stream Asked) returns (Inner) { option (google.api.http) = { post: "/v1/a" body: "*" }; }"#,
    );

    assert!(message.contains("takes a stream"), "{message}");
}
