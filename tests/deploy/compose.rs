//! docker-compose.yml: valid by the schema of the Compose Specification, without a secret, with
//! commands that the program understands.
use crate::file;
use crate::support::{said, wavetank};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The compose file, its anchors and merge keys resolved.
pub(crate) fn compose() -> Value {
    let output = python(
        "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)",
        &file("docker-compose.yml"),
    );
    serde_json::from_str(&output).expect("JSON")
}

/// What a Python program prints, run with the validators that scripts/setup.sh installs.
fn python(program: &str, input: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("target/interop-venv/bin/python");
    let mut child = Command::new(python)
        .args(["-c", program])
        .current_dir(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the validators are there (scripts/setup.sh)");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn the_compose_file_is_valid() {
    let judged = python(
        "import json, sys, jsonschema
schema = json.load(open('tests/deploy/schemas/compose/compose-spec.json'))
checker = jsonschema.validators.validator_for(schema)
checker.check_schema(schema)
compose = json.load(sys.stdin)
for error in checker(schema).iter_errors(compose):
    print('/'.join(map(str, error.absolute_path)), error.message)
del compose['services']['api']['image']
compose['services']['api']['comand'] = []
print(len(list(checker(schema).iter_errors(compose))))",
        &compose().to_string(),
    );
    // Nothing is wrong with it; and a misspelled word would be found.
    assert_eq!(judged.trim(), "1", "{judged}");
}

fn services(compose: &Value) -> impl Iterator<Item = (&String, &Value)> {
    compose["services"].as_object().expect("services").iter()
}

#[test]
fn the_compose_file_contains_no_secret() {
    let text = file("docker-compose.yml");
    for word in ["PASSWORD", "SECRET_KEY", "TOKEN_KEY", "postgres://"] {
        assert!(!text.contains(word), "{word}");
    }
    let ignored = file(".gitignore");
    assert!(ignored.lines().any(|line| line == "/deploy/secrets"));
    for (name, service) in services(&compose()) {
        for path in service["env_file"].as_array().into_iter().flatten() {
            let path = path.as_str().expect("a path");
            assert!(path.starts_with("deploy/secrets/"), "{name}: {path}");
        }
    }
}

#[test]
fn the_secrets_are_created_once_and_private() {
    use std::os::unix::fs::PermissionsExt;
    let place = tempfile::tempdir().expect("a directory");
    let script = place.path().join("secrets.sh");
    std::fs::write(&script, file("deploy/secrets.sh")).expect("written");
    let run = || {
        let output = Command::new("bash").arg(&script).output().expect("bash runs");
        assert!(output.status.success(), "{}", said(&output));
    };
    run();
    let secrets = place.path().join("secrets");
    let names: BTreeSet<String> = services(&compose())
        .flat_map(|(_, service)| service["env_file"].as_array().cloned().unwrap_or_default())
        .map(|path| path.as_str().expect("a path").replace("deploy/secrets/", ""))
        .collect();
    let mut before = String::new();
    for name in &names {
        let path = secrets.join(name);
        let mode = std::fs::metadata(&path).expect("made").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} can be read by others");
        before += &std::fs::read_to_string(&path).expect("text");
    }
    let token = before.lines().find_map(|line| line.strip_prefix("WAVETANK_TOKEN_KEY="));
    assert_eq!(token.map(str::len), Some(64), "{before}");
    run();
    let after: String =
        names.iter().map(|n| std::fs::read_to_string(secrets.join(n)).expect("text")).collect();
    assert_eq!(before, after);
}

#[test]
fn the_compose_commands_are_understood() {
    let compose = compose();
    let mut seen = BTreeSet::new();
    for (name, service) in services(&compose) {
        if service["image"].as_str().is_some_and(|image| image.contains("wavetank:local")) {
            let words = service["command"].as_array().expect("a command");
            let words: Vec<&str> = words.iter().map(|word| word.as_str().expect("text")).collect();
            let output = wavetank().args(&words).arg("--help").output().expect("it runs");
            assert!(output.status.success(), "{name}: {}", said(&output));
            seen.insert(words[0].to_owned());
        }
        let test = service["healthcheck"]["test"].as_array();
        if let Some(["CMD", "wavetank", rest @ ..]) =
            test.map(|t| t.iter().filter_map(Value::as_str).collect::<Vec<_>>()).as_deref()
        {
            let output = wavetank().args(rest).arg("--help").output().expect("it runs");
            assert!(output.status.success(), "{name}: {}", said(&output));
        }
    }
    let wanted = ["conduct", "migrate", "probe", "serve", "worker"];
    assert_eq!(seen, wanted.map(str::to_owned).into());
}

#[test]
fn services_are_pinned_health_checked_and_unprivileged() {
    let compose = compose();
    let ends = ["migrate", "storage"];
    for (name, service) in services(&compose) {
        let image = service["image"].as_str().expect("an image");
        assert!(!image.ends_with(":latest"), "{name}: {image}");
        let watched = service["healthcheck"]["test"].is_array();
        // The object store's image has nothing to ask with; `storage` waits for it.
        assert!(watched || ends.contains(&name.as_str()) || name == "minio", "{name}");
        let options = service["security_opt"].to_string();
        assert!(options.contains("no-new-privileges:true"), "{name}");
        if name != "postgres" {
            assert_eq!(service["cap_drop"], serde_json::json!(["ALL"]), "{name}");
            assert_eq!(service["read_only"], true, "{name}");
        }
        assert_eq!(service["ports"].is_array(), name == "nginx", "{name}");
    }
    assert_eq!(compose["services"]["worker"]["deploy"]["replicas"], 2);
    assert_eq!(compose["networks"]["inside"]["internal"], true);
    let port = compose["services"]["nginx"]["ports"][0].as_str().expect("a port");
    assert!(port.starts_with("${WAVETANK_BIND:-127.0.0.1}:"), "open to this machine alone: {port}");
}
