//! Every instant in every answer has one form: of lists and single things, of refusals, of the
//! event stream, and of the examples in the specification.
use crate::conventions::operations;
use crate::support::instants::{instants, misshapen};
use crate::support::{Answer, Api};
use reqwest::Method;
use std::collections::BTreeMap;
use std::time::Duration;

#[tokio::test]
async fn every_answer_writes_instants_in_one_form() {
    let api = Api::start("instants").await;
    let (first, last): (Vec<_>, Vec<_>) =
        operations().into_iter().partition(|operation| operation.method != Method::DELETE);
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for operation in first.into_iter().chain(last) {
        let mut request = operation.request(&api, &operation.path);
        if let Some(body) = &operation.body {
            request = request.json(body);
        }
        let mut response = request.send().await.unwrap();
        let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap());
        let text = match kind.map(str::to_owned) {
            Some(kind) if kind.starts_with("text/event-stream") => {
                let chunk = tokio::time::timeout(Duration::from_secs(60), response.chunk()).await;
                let chunk = chunk.expect("an event comes").unwrap().unwrap();
                String::from_utf8_lossy(&chunk).into_owned()
            }
            Some(kind) if kind.contains("json") => Answer::of(response).await.text,
            // Logs have columns; tiles and documents are not of the API's making.
            _ => continue,
        };
        assert_eq!(misshapen(&text), [""; 0], "{}: {text}", operation.name);
        found.insert(operation.name.clone(), instants(&text).len());
    }
    let with_instants = found.values().filter(|count| **count > 0).count();
    assert!(with_instants > 50, "{with_instants} of {}: {found:?}", found.len());
    for name in ["watchEvents", "listNotifications", "getClock"] {
        assert!(found[name] > 0, "{name}: {found:?}");
    }
}

#[test]
fn every_example_of_the_specification_has_that_form() {
    let mut text = crate::operations::document().to_string();
    // The example of a build's log is a log.
    text = text.replace(".000Z INFO ", " INFO ");
    assert!(instants(&text).len() > 200);
    assert_eq!(misshapen(&text), [""; 0]);
}
