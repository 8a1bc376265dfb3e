#!/usr/bin/env bash
# A path that two resources share is written twice into the specification, and readers keep one.
#
# poem-openapi 5.1.16.
# Expected: an `OpenApiService` of two APIs, one with GET /orders and the other with POST /orders,
#   describes the path /orders with both operations, as it serves both.
# Behaviour: `spec` writes the key "/orders" twice into one JSON object. RFC 8259 leaves open what
#   readers make of that; serde_json, Python and JavaScript keep the last and say nothing, so that
#   the other operation is in no client, no documentation and no test made from the specification.
# Seen:
#   served: GET 200, POST 200
#   written: 2 times
#   read: ["post"]
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "orders"
version = "0.0.0"
edition = "2021"

[dependencies]
poem = { version = "=3.1.12", default-features = false, features = ["test"] }
poem-openapi = "=5.1.16"
serde_json = "1"
tokio = { version = "1", features = ["macros", "rt"] }
TOML
cat >src/main.rs <<'RUST'
use poem::Route;
use poem::test::TestClient;
use poem_openapi::{OpenApi, OpenApiService, payload::PlainText};

struct Read;
struct Write;

#[OpenApi]
impl Read {
    /// The last order.
    #[oai(path = "/orders", method = "get")]
    async fn last(&self) -> PlainText<&'static str> {
        PlainText("one")
    }
}

#[OpenApi]
impl Write {
    /// One more order.
    #[oai(path = "/orders", method = "post")]
    async fn add(&self) -> PlainText<&'static str> {
        PlainText("two")
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let service = OpenApiService::new((Read, Write), "Orders", "1");
    let text = service.spec();
    let client = TestClient::new(Route::new().nest("/", service));
    let get = client.get("/orders").send().await.0.status().as_u16();
    let post = client.post("/orders").send().await.0.status().as_u16();
    println!("served: GET {get}, POST {post}");
    println!("written: {} times", text.matches("\"/orders\":").count());
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let methods: Vec<&String> = document["paths"]["/orders"].as_object().unwrap().keys().collect();
    println!("read: {methods:?}");
}
RUST
cargo run --quiet | tee seen

diff - seen <<'SEEN'
served: GET 200, POST 200
written: 2 times
read: ["post"]
SEEN
