//! Clients that other people's generators make from the specification: each has every operation,
//! compiles, and calls a world.
use crate::support::{Background, data_dir, said, scenario, wavetank};
use crate::validators::python;
use futures::TryStreamExt;
use generated_client::types::{BuildTrigger, ImageStatus, Mode, Problem};
use generated_client::{ByteStream, Client, Error, SOURCE};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SPECIFICATION: &str = "openapi/wavetank.json";
const SOURCES: &str = "tests/interop/clients";
const TOOLS: &str = "target/client-tools";

#[tokio::test(flavor = "multi_thread")]
async fn generated_clients_have_every_operation_and_call_a_world() {
    let operations = operations();
    assert!(operations.len() >= 90, "{operations:?}");
    let python = generated_python(&operations);
    let typescript = generated_typescript(&operations);
    let missing: Vec<&String> = operations
        .iter()
        .filter(|id| !SOURCE.contains(&format!("pub fn {} (& self)", snake_case(id))))
        .collect();
    assert!(missing.is_empty(), "progenitor left out {missing:?}");

    let world = World::start().await;
    call_in_rust(&world).await;
    run(python.command().arg("calls.py").args([&world.base, &world.key]));
    run(Command::new("node")
        .current_dir(typescript.path())
        .arg("calls.js")
        .args([&world.base, &world.key]));
    assert!(world.demo.stop(), "the demo stops when it is asked to");
}

/// A demo that plays the smallest scenario.
pub(crate) struct World {
    pub(crate) base: String,
    pub(crate) key: String,
    client: Client,
    pub(crate) demo: Background,
    _data: TempDir,
}

impl World {
    pub(crate) async fn start() -> World {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let address = format!("127.0.0.1:{}", port.expect("a port").port());
        let base = format!("http://{address}");
        let data = data_dir();
        let mut command = wavetank();
        command.arg("demo").arg(scenario("classroom")).args(["--pace", "3600"]);
        command.args(["--listen", &address, "--data-dir"]).arg(data.path());
        let demo = Background::start(command);
        let until = Instant::now() + Duration::from_secs(120);
        loop {
            let keys = std::fs::read(data.path().join("demo-keys.json")).unwrap_or_default();
            let keys: Value = serde_json::from_slice(&keys).unwrap_or_default();
            if let Some(key) = keys["admin"].as_str()
                && let Some(client) = signed_in(&base, key).await
                && client.get_clock().send().await.is_ok_and(|clock| clock.mode == Mode::Live)
            {
                return World { base, key: key.to_owned(), client, demo, _data: data };
            }
            assert!(Instant::now() < until, "the demo does not begin to play");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The generated client with a token for the key; none while there is no server.
async fn signed_in(base: &str, key: &str) -> Option<Client> {
    let anonymous = Client::new(base);
    let token = anonymous.get_token().body_map(|body| body.api_key(key)).send().await.ok()?;
    let bearer = HeaderValue::from_str(&format!("Bearer {}", token.access_token)).ok()?;
    let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer)]);
    let client = reqwest::Client::builder().default_headers(headers).build().ok()?;
    Some(Client::new_with_client(base, client))
}

/// The calls of `calls.py` and `calls.ts`.
async fn call_in_rust(world: &World) {
    let client = &world.client;
    let page = client.list_images().status(ImageStatus::Active).page_size(2_u32).send().await;
    let page = page.expect("images");
    let image = &page.items[0];
    assert_eq!((page.items.len(), image.status), (2, ImageStatus::Active));

    let sboms = client.list_sboms().image(&image.name).as_of(page.as_of).send().await;
    let sbom = &sboms.expect("SBOMs").items[0];

    let document = client.get_artifact().sha256(&sbom.sha256).send().await.expect("a document");
    let document = collected(document.into_inner()).await;
    assert_eq!(hex::encode(Sha256::digest(document)), sbom.sha256);

    let build = client.build_image().body_map(|body| body.name(&*image.name)).send().await;
    let build = build.expect("a build");
    assert_eq!((&build.image, build.trigger), (&image.name, BuildTrigger::Manual));

    // To progenitor only application/json has a type: a problem comes as bytes.
    let problem = client.get_image().image("no-such-image").send().await;
    let Err(Error::ErrorResponse(problem)) = problem else { panic!("such an image") };
    let problem: Problem =
        serde_json::from_slice(&collected(problem.into_inner()).await).expect("a problem");
    assert_eq!((problem.status, &*problem.code), (404, "image_not_found"));
}

