//! Generates the client from the committed specification.
use progenitor_impl::{GenerationSettings, Generator, InterfaceStyle};
use std::error::Error;
use std::path::Path;

const SPECIFICATION: &str = "../../../../openapi/wavetank.json";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={SPECIFICATION}");
    println!("cargo::rerun-if-changed=build.rs");
    let document: openapiv3::OpenAPI = serde_json::from_slice(&std::fs::read(SPECIFICATION)?)?;
    let mut settings = GenerationSettings::default();
    settings.with_interface(InterfaceStyle::Builder);
    let client = Generator::new(&settings).generate_tokens(&document)?.to_string();
    let to = std::env::var_os("OUT_DIR").ok_or("no OUT_DIR")?;
    std::fs::write(Path::new(&to).join("client.rs"), client)?;
    Ok(())
}
