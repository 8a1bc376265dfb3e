//! Which file imports which, read from the sources: `use` items and paths that begin with `crate`,
//! `super` or `self`. Comments, texts and test modules do not count; nor does a file that only hands
//! on the names of its own children (`pub use child::Name`).
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The sources of a crate.
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) files: Vec<File>,
}

/// A source file.
pub(crate) struct File {
    /// Its module's path within the crate, such as `http::pages`; the root's is empty.
    pub(crate) module: String,
    /// Its code without comments, texts and tests.
    pub(crate) code: String,
}

/// The names of the crates that a manifest depends on, without those for tests.
pub(crate) fn dependencies(root: &Path, name: &str) -> BTreeSet<String> {
    let path = root.join(if name == "wavetank" {
        "Cargo.toml".into()
    } else {
        format!("{name}/Cargo.toml")
    });
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let section = text.split("\n[dependencies]\n").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    let name = |line: &str| line.split(['.', ' ', '=']).next().map(str::to_owned);
    section.lines().filter(|line| !line.starts_with('#')).filter_map(name).collect()
}

impl Crate {
    /// Reads the sources of one of our crates.
    pub(crate) fn read(root: &Path, name: &str) -> Self {
        let src = if name == "wavetank" { root.join("src") } else { root.join(name).join("src") };
        let mut files = Vec::new();
        walk(&src, &src, &mut files);
        assert!(files.len() > 2, "{name} has no sources at {}", src.display());
        Crate { name: name.to_owned(), files }
    }

    /// The modules of other files that a file imports something of.
    pub(crate) fn arrows<'a>(&'a self, file: &File) -> BTreeSet<&'a str> {
        let mut arrows = BTreeSet::new();
        for path in paths(&file.code) {
            let Some(target) = self.resolve(&file.module, &path) else { continue };
            let is_child = target
                .strip_prefix(&file.module)
                .is_some_and(|rest| file.module.is_empty() || rest.starts_with("::"));
            if target == file.module || (path.handed_on && is_child) {
                continue;
            }
            arrows.insert(target);
        }
        arrows
    }

    /// The file that defines what a path names: the longest known module at its beginning.
    fn resolve(&self, module: &str, path: &ImportPath) -> Option<&str> {
        let mut at: Vec<&str> = module.split("::").filter(|part| !part.is_empty()).collect();
        let mut rest = path.segments.iter().map(String::as_str).peekable();
        match rest.peek()? {
            &"crate" => {
                at.clear();
                rest.next();
            }
            &"self" => {
                rest.next();
            }
            &"super" => {
                while rest.next_if_eq(&"super").is_some() {
                    at.pop()?;
                }
            }
            // A path that begins with one of the file's own children.
            first => {
                let child = [&at[..], &[*first]].concat().join("::");
                self.files.iter().find(|file| file.module == child)?;
            }
        }
        let whole: Vec<&str> = at.into_iter().chain(rest).collect();
        (0..=whole.len()).rev().find_map(|length| {
            let module = whole[..length].join("::");
            self.files.iter().find(|file| file.module == module).map(|file| file.module.as_str())
        })
    }
}

fn walk(src: &Path, directory: &Path, files: &mut Vec<File>) {
    let mut entries: Vec<_> = std::fs::read_dir(directory)
        .expect("a directory of sources")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(src, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(src).expect("below the sources").with_extension("");
            let module = relative.to_str().expect("a name in UTF-8").replace('/', "::");
            if module == "tests" || module.ends_with("::tests") {
                continue;
            }
            let module = if module == "lib" || module == "main" { String::new() } else { module };
            files.push(File {
                module,
                code: code_of(&std::fs::read_to_string(&path).expect("a source")),
            });
        }
    }
}

/// A path in the code.
struct ImportPath {
    segments: Vec<String>,
    /// Whether it stands in a `pub use`.
    handed_on: bool,
}

/// The code without comments, texts, and what follows `#[cfg(test)]`.
fn code_of(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let mut code = String::new();
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default();
        let mut outside = true;
        let mut before = ' ';
        for letter in line.chars() {
            if letter == '"' && before != '\\' && before != '\'' {
                outside = !outside;
            } else if outside {
                code.push(letter);
            }
            before = letter;
        }
        code.push('\n');
    }
    code
}

