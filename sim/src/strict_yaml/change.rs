//! A file in which some values are others than it says: each by its path, as `builders.count`,
//! `policies[gold].days.critical` or `incidents[0].at`.
use super::error::{FileError, Problem, did_you_mean, excerpt};
use super::tree::{Key, Node, Step, Value};
use super::{Form, Invalid, read_tree, text, tree};
use serde::de::DeserializeOwned;

/// Another value at a path.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Keys, separated by dots; an item of a list by its name or its place from 0 in brackets.
    pub path: String,
    /// What stands there.
    pub value: serde_json::Value,
}

/// Why a changed file was refused.
#[derive(Clone, Debug)]
pub enum ChangeError {
    /// The file itself is wrong.
    File(FileError),
    /// What the changes make of it is.
    Changes(Vec<WrongChange>),
}

/// What is wrong with a change, or with what the changes together make of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongChange {
    /// The place of the change among all; none: it cannot be said which one it is.
    pub change: Option<usize>,
    /// What is wrong, with the field of the file that it is about.
    pub problem: String,
    /// What may help.
    pub hint: Option<String>,
}

impl WrongChange {
    fn of(change: usize, problem: String, hint: Option<String>) -> Self {
        WrongChange { change: Some(change), problem, hint }
    }
}

/// Reads a file with changes; see [`super::read`].
///
/// # Errors
/// The file is wrong, or what the changes make of it.
pub fn read_changed<T: DeserializeOwned>(
    form: &Form,
    file_name: &str,
    bytes: &[u8],
    changes: &[Change],
    check: impl Fn(&T) -> Vec<Invalid>,
) -> Result<T, ChangeError> {
    // What is wrong without the changes is the file's fault, not theirs.
    let in_file = |problem| ChangeError::File(FileError::of(problem, Vec::new(), file_name, ""));
    if changes.is_empty() {
        return super::read(form, file_name, bytes, check).map_err(ChangeError::File);
    }
    let text = text(form, bytes).map_err(in_file)?;
    let mut tree = tree(form, text).map_err(in_file)?;
    let mut wrong = Vec::new();
    let mut fields = Vec::new();
    for (place, change) in changes.iter().enumerate() {
        match tree.change(change) {
            Ok(path) => fields.push((super::field(&path), place)),
            Err((problem, hint)) => wrong.push(WrongChange::of(place, problem, hint)),
        }
    }
    if !wrong.is_empty() {
        return Err(ChangeError::Changes(wrong));
    }
    read_tree(form, tree, text, &check).map_err(|told| {
        // The file alone may be wrong already.
        if let Err(error) = super::read::<T>(form, file_name, bytes, &check) {
            return ChangeError::File(error);
        }
        let wrong = told.into_iter().map(|problem| {
            let about = about(&problem);
            let claimed = fields.iter().rfind(|(field, _)| concerns(field, &about));
            let said = match problem.field.as_str() {
                "" => problem.problem,
                field => format!("{field}: {}", problem.problem),
            };
            let change = claimed.map(|(_, place)| *place);
            WrongChange { change, problem: said, hint: problem.hint }
        });
        let mut wrong: Vec<WrongChange> = wrong.collect();
        // What no change is about follows from one that is told.
        if wrong.iter().any(|wrong| wrong.change.is_some()) {
            wrong.retain(|wrong| wrong.change.is_some());
        }
        ChangeError::Changes(wrong)
    })
}

/// The field that a problem is about: of a mapping with a key that nobody knows, that key.
fn about(problem: &Problem) -> String {
    let unknown = problem.problem.strip_prefix("expected a known key, found `");
    match unknown.and_then(|rest| rest.strip_suffix('`')) {
        Some(key) if problem.field.is_empty() => key.to_owned(),
        Some(key) => format!("{}.{key}", problem.field),
        None => problem.field.clone(),
    }
}

/// Whether one of two fields lies inside the other.
fn concerns(changed: &str, field: &str) -> bool {
    let inside = |outer: &str, inner: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    inside(changed, field) || inside(field, changed)
}

type Why = (String, Option<String>);

