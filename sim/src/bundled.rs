//! The scenarios that come with the program.

/// A scenario that is built in.
#[derive(Clone, Copy, Debug)]
pub struct Bundled {
    /// Its name, which is also that of its file.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

/// The scenario that `demo` plays.
pub const DEMO: &str = include_str!("../../scenarios/four-weeks.yaml");

/// All of them, the smallest first.
pub const BUNDLED: [Bundled; 4] = [
    Bundled { name: "classroom", text: include_str!("../../scenarios/classroom.yaml") },
    Bundled { name: "friday-night", text: include_str!("../../scenarios/friday-night.yaml") },
    Bundled { name: "four-weeks", text: DEMO },
    Bundled {
        name: "enterprise-quarter",
        text: include_str!("../../scenarios/enterprise-quarter.yaml"),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_named_as_it_says() {
        for Bundled { name, text } in BUNDLED {
            let scenario = crate::scenario::parse(name, text.as_bytes()).unwrap();
            assert_eq!(scenario.name.as_str(), name);
        }
    }
}
