//! Methods that are answered by a stream.

use std::collections::BTreeSet;

use crate::harness::dynamic::methods;

/// I4: streams are those of events and no others, since these end when their caller is barred: whoever reads the log for them watches for
/// it (decision 0025). A call of any other kind is over soon. A method that streams something else must end for callers who are barred,
/// as these do, before it is named here.
#[test]
fn only_events_are_streamed() {
    let methods = methods();
    let streams = methods.iter().filter(|method| method.is_server_streaming());
    let streams: BTreeSet<String> = streams.map(|method| method.full_name().to_owned()).collect();
    let expected = ["billing", "customers", "sales"].iter().flat_map(|service| {
        ["ReplayEvents", "SubscribeEvents"].map(|method| format!("trato.{service}.v1.EventService.{method}"))
    });
    let expected: BTreeSet<String> = expected.collect();

    assert_eq!(streams, expected);
    assert!(!methods.iter().any(|method| method.is_client_streaming()), "nor do clients stream");
}
