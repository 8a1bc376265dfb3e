//! The specification and Swagger UI.
use crate::operations;
use crate::support::Api;
use api::openapi_json;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

#[test]
fn the_stored_specification_is_up_to_date() {
    let stored = include_str!("../../openapi/wavetank.json");
    assert!(
        stored == operations::specification(),
        "openapi/wavetank.json is stale: run `cargo run -- openapi > openapi/wavetank.json`"
    );
    assert_eq!(operations::specification(), openapi_json(), "it is not always the same");
}

#[test]
fn every_operation_is_described_and_says_how_it_fails() {
    let document = operations::document();
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

/// What a reference stands for.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let Some(reference) = schema["$ref"].as_str() else { return schema };
    &document["components"]["schemas"][reference.rsplit('/').next().unwrap()]
}

fn has_example(document: &Value, media: &Value) -> bool {
    let several = media["examples"].as_object();
    let several = several.is_some_and(|all| all.values().any(|one| !one["value"].is_null()));
    let own = !resolved(document, &media["schema"])["example"].is_null();
    several || own || !media["example"].is_null()
}

#[test]
fn every_answer_body_and_required_parameter_has_an_example() {
    let document = operations::document();
    let mut lacking = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let mut check = |media: &Value, what: String| {
                if !has_example(&document, media) {
                    lacking.push(format!("{method} {path}: {what}"));
                }
            };
            for (status, response) in operation["responses"].as_object().unwrap() {
                for (kind, media) in response["content"].as_object().into_iter().flatten() {
                    check(media, format!("{status} {kind}"));
                }
            }
            for (kind, media) in
                operation["requestBody"]["content"].as_object().into_iter().flatten()
            {
                check(media, format!("body {kind}"));
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                // Some values exist only when another operation has given them.
                let given = parameter["x-example-from"]["operation"].is_string();
                if parameter["required"] == true && !given {
                    check(parameter, format!("parameter {}", parameter["name"]));
                }
            }
        }
    }
    assert!(lacking.is_empty(), "without an example:\n{}", lacking.join("\n"));
}

#[test]
fn every_page_has_a_total() {
    let document = operations::document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let pages = schemas.iter().filter(|(_, schema)| schema["properties"]["items"].is_object());
    let pages: Vec<_> =
        pages.filter(|(_, page)| page["properties"]["next_page_token"].is_object()).collect();
    assert!(pages.len() > 20, "{}", pages.len());
    for (name, page) in pages {
        let required = page["required"].as_array().unwrap();
        assert!(required.iter().any(|field| field == "total"), "{name} has no total");
    }
}

#[test]
fn an_independent_validator_accepts_the_specification() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = root.join("target/interop-venv/bin/openapi-spec-validator");
    assert!(program.exists(), "{} is missing: run scripts/setup.sh", program.display());
    let output = Command::new(program)
        .args(["--schema", "3.0", "--validation-errors", "all", "--subschema-errors", "all"])
        .arg(root.join("openapi/wavetank.json"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let warned = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("OK"), "{said}\n{warned}");
}

#[tokio::test]
async fn swagger_ui_is_served_without_third_party_resources() {
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
    assert_eq!(api.get("/openapi.json").await.text, operations::specification());
}