/// All paths: of `use` items with their groups written out, and those that stand in the code.
fn paths(code: &str) -> Vec<ImportPath> {
    let mut found = Vec::new();
    let mut rest = String::new();
    for item in code.split_inclusive(';') {
        let trimmed = item.trim_start();
        let is_use = |line: &str| {
            line.starts_with("use ") || line.starts_with("pub use ") || line.starts_with("pub(")
        };
        let start = trimmed
            .match_indices("use ")
            .find(|(place, _)| {
                let line = trimmed[..*place].rsplit('\n').next().unwrap_or_default();
                let whole = &trimmed[*place - line.len()..];
                is_use(whole.trim_start())
                    && (line.trim().is_empty() || line.trim().starts_with("pub"))
            })
            .map(|(place, _)| place);
        let Some(start) = start else {
            rest.push_str(item);
            continue;
        };
        let line = trimmed[..start].rsplit('\n').next().unwrap_or_default();
        let handed_on = line.trim().starts_with("pub");
        rest.push_str(&trimmed[..start - line.len()]);
        let tree = trimmed[start + 4..].trim_end_matches(';');
        for segments in expand(tree) {
            found.push(ImportPath { segments, handed_on });
        }
    }
    for (place, _) in rest.match_indices("crate::") {
        let glued = rest[..place].chars().next_back();
        if glued.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '$')) {
            continue;
        }
        let end = rest[place..].find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':')));
        let path = &rest[place..end.map_or(rest.len(), |end| place + end)];
        let segments = path.split("::").map(str::to_owned).collect();
        found.push(ImportPath { segments, handed_on: false });
    }
    found
}

/// The paths of a `use` tree.
fn expand(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![path.split("::").map(|part| part.trim().to_owned()).collect()];
    };
    let prefix: Vec<String> = tree[..open]
        .split("::")
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect();
    let inside = tree[open + 1..].trim_end().trim_end_matches('}');
    let inside = &tree[open + 1..open + 1 + closing(&tree[open + 1..]).unwrap_or(inside.len())];
    let mut all = Vec::new();
    for part in split(inside) {
        for path in expand(part) {
            let mut whole = prefix.clone();
            whole.extend(path.into_iter().filter(|segment| segment != "self"));
            all.push(whole);
        }
    }
    all
}

/// Where the brace closes that was opened before the text.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    for (place, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(place);
        }
    }
    None
}

/// The parts between the commas of one level.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (place, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.into_iter().filter(|part| !part.trim().is_empty()).collect()
}

/// The circles: groups of modules that reach each other, each named once.
pub(crate) fn circles<'a>(arrows: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Vec<Vec<&'a str>> {
    let reach = |from: &'a str| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(module) = next.pop() {
            for target in arrows.get(module).into_iter().flatten() {
                if seen.insert(*target) {
                    next.push(target);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        arrows.keys().map(|module| (*module, reach(module))).collect();
    let mut circles = BTreeSet::new();
    for (module, from) in &reached {
        if from.contains(module) {
            let same = |other: &&&str| reached.get(**other).is_some_and(|r| r.contains(module));
            circles.insert(from.iter().filter(same).copied().collect::<Vec<_>>());
        }
    }
    circles.into_iter().collect()
}

#[test]
fn imports_are_read_as_they_are_written() {
    let code = code_of(
        "use crate::a::{self, b::C};\npub use child::Name;\n// use crate::comment::X;\n\
         fn f() { let x = \"crate::text::Y\"; crate::d::e(x); }\n#[cfg(test)]\nmod tests { use crate::t; }",
    );
    let found: Vec<(String, bool)> =
        paths(&code).into_iter().map(|path| (path.segments.join("::"), path.handed_on)).collect();
    let expected = [
        ("crate::a", false),
        ("crate::a::b::C", false),
        ("child::Name", true),
        ("crate::d::e", false),
    ];
    assert_eq!(found, expected.map(|(path, handed_on)| (path.to_owned(), handed_on)));
}

#[test]
fn circles_are_found_and_chains_are_none() {
    let arrows = |pairs: &[(&'static str, &'static str)]| {
        let mut arrows: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (from, to) in pairs {
            arrows.entry(from).or_default().insert(to);
        }
        arrows
    };
    assert!(circles(&arrows(&[("a", "b"), ("b", "c"), ("a", "c")])).is_empty());
    let found = circles(&arrows(&[("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")]));
    assert_eq!(found, [["b", "c"]]);
}
