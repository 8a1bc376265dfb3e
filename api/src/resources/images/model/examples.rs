//! One image as examples show it, the same in every answer.
use super::{Attestation, Image, ImageDetail, Sbom, SlsaEvidence, Tag, artifact};
use crate::http::examples;
use crate::http::time;
use poem_openapi::types::Example;
use store::read::images::ImageRow;

fn example_digest(digit: char) -> String {
    format!("sha256:{}", digit.to_string().repeat(64))
}

impl Example for Image {
    fn example() -> Self {
        let row = ImageRow {
            id: 7,
            name: examples::IMAGE.to_owned(),
            description: "A web server".to_owned(),
            base: Some("base-1".to_owned()),
            tenant_namespace: "catalogue".to_owned(),
            created_at: time::example(-168).datetime(),
            end_of_life_at: None,
            version: Some(5),
            digest: Some(example_digest('a')),
            published_at: Some(time::example(2).datetime()),
            slsa_level: Some(3),
            packages: Some(61),
            base_digest: Some(example_digest('b')),
            critical: 1,
            high: 3,
            medium: 12,
            low: 0,
            scan: Some(store::read::scans::ScanState::Complete),
            scanned_at: Some(time::example(4).datetime()),
        };
        Image::new(row, time::example(6))
    }
}

impl Example for ImageDetail {
    fn example() -> Self {
        ImageDetail {
            image: Image::example(),
            tags: vec![Tag { tag: "latest".to_owned(), version: 5, digest: example_digest('a') }],
            sboms: vec![Sbom::example()],
            attestations: vec![Attestation::example()],
            slsa: Some(SlsaEvidence::example()),
            provenance_href: Some(artifact(&"f".repeat(64))),
            as_of: time::example(6),
            settled: true,
        }
    }
}
