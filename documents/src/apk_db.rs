//! The files inside an image's layer by which apk and every scanner know its packages.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::contents::{Component, ImageContents};
use crate::distribution::Distribution;
use crate::subject::NAMESPACE;

/// `lib/apk/db/installed`: one paragraph a package, as apk-tools 2 writes it.
///
/// `C:` holds a SHA-1 of the package's control segment in a real database. The simulated package
/// has no segments, so the first 20 bytes of its SHA-256 stand there; `I:` (installed size) is
/// taken equal to `S:`.
pub fn installed(contents: &ImageContents) -> String {
    let mut text = String::with_capacity(contents.components.len() * 320);
    for component in &contents.components {
        paragraph(&mut text, component, contents);
    }
    text
}

fn paragraph(text: &mut String, component: &Component, contents: &ImageContents) {
    let checksum = STANDARD.encode(&component.checksum.as_bytes()[..20]);
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "C:Q1{checksum}\nP:{name}\nV:{version}\nA:{arch}\nS:{size}\nI:{size}\nT:{description}\n\
         U:{NAMESPACE}/packages/{origin}\nL:{license}\no:{origin}\nm:{supplier}\n",
        name = component.name,
        version = component.version,
        arch = contents.architecture,
        size = component.size_bytes,
        description = component.description,
        license = component.license,
        origin = component.origin,
        supplier = component.supplier,
    );
    if !component.depends_on.is_empty() {
        text.push_str("D:");
        text.push_str(&component.depends_on.join(" "));
        text.push('\n');
    }
    text.push('\n');
}

/// `etc/os-release` (os-release(5)).
pub fn os_release(contents: &ImageContents) -> String {
    let (id, version) = (contents.distribution.id(), contents.distribution.version());
    let [name, pretty_name] = contents.distribution.names();
    format!(
        "ID={id}\nNAME=\"{name}\"\nPRETTY_NAME=\"{pretty_name}\"\nVERSION_ID=\"{version}\"\n\
         HOME_URL=\"{NAMESPACE}\"\n"
    )
}

/// `etc/alpine-release`, by which older scanners know Alpine; other distributions have none.
pub fn alpine_release(contents: &ImageContents) -> Option<String> {
    let is_alpine = contents.distribution == Distribution::Alpine;
    is_alpine.then(|| format!("{}\n", contents.distribution.version()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn one_paragraph_a_package() {
        let text = installed(&sample::contents(3));
        assert_eq!(text.matches("\n\n").count(), 3);
        let first = text.split("\n\n").next().unwrap();
        assert_eq!(
            first,
            "C:Q1eb+w4rp2udRHYG3bzElINPBaTBE=\n\
             P:anchor\nV:1.3.0-r0\nA:x86_64\nS:20000\nI:20000\n\
             T:anchor, a part of the simulated distribution\n\
             U:https://wavetank.example/packages/anchor\nL:MIT\no:anchor\nm:Wavetank Packages"
        );
        assert!(text.contains("\nD:anchor\n"));
    }

    #[test]
    fn os_release_names_the_distribution() {
        let mut contents = sample::contents(1);
        let text = os_release(&contents);
        assert!(text.starts_with("ID=alpine\nNAME=\"Alpine Linux\"\n"));
        assert!(text.contains("VERSION_ID=\"3.23.0\"\n"));
        assert_eq!(alpine_release(&contents).as_deref(), Some("3.23.0\n"));
        contents.distribution = Distribution::Wavetank;
        assert_eq!(alpine_release(&contents), None);
        assert_eq!(
            os_release(&contents),
            "ID=wavetank\nNAME=\"Wavetank\"\nPRETTY_NAME=\"Wavetank 1\"\nVERSION_ID=\"1\"\n\
             HOME_URL=\"https://wavetank.example\"\n"
        );
    }
}
