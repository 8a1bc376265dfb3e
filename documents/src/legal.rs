//! Licences and copyright of what is made of packages: the minimum elements of SBOMs (CISA's
//! framing of 2024, BSI TR-03183-2) ask for them of every component, also of images and
//! distributions.

use std::collections::BTreeSet;

use crate::contents::Component;

/// What SPDX says where there is no licence or no copyright notice.
pub(crate) const NONE: &str = "NONE";

/// The licence of an image as a whole: all those of its packages hold together, each named once.
/// Nothing without packages.
pub(crate) fn combined<'a>(components: impl Iterator<Item = &'a Component>) -> Option<String> {
    let all: BTreeSet<&str> = components.map(|component| component.license.as_str()).collect();
    let alone = all.len() == 1;
    let part = |license: &str| {
        // An expression of several parts keeps its meaning inside another one.
        let whole = alone || !license.contains(' ');
        if whole { license.to_owned() } else { format!("({license})") }
    };
    let parts: Vec<String> = all.into_iter().map(part).collect();
    (!parts.is_empty()).then(|| parts.join(" AND "))
}

/// The copyright notice of a package, whose authors are as invented as it is.
pub(crate) fn of_package(component: &Component) -> String {
    format!("Copyright (c) The {} authors", component.origin)
}

/// The copyright notice of an image.
pub(crate) fn of_image(vendor: &str) -> String {
    format!("Copyright (c) {vendor}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn every_licence_holds_and_stands_once() {
        let contents = sample::contents(60);
        let all = combined(contents.components.iter());
        let expected = "Apache-2.0 AND BSD-3-Clause AND GPL-2.0-or-later AND MIT \
                        AND (MIT AND (Zlib OR BSD-2-Clause))";
        assert_eq!(all.as_deref(), Some(expected));
        let last = combined(contents.components.iter().filter(|c| c.license.contains(' ')));
        assert_eq!(last.as_deref(), Some("MIT AND (Zlib OR BSD-2-Clause)"));
        assert_eq!(combined([].iter()), None);
    }
}
