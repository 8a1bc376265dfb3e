//! The specification and Swagger UI.
use crate::support::Api;
use serde_json::Value;
use wavetank::api::openapi_json;

#[test]
fn the_stored_specification_is_not_stale() {
    let stored = include_str!("../../openapi/wavetank.json");
    assert!(
        stored == openapi_json(),
        "openapi/wavetank.json is stale: run `cargo run -- openapi > openapi/wavetank.json`"
    );
    assert_eq!(openapi_json(), openapi_json());
}

#[test]
fn every_operation_is_described_and_says_how_it_fails() {
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    let mut ids = std::collections::BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = format!("{method} {path}");
            assert!(ids.insert(operation["operationId"].as_str().expect(&name).to_owned()));
            assert!(!operation["summary"].as_str().expect(&name).is_empty());
            assert_eq!(operation["tags"].as_array().expect(&name).len(), 1);
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let described = parameter["description"].as_str().is_some();
                assert!(described, "{name}: {}", parameter["name"]);
            }
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.contains_key("500"), "{name} can fail");
            for (status, response) in responses {
                assert!(response["headers"]["X-REQUEST-ID"].is_object(), "{name} {status}");
                if status.as_str() >= "400" {
                    let problem = &response["content"]["application/problem+json"];
                    assert_eq!(problem["schema"]["$ref"], "#/components/schemas/Problem");
                    assert!(!problem["examples"].as_object().expect(&name).is_empty());
                }
            }
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            let plain = property.get("$ref").is_some() || property["description"].is_string();
            let inline = property["allOf"].is_array();
            assert!(plain || inline, "{name}.{field} is not described");
        }
    }
}

#[tokio::test]
async fn swagger_ui_is_served_without_anything_from_elsewhere() {
    let api = Api::start("docs").await;
    let root = api.get("/").await;
    assert_eq!((root.status.as_u16(), root.header("location")), (303, "/ui/"));
    for path in ["/docs", "/docs/"] {
        let page = api.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.text.contains("/docs/swagger-ui.js") && !page.text.contains("http"));
        let policy = page.header("content-security-policy");
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe-eval"));
    }
    assert!(api.get("/docs/swagger-ui.js").await.text.contains("SwaggerUIBundle"));
    assert!(api.get("/docs/swagger-ui.css").await.header("content-type").starts_with("text/css"));
    assert!(api.get("/docs/start.js").await.text.contains("/openapi.json"));
    assert_eq!(api.get("/openapi.json").await.text, openapi_json());
}
