//! Reading YAML files strictly: within a budget, then the model, then its meaning; whatever is refused
//! is named by line, column and field.
mod change;
mod diagnose;
pub(crate) mod error;
mod invalid;
mod rules;
pub(crate) mod tree;

pub use crate::steps;
pub use change::{Change, ChangeError, WrongChange, read_changed};
pub use error::{FileError, Refusal, did_you_mean, excerpt};
pub use invalid::Invalid;
pub use tree::{Step, field};

use error::{MOST, Position, Problem};
use rules::Rules;
use serde::de::DeserializeOwned;
use serde_saphyr::{
    Options, alias_limits, budget,
    budget::BudgetBreach,
    from_str_with_options, options,
    options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy},
};
use tree::{Node, Value, position};

/// The largest file: 1 MiB.
pub const MAX_BYTES: usize = 1 << 20;
/// The deepest nesting of lists and mappings.
const MAX_DEPTH: usize = 32;
/// The most values in one file.
const MAX_NODES: usize = 100_000;
/// The most anchors, and the most references to them.
const MAX_ANCHORS: usize = 64;
/// The most events that references may repeat.
const MAX_REPEATED: usize = 20_000;

/// A kind of files.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// What such a file is called, as in "expected a scenario".
    pub noun: &'static str,
    /// What it needs at least.
    pub needs: &'static str,
    /// What helps when a file is too large.
    pub too_large: &'static str,
    /// The JSON Schema, in which the limits of numbers, texts and lists stand.
    pub schema: fn() -> &'static serde_json::Value,
}

/// Reads a file. `file_name` is what errors call it; `check` says what is well written and makes no
/// sense.
///
/// # Errors
/// All that is wrong: each with line, column and field, what was expected and what was found.
pub fn read<T: DeserializeOwned>(
    form: &Form,
    file_name: &str,
    bytes: &[u8],
    check: impl Fn(&T) -> Vec<Invalid>,
) -> Result<T, FileError> {
    let one = |problem| FileError::of(problem, Vec::new(), file_name, "");
    let text = text(form, bytes).map_err(one)?;
    let read = tree(form, text).map_err(|problem| vec![problem]);
    read.and_then(|tree| read_tree(form, tree, text, check)).map_err(|mut told| {
        let first = told.pop();
        let first = first.unwrap_or_else(|| Problem::of_file(expected(form), form.needs));
        FileError::of(first, told, file_name, text)
    })
}

/// Whether a file says something at a path; false for what is no such file.
pub fn is_written(form: &Form, bytes: &[u8], path: &[Step]) -> bool {
    let read = text(form, bytes).ok().and_then(|text| tree(form, text).ok());
    read.is_some_and(|tree| tree.has(path))
}

fn expected(form: &Form) -> String {
    format!("expected {}", form.noun)
}

