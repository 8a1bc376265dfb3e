//! One image as examples show it, the same in every answer.
use super::{
    Attestation, CheckName, EvidenceCheck, Image, ImageDetail, ImagePage, PROVENANCE, Sbom,
    SlsaEvidence, Tag, VersionPage, artifact,
};
use crate::api::time;
use poem_openapi::types::Example;
use store::read::images::ImageRow;
use store::read::versions::VersionRow;

fn example_digest(digit: char) -> String {
    format!("sha256:{}", digit.to_string().repeat(64))
}

impl Example for Image {
    fn example() -> Self {
        let row = ImageRow {
            id: 7,
            name: "nginx".to_owned(),
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
        };
        Image::new(row, time::example(6))
    }
}

impl Example for ImagePage {
    fn example() -> Self {
        ImagePage {
            items: vec![Image::example()],
            as_of: time::example(6),
            settled: true,
            next_page_token: Some("mB0F2kY1n9t7InYiOjF9".to_owned()),
        }
    }
}

impl Example for ImageDetail {
    fn example() -> Self {
        let sha256 = "c".repeat(64);
        ImageDetail {
            image: Image::example(),
            tags: vec![Tag { tag: "latest".to_owned(), version: 5, digest: example_digest('a') }],
            sboms: vec![Sbom {
                format: "spdx".to_owned(),
                spec_version: "2.3".to_owned(),
                components: 61,
                href: artifact(&sha256),
                sha256,
                bytes: 48_213,
            }],
            attestations: vec![Attestation {
                predicate_type: PROVENANCE.to_owned(),
                created_at: time::example(2),
                log_index: Some(1_207),
                sha256: Some("d".repeat(64)),
                bytes: Some(16_120),
                href: Some(artifact(&"d".repeat(64))),
                document_href: Some(artifact(&"f".repeat(64))),
            }],
            slsa: Some(SlsaEvidence {
                level: 3,
                assessed_at: time::example(2),
                checks: vec![EvidenceCheck {
                    check: CheckName::Builder,
                    passed: true,
                    detail: "https://wavetank.example/builders/builder-2 is granted level 3"
                        .to_owned(),
                }],
            }),
            provenance_href: Some(artifact(&"f".repeat(64))),
            as_of: time::example(6),
            settled: true,
        }
    }
}

impl Example for VersionPage {
    fn example() -> Self {
        let row = VersionRow {
            version: 5,
            digest: example_digest('a'),
            tags: vec!["latest".to_owned(), "1.27.3".to_owned()],
            published_at: time::example(2).datetime(),
            superseded_at: None,
            slsa_level: Some(3),
            packages: 61,
            build_id: 312,
            base_version: Some(3),
            base_digest: Some(example_digest('b')),
        };
        VersionPage {
            items: vec![row.into()],
            as_of: time::example(6),
            settled: true,
            next_page_token: None,
        }
    }
}