impl Node {
    /// Puts a value at a path; mappings on the way that the file leaves out are made.
    fn change(&mut self, change: &Change) -> Result<Vec<Step>, Why> {
        let mut path = Vec::new();
        let mut node = self;
        for step in steps(&change.path)? {
            let (next, step) = node.enter(&step)?;
            path.push(step);
            node = next;
        }
        let mut value = Node::stand_in(None, &change.value);
        value.written_for_good();
        *node = value;
        Ok(path)
    }

    fn enter(&mut self, step: &PathStep) -> Result<(&mut Node, Step), Why> {
        match step {
            PathStep::Key(key) => {
                if matches!(self.value, Value::Null) {
                    self.value = Value::Map(Vec::new());
                }
                let position = self.position;
                let Value::Map(entries) = &mut self.value else {
                    let problem = format!("expected a mapping that holds `{key}`, found a value");
                    return Err((problem, None));
                };
                let place = entries.iter().position(|(k, _)| k.text == *key);
                let place = place.unwrap_or_else(|| {
                    let mut made = Node::stand_in(position, &serde_json::Value::Null);
                    made.stands_in = false;
                    entries.push((Key { position, text: key.clone() }, made));
                    entries.len() - 1
                });
                Ok((&mut entries[place].1, Step::Key(key.clone())))
            }
            PathStep::Item(item) => {
                let Value::List(items) = &mut self.value else {
                    return Err((format!("expected a list that has an item `{item}`"), None));
                };
                let place = find_item(items, item)?;
                Ok((&mut items[place], Step::Index(place)))
            }
        }
    }

    /// It is no stand-in: what is wrong with it is told.
    fn written_for_good(&mut self) {
        self.stands_in = false;
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(Node::written_for_good),
            Value::Map(entries) => {
                entries.iter_mut().for_each(|(_, node)| node.written_for_good());
            }
            _ => {}
        }
    }
}

fn find_item(items: &[Node], wanted: &str) -> Result<usize, Why> {
    let names: Vec<Option<&str>> = items.iter().map(name_of).collect();
    if let Some(place) = names.iter().position(|name| *name == Some(wanted)) {
        return Ok(place);
    }
    if let Some(place) = wanted.parse::<usize>().ok().filter(|place| *place < items.len()) {
        return Ok(place);
    }
    let known: Vec<&str> = names.into_iter().flatten().collect();
    let hint = did_you_mean(wanted, known.iter().copied()).or_else(|| {
        let named = (!known.is_empty()).then(|| format!("there are {}", known.join(", ")));
        named.or_else(|| Some(format!("its items are 0 to {}", items.len().saturating_sub(1))))
    });
    Err((format!("expected the name or the place of an item, found {}", excerpt(wanted)), hint))
}

fn name_of(item: &Node) -> Option<&str> {
    let Value::Map(entries) = &item.value else { return None };
    let (_, name) = entries.iter().find(|(key, _)| key.text == "name")?;
    match &name.value {
        Value::Text(name) => Some(name),
        _ => None,
    }
}

/// A step as it is written.
enum PathStep {
    Key(String),
    Item(String),
}

/// The longest path, in characters.
const LONGEST: usize = 500;

fn steps(path: &str) -> Result<Vec<PathStep>, Why> {
    let wrong = || {
        let hint = "keys are separated by dots, items stand in brackets: policies[gold].days.high";
        (format!("expected a path, found {}", excerpt(path)), Some(hint.to_owned()))
    };
    if path.is_empty() || path.len() > LONGEST {
        return Err(wrong());
    }
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (key, mut rest) = part.split_at(part.find('[').unwrap_or(part.len()));
        if key.is_empty() {
            return Err(wrong());
        }
        steps.push(PathStep::Key(key.to_owned()));
        while !rest.is_empty() {
            let inner = rest.strip_prefix('[').and_then(|inner| inner.split_once(']'));
            let Some((item, after)) = inner.filter(|(item, _)| !item.is_empty()) else {
                return Err(wrong());
            };
            steps.push(PathStep::Item(item.to_owned()));
            rest = after;
        }
    }
    Ok(steps)
}
