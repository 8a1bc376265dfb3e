//! Writes one of every document into a directory, so that other tools can judge them:
//! `cargo run -p documents --example samples -- DIR [COMPONENTS]`.
#![expect(
    clippy::disallowed_methods,
    reason = "it writes files and reads arguments; the crate itself does not"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use documents::osv::{Advisory, AffectedPackage};
use documents::provenance::{self, Build, Source};
use documents::{Distribution, Timestamp, Trigger, cyclonedx, oci, osv, sample, spdx};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().ok_or("usage: samples DIR [COMPONENTS]")?);
    let count = arguments.next().map_or(Ok(60), |text| text.parse())?;
    fs::create_dir_all(&directory)?;
    let contents = sample::contents(count);
    let subject = sample::subject(&contents)?;
    fs::write(directory.join("image.spdx.json"), spdx::document(&subject)?)?;
    fs::write(directory.join("image.cdx.json"), cyclonedx::document(&subject)?)?;
    layout(&directory.join("oci"), &contents)?;
    let digest = subject.digest;
    let triggers = [
        Trigger::Upstream { package: "zlib".into(), revision: "1.3.1-r1".into() },
        Trigger::Manual { requested_by: "ada".into() },
        Trigger::Cron { schedule: "0 2 * * *".into() },
        Trigger::CveFix { advisory: "CVE-2026-1000001".into() },
        Trigger::BaseChange { digest },
        Trigger::Bootstrap,
    ];
    for (index, trigger) in triggers.iter().enumerate() {
        let statement = provenance::statement(&Build {
            contents: &contents,
            digest,
            trigger,
            builder_id: &provenance::builder_id("builder-2"),
            source: Source {
                uri: "git+https://git.wavetank.example/images/harbor-web",
                commit: "0123456789abcdef0123456789abcdef01234567",
            },
            invocation_id: &format!("build-{index}"),
            started: Timestamp::from_ms(1_767_578_000_000)?,
            finished: subject.created,
            extra_parameters: &BTreeMap::new(),
        })?;
        fs::write(directory.join(format!("provenance-{index}.json")), statement)?;
    }
    let record = osv::record(&advisory()?, Distribution::Alpine)?;
    fs::write(directory.join("CVE-2026-1000001.osv.json"), record)?;
    Ok(())
}

fn layout(directory: &Path, contents: &documents::ImageContents) -> Result<(), Box<dyn Error>> {
    let image = oci::image(contents)?;
    let blobs = directory.join("blobs/sha256");
    fs::create_dir_all(&blobs)?;
    for blob in image.blobs() {
        fs::write(blobs.join(blob.digest.hex()), &blob.bytes)?;
    }
    fs::write(directory.join("oci-layout"), oci::LAYOUT_FILE)?;
    fs::write(
        directory.join("index.json"),
        oci::layout_index(&contents.version, &image.manifest.bytes)?,
    )?;
    Ok(())
}

fn advisory() -> Result<Advisory, documents::Error> {
    let affected = |name: &str, introduced: &str, fixed: Option<&str>| AffectedPackage {
        name: name.into(),
        introduced: introduced.into(),
        fixed: fixed.map(Into::into),
    };
    Ok(Advisory {
        id: "CVE-2026-1000001".into(),
        summary: "Out-of-bounds write in libstdc++".into(),
        details: "A crafted input makes the simulated library write out of bounds.".into(),
        cvss_vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into(),
        published: Timestamp::from_ms(1_767_578_400_000)?,
        modified: Timestamp::from_ms(1_767_578_400_500)?,
        affected: vec![
            affected("libstdc++", "0", Some("1.9.0-r1")),
            affected("keel", "1.2.0-r0", None),
        ],
    })
}