async fn collected(stream: ByteStream) -> Vec<u8> {
    let chunks: Vec<bytes::Bytes> = stream.into_inner().try_collect().await.expect("bytes");
    chunks.concat()
}

/// The names of all operations.
fn operations() -> Vec<String> {
    let text = std::fs::read(root().join(SPECIFICATION)).expect("the specification");
    let document: Value = serde_json::from_slice(&text).expect("JSON");
    let items = document["paths"].as_object().expect("paths").values();
    let operations = items.flat_map(|item| item.as_object().expect("operations").values());
    operations.map(|operation| operation["operationId"].as_str().expect("a name").into()).collect()
}

fn snake_case(camel_case: &str) -> String {
    let lower = |letter: char| match letter.is_ascii_uppercase() {
        true => format!("_{}", letter.to_ascii_lowercase()),
        false => letter.to_string(),
    };
    camel_case.chars().map(lower).collect()
}

/// A directory with the Python package and what calls it, checked by mypy.
fn generated_python(operations: &[String]) -> Generated {
    let generated = Generated::with(&["calls.py"]);
    let config = generated.path().join("config.yml");
    std::fs::write(config, "post_hooks: []\n").expect("a file");
    run(generated
        .command()
        .args(["-m", "openapi_python_client", "generate", "--fail-on-warning", "--meta", "none"])
        .args(["--config", "config.yml", "--output-path", "wavetank_client", "--path"])
        .arg(root().join(SPECIFICATION)));
    let api = generated.path().join("wavetank_client/api");
    let tags = std::fs::read_dir(api).expect("operations by tag").flatten();
    let modules = tags.filter(|tag| tag.path().is_dir()).flat_map(|tag| {
        let modules = std::fs::read_dir(tag.path()).expect("operations").flatten();
        modules.map(|module| module.path())
    });
    let modules: Vec<PathBuf> = modules.collect();
    for id in operations {
        let name = format!("{}.py", snake_case(id));
        let module = modules.iter().find(|path| path.ends_with(&name));
        let module = module.unwrap_or_else(|| panic!("openapi-python-client left out {id}"));
        let text = std::fs::read_to_string(module).expect("a module");
        assert!(!text.contains("-> Response[Any]"), "openapi-python-client has no type for {id}");
    }
    run(generated.command().args(["-m", "mypy", "--strict", "-p", "wavetank_client"]));
    run(generated.command().args(["-m", "mypy", "--strict", "calls.py"]));
    generated
}

/// A directory with the types and what calls through them, compiled.
fn generated_typescript(operations: &[String]) -> Generated {
    let tools = root().join(TOOLS);
    let pinned = std::fs::read(root().join(SOURCES).join("package-lock.json")).expect("a lock");
    assert!(
        std::fs::read(tools.join("package-lock.json")).ok() == Some(pinned),
        "the generator of TypeScript is not installed, or another is pinned by now: run \
         scripts/setup.sh"
    );
    let modules = tools.join("node_modules");
    let generated = Generated::with(&["calls.ts", "tsconfig.json", "package.json"]);
    std::os::unix::fs::symlink(&modules, generated.path().join("node_modules")).expect("a link");
    let types = generated.path().join("wavetank.d.ts");
    let specification = root().join(SPECIFICATION);
    run(Command::new(modules.join(".bin/openapi-typescript"))
        .arg(specification)
        .arg("--output")
        .arg(&types));
    let text = std::fs::read_to_string(types).expect("types");
    let of_operations = text.split("export interface operations {").nth(1).expect("operations");
    for id in operations {
        let is_there = of_operations.contains(&format!("\n    {id}: {{"));
        assert!(is_there, "openapi-typescript left out {id}");
    }
    run(Command::new(modules.join(".bin/tsc")).current_dir(generated.path()));
    generated
}

/// A directory for what is generated.
struct Generated(TempDir);

impl Generated {
    /// With some of our files in it.
    fn with(files: &[&str]) -> Generated {
        let generated = Generated(tempfile::tempdir().expect("a directory"));
        for file in files {
            let from = root().join(SOURCES).join(file);
            std::fs::copy(from, generated.path().join(file)).expect("a copy");
        }
        generated
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Python, in it.
    fn command(&self) -> Command {
        let mut command = Command::new(python(root()));
        command.current_dir(self.path()).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[track_caller]
pub(crate) fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?} failed:\n{}", said(&output));
}
