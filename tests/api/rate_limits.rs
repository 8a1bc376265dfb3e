//! Rate limits: per key, and per address where no key is needed, behind a proxy or not.
use crate::support::{Answer, Api, Content};
use api::auth::{ApiKey, Role};
use api::{Limits, Settings};
use reqwest::Method;
use serde_json::json;
use std::num::NonZeroU32;
use std::time::Duration;

/// One a second, and so four at once.
fn slow() -> Limits {
    let one = NonZeroU32::MIN;
    Limits { requests_per_second: one, anonymous_per_second: one, ..Limits::default() }
}

async fn started(name: &str, behind_proxy: bool) -> Api {
    let settings = Settings { limits: slow(), behind_proxy, ..Settings::default() };
    Api::start_with_settings(name, Content::World, settings).await
}

#[tokio::test]
async fn each_key_has_its_own_rate_limit() {
    let api = started("rates_keys", false).await;
    let eager = api.sign_in(Role::Viewer, None).await;
    let other = api.sign_in(Role::Viewer, None).await;
    let mut served = 0;
    let refused = loop {
        let answer = api.get_as(&eager, "/v1/images").await;
        if answer.status == 429 {
            break answer;
        }
        assert_eq!(answer.status, 200);
        served += 1;
        assert!(served < 50, "no request is refused");
    };
    assert!(served >= 4, "{served} were served at once");
    refused.problem(429, "rate_limited");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    assert_eq!(api.get_as(&other, "/v1/images").await.status, 200, "another key is not slowed");
    // Whoever waits as long as was said is served.
    tokio::time::sleep(Duration::from_secs(wait)).await;
    assert_eq!(api.get_as(&eager, "/v1/images").await.status, 200);
}

/// Tries wrong keys with these `X-Forwarded-For`, until one is told to wait; none: all were let in.
async fn refused_after(api: &Api, forwarded: impl Fn(usize) -> Vec<String>) -> Option<usize> {
    let guess = ApiKey::generate().unwrap().reveal();
    for tried in 0..12 {
        let mut request =
            api.anonymous(Method::POST, "/v1/auth/token").json(&json!({"api_key": guess}));
        for line in forwarded(tried) {
            request = request.header("X-Forwarded-For", line);
        }
        let answer = Answer::of(request.send().await.unwrap()).await;
        match answer.status.as_u16() {
            429 => return Some(tried),
            _ => drop(answer.problem(401, "invalid_api_key")),
        }
    }
    None
}

#[tokio::test]
async fn the_last_forwarded_address_counts_behind_a_proxy() {
    let api = started("rates_proxy", true).await;
    // What stands before the last entry is whatever the client says.
    let lies = |tried| vec![format!("203.0.113.{tried}, 198.51.100.1")];
    assert!(refused_after(&api, lies).await.is_some(), "a client makes up addresses");
    let others = |_| vec!["198.51.100.2".to_owned()];
    assert!(refused_after(&api, others).await.is_some_and(|tried| tried >= 4), "it begins anew");
    // Also when the proxy adds a line of its own below the client's.
    let lines = |tried| vec![format!("203.0.113.{tried}"), "198.51.100.3".to_owned()];
    assert!(refused_after(&api, lines).await.is_some(), "a client makes up a line");
    let many = |tried| vec![format!("198.51.100.{}", 100 + tried)];
    assert_eq!(refused_after(&api, many).await, None, "they are twelve");
    // Who has one address of IPv6 has 2^64 of them; and an IPv4 address has two forms.
    let network = |tried| vec![format!("2001:db8:1:2:{tried}::1")];
    assert!(refused_after(&api, network).await.is_some(), "one network makes up addresses");
    let others = |tried| vec![format!("2001:db8:1:{}::1", 10 + tried)];
    assert_eq!(refused_after(&api, others).await, None, "they are twelve networks");
    let forms = |tried: usize| vec![["", "::ffff:"][tried % 2].to_owned() + "198.51.100.4"];
    assert!(refused_after(&api, forms).await.is_some_and(|tried| tried < 8), "they are one");
    // A word that is no address is the proxy's own request.
    let words = |tried| vec![format!("unknown-{tried}")];
    assert!(refused_after(&api, words).await.is_some());
}

#[tokio::test]
async fn forwarded_addresses_are_ignored_without_a_proxy() {
    let api = started("rates_no_proxy", false).await;
    let lies = |tried| vec![format!("198.51.100.{tried}")];
    assert!(refused_after(&api, lies).await.is_some());
}