fn text<'a>(form: &Form, bytes: &'a [u8]) -> Result<&'a str, Problem> {
    if bytes.len() > MAX_BYTES {
        let found = format!("expected at most 1 MiB of YAML, found {} bytes", bytes.len());
        return Err(Problem::of_file(found, form.too_large));
    }
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let before = &bytes[..e.valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = 1 + String::from_utf8_lossy(&before[start..]).chars().count();
        let position = Position { line: line as u64, column: column as u64 };
        let problem = "expected UTF-8 text, found a byte that is none";
        let hint = format!("is this {}?", form.noun);
        Problem { position: Some(position), ..Problem::of_file(problem, hint) }
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn read_tree<T: DeserializeOwned>(
    form: &Form,
    mut tree: Node,
    text: &str,
    check: impl Fn(&T) -> Vec<Invalid>,
) -> Result<T, Vec<Problem>> {
    let mut told = Vec::new();
    tree.drop_duplicates(&mut Vec::new(), &mut told);
    let rules = Rules::new((form.schema)());
    let read = diagnose::read(&mut tree, text, &rules, &mut told);
    rules.check(&mut tree, text, &mut told);
    if let Some(read) = read {
        let meant = check(&read);
        let meant = meant.into_iter().filter(|invalid| !invalid.is_touched(&tree));
        for problem in meant.map(|invalid| invalid.locate(&tree)) {
            if told.len() < MOST && !told.iter().any(|other| other.is_same(&problem)) {
                told.push(problem);
            }
        }
        if told.is_empty() {
            return Ok(read);
        }
    }
    Err(told)
}

/// The file as a tree; what is no YAML, or no mapping, ends the reading.
fn tree(form: &Form, text: &str) -> Result<Node, Problem> {
    let noun = form.noun;
    let empty = || Problem::of_file(format!("expected {noun}, found an empty file"), form.needs);
    if text.trim().is_empty() {
        return Err(empty());
    }
    let tree: Node =
        from_str_with_options(text, limits()).map_err(|error| refused(form, &error))?;
    match &tree.value {
        Value::Null => Err(empty()),
        Value::Map(_) => Ok(tree),
        _ => {
            let found = tree.found(text);
            Err(Problem {
                position: tree.position,
                field: String::new(),
                problem: format!("expected {noun} (`key: value` lines), found {found}"),
                hint: None,
            })
        }
    }
}

/// How much YAML may cost, and how strict it is.
fn limits() -> Options {
    options! {
        budget: budget! {
            max_reader_input_bytes: Some(MAX_BYTES),
            max_events: 4 * MAX_NODES,
            max_nodes: MAX_NODES,
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_aliases: MAX_ANCHORS,
            max_anchors: MAX_ANCHORS,
            max_recorded_anchor_events: MAX_REPEATED,
            max_recorded_anchor_bytes: MAX_BYTES,
            max_documents: 1,
            max_total_scalar_bytes: MAX_BYTES,
            max_total_comment_bytes: MAX_BYTES,
            max_merge_keys: 0,
        },
        alias_limits: alias_limits! {
            max_total_replayed_events: MAX_REPEATED,
            max_replay_stack_depth: 4,
            max_alias_expansions_per_anchor: MAX_ANCHORS,
        },
        emit_comments: false,
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    }
}

/// What the YAML reader refused, in our words where its own would not help.
fn refused(form: &Form, error: &serde_saphyr::Error) -> Problem {
    use serde_saphyr::Error as Yaml;
    let error = error.without_snippet();
    let (problem, hint) = match error {
        Yaml::Budget { breach, .. } => over_budget(form, breach),
        Yaml::AliasReplayLimitExceeded { .. }
        | Yaml::AliasExpansionLimitExceeded { .. }
        | Yaml::AliasReplayStackDepthExceeded { .. }
        | Yaml::RecursiveReferencesRequireWeakTypes { .. } => too_many_aliases(),
        Yaml::MultipleDocuments { .. } => second_document(),
        Yaml::MergeKeyNotAllowed { .. } => {
            ("expected a known key, found a merge key `<<`".to_owned(), None)
        }
        Yaml::UnknownAnchor { .. } => {
            let hint = "a value that begins with `*`, such as a schedule, needs quotes: \
                        \"*/15 * * * *\"";
            ("expected a value, found an alias (`*`) of nothing".to_owned(), Some(hint.to_owned()))
        }
        Yaml::NullIntoString { .. } | Yaml::Unexpected { .. } => {
            ("expected a key of plain text, found another".to_owned(), None)
        }
        other => match first_line(&other.render()) {
            text if text.contains("recursion limit") => too_deep(),
            text if text.contains("RecordedAnchor") => too_many_aliases(),
            text => {
                let colon = text.contains("mapping values are not allowed");
                let hint = colon.then(|| "text that holds a colon needs quotes".to_owned());
                (format!("expected YAML: {text}"), hint)
            }
        },
    };
    let position = error.location().and_then(|location| position(&location));
    Problem { position, field: String::new(), problem, hint }
}

type Told = (String, Option<String>);

fn over_budget(form: &Form, breach: &BudgetBreach) -> Told {
    match breach {
        BudgetBreach::Depth { .. } => too_deep(),
        BudgetBreach::Documents { .. } => second_document(),
        BudgetBreach::Events { .. } | BudgetBreach::Nodes { .. } => {
            let hint = form.too_large.to_owned();
            (format!("expected at most {MAX_NODES} values, found more"), Some(hint))
        }
        BudgetBreach::MergeKeys { .. } => {
            ("expected a known key, found a merge key `<<`".to_owned(), None)
        }
        BudgetBreach::ScalarBytes { .. } => ("expected less text, found too much".to_owned(), None),
        _ => too_many_aliases(),
    }
}

fn too_deep() -> Told {
    (format!("expected at most {MAX_DEPTH} levels of nesting, found more"), None)
}

fn second_document() -> Told {
    ("expected one document, found a second one".to_owned(), None)
}

fn too_many_aliases() -> Told {
    let hint = format!(
        "at most {MAX_ANCHORS} anchors and aliases, none inside itself, \
         repeating {MAX_REPEATED} values in all"
    );
    ("expected few aliases, found some that repeat too much".to_owned(), Some(hint))
}

/// The reader's message without the place, which is told apart from it.
fn first_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    line.split(" at line ").next().unwrap_or(line).to_owned()
}
