//! Why a report differs from the truth, in one word each.
use serde::Serialize;

/// What kind of difference it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Expected and not reported: it lowers recall.
    Missed,
    /// Reported and not expected: it lowers precision.
    Wrong,
    /// Reported, true, and not to be known yet: it counts for nothing.
    Early,
}

impl Kind {
    /// The name, as outputs write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Missed => "missed",
            Kind::Wrong => "wrong",
            Kind::Early => "early",
        }
    }
}

macro_rules! causes {
    ($($(#[$doc:meta])* $variant:ident $text:literal $says:literal;)*) => {
        /// Why a report differs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Cause {
            $($(#[$doc])* $variant,)*
        }

        impl Cause {
            /// All of them.
            pub const ALL: &'static [Cause] = &[$(Cause::$variant),*];

            /// The name, as outputs write it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Cause::$variant => $text,)* }
            }

            /// What it means, in a sentence without its full stop.
            pub const fn meaning(self) -> &'static str {
                match self { $(Cause::$variant => $says,)* }
            }
        }
    };
}

causes! {
    /// Missed: a rule or VEX of the scanner's user.
    Suppressed "suppressed"
        "the scanner found it and left it out, though nothing judged it by then";
    /// Missed: the package is unknown to the scanner.
    IdentityNotRecognised "identity_not_recognised"
        "the scanner did not recognise the package, or not the distribution";
    /// Missed or wrong: two versions compared as no package manager does. (Missed: only where
    /// something is reported rightly.)
    VersionOrder "version_order"
        "as text the versions stand the other way round than in the order of apk";
    /// Missed or wrong: the scanner sees another version.
    OtherVersion "other_version"
        "the scanner sees another version of the package than the image holds";
    /// Missed: an advisory without a fix, which some drivers pass over. Only where something with a
    /// fix is reported rightly, and nothing without one.
    NoFixYet "no_fix_yet"
        "no fixed version is released, and nothing is reported that has none";
    /// Missed: nothing explains it.
    NotReported "not_reported"
        "the scanner's data lack the advisory, or it did not match";
    /// Missed: no report is about the image.
    ImageNotScanned "image_not_scanned"
        "no report is about the image (counted because of --all-images)";
    /// Wrong: a false positive that VEX tells of.
    JudgedNotAffected "judged_not_affected"
        "VEX says not_affected by then";
    /// Wrong: the fix is in.
    FixedAlready "fixed_already"
        "the installed version holds the fix";
    /// Wrong: older than the flaw.
    NotYetIntroduced "not_yet_introduced"
        "the installed version is older than the first affected one";
    /// Wrong: another package.
    PackageNotAffected "package_not_affected"
        "the advisory does not concern the package";
    /// Wrong: it is not there.
    PackageNotInImage "package_not_in_image"
        "the image does not hold the package";
    /// Wrong: no such id.
    UnknownVulnerability "unknown_vulnerability"
        "the world has no advisory under any of the ids";
    /// Early: lag.
    NotYetDetectable "not_yet_detectable"
        "it is there, but no scanner of the world could know of it by then";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_json() {
        for cause in Cause::ALL {
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.as_str());
        }
    }
}
