//! The files inside an image's layer by which apk and every scanner know its packages.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::contents::{Component, ImageContents};
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
    let id = &contents.distro_id;
    let version = &contents.distro_version;
    let mut name = id.clone();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    format!(
        "ID={id}\nNAME=\"{name}\"\nPRETTY_NAME=\"{name} {version}\"\nVERSION_ID=\"{version}\"\n\
         HOME_URL=\"{NAMESPACE}\"\n"
    )
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
        let text = os_release(&sample::contents(1));
        assert!(text.starts_with("ID=wavetank\nNAME=\"Wavetank\"\n"));
        assert!(text.contains("VERSION_ID=\"20260105\"\n"));
    }
}
