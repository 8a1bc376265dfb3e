//! As whose packages scanners see those of the world: one table, which every document asks.
//!
//! A scanner decides by these names which advisories it looks at, and whether it knows the packages
//! at all. The world's packages are apk packages with invented names, whichever distribution lends
//! its name; docs/scanners.md says what each scanner makes of each.

use std::fmt;

/// A distribution of apk packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Distribution {
    /// Alpine Linux 3.23.
    Alpine,
    /// Wolfi, which has no releases.
    Wolfi,
    /// One that no scanner knows.
    Wavetank,
}

impl Distribution {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Alpine, Self::Wolfi, Self::Wavetank];

    /// The one of that [`id`](Self::id).
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|distribution| distribution.id() == id)
    }

    /// `ID` of os-release, the namespace of package URLs, and the name of the operating-system
    /// component of SBOMs. In lower case: Trivy knows no others.
    pub fn id(self) -> &'static str {
        match self {
            Self::Alpine => "alpine",
            Self::Wolfi => "wolfi",
            Self::Wavetank => "wavetank",
        }
    }

    /// `VERSION_ID` of os-release.
    pub fn version(self) -> &'static str {
        match self {
            Self::Alpine => "3.23.0",
            Self::Wolfi => "20230201",
            Self::Wavetank => "1",
        }
    }

    /// The release stream that advisories are for; Wolfi has none.
    pub fn stream(self) -> Option<&'static str> {
        match self {
            Self::Alpine => Some("v3.23"),
            Self::Wolfi | Self::Wavetank => None,
        }
    }

    /// `NAME` and `PRETTY_NAME` of os-release. The second, which people read, says what it is.
    pub fn names(self) -> [&'static str; 2] {
        match self {
            Self::Alpine => ["Alpine Linux", "Alpine Linux v3.23 (simulated)"],
            Self::Wolfi => ["Wolfi", "Wolfi (simulated)"],
            Self::Wavetank => ["Wavetank", "Wavetank 1"],
        }
    }

    /// The qualifier `distro` of package URLs.
    pub fn qualifier(self) -> String {
        format!("{}-{}", self.id(), self.version())
    }

    /// The ecosystem of OSV records. OSV's list of names is closed: what it does not have goes by
    /// the name of the one with the same order of versions.
    pub fn osv_ecosystem(self) -> &'static str {
        match self {
            Self::Alpine => "Alpine:v3.23",
            Self::Wolfi | Self::Wavetank => "Wolfi",
        }
    }

    /// The bucket of Trivy's database that holds its advisories. No scan looks at that of a
    /// distribution which Trivy does not know.
    pub fn trivy_bucket(self) -> &'static str {
        match self {
            Self::Alpine => "alpine 3.23",
            Self::Wolfi => "wolfi",
            Self::Wavetank => "wavetank",
        }
    }

    /// The directory and file of its secdb, as its publisher names them.
    pub fn secdb(self) -> &'static str {
        match self {
            Self::Alpine => "v3.23/main.json",
            Self::Wolfi | Self::Wavetank => "security.json",
        }
    }

    /// The repository that its secdb is about.
    pub fn repository(self) -> &'static str {
        match self {
            Self::Alpine => "main",
            Self::Wolfi | Self::Wavetank => "os",
        }
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The forms that the specifications ask for: os-release(5), OSV 1.7 and the purl type `apk`.
    #[test]
    fn names_have_the_form_of_their_specifications() {
        for distribution in Distribution::ALL {
            assert_eq!(Distribution::named(distribution.id()), Some(distribution));
            let plain =
                |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            assert!(plain(distribution.id()));
            assert!(plain(&distribution.version().replace('.', "")));
            if let Some(stream) = distribution.stream() {
                assert!(distribution.version().starts_with(&stream[1..]));
                assert!(distribution.trivy_bucket().ends_with(&stream[1..]));
                assert!(distribution.osv_ecosystem().ends_with(stream));
                assert!(distribution.secdb().starts_with(stream));
            }
        }
        assert_eq!(Distribution::named("Alpine"), None);
    }
}
