//! Why a file was refused: place, field, what was expected and found, on one clear message.
use std::fmt::{self, Write};

/// Why a file was refused: all that is wrong with it, in the order of the file.
///
/// Each part of its text begins with `file:line:column: field: expected ..., found ...`; the line of
/// the file with a caret and a hint follow where there are any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    first: Box<Refusal>,
    others: Vec<Refusal>,
    /// There may be more than those.
    cut: bool,
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    file: String,
    position: Option<Position>,
    field: String,
    problem: String,
    hint: Option<String>,
    source: Option<String>,
}

/// A place in a file, both from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

/// What is wrong, before it is known in which file: made into an error by [`Problem::in_file`].
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) position: Option<Position>,
    pub(crate) field: String,
    pub(crate) problem: String,
    pub(crate) hint: Option<String>,
}

impl Problem {
    /// Whether it says the same of the same place.
    pub(crate) fn is_same(&self, other: &Problem) -> bool {
        self.field == other.field && self.problem == other.problem
    }

    /// A problem of the file as a whole.
    pub(crate) fn of_file(problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Problem {
            position: None,
            field: String::new(),
            problem: problem.into(),
            hint: Some(hint.into()),
        }
    }

    /// The refusal, with the line it is about.
    fn in_file(self, file: &str, lines: &[&str]) -> Refusal {
        let line = self.position.and_then(|at| usize::try_from(at.line).ok());
        let source = line.and_then(|line| lines.get(line.checked_sub(1)?));
        Refusal {
            file: clean(file),
            position: self.position,
            field: clean(&self.field),
            problem: clean(&self.problem),
            hint: self.hint.as_deref().map(clean),
            source: source.map(|line| clean(line)),
        }
    }
}

/// The most that one error tells.
pub(crate) const MOST: usize = 100;

impl FileError {
    /// Of all that is wrong with a file.
    pub(crate) fn of(first: Problem, others: Vec<Problem>, file: &str, text: &str) -> Self {
        let mut all = others;
        all.push(first);
        // The file as a whole comes first, then from its beginning to its end.
        all.sort_by_key(|problem| problem.position);
        let cut = all.len() >= MOST;
        let lines: Vec<&str> = text.lines().collect();
        let mut all = all.into_iter().take(MOST).map(|problem| problem.in_file(file, &lines));
        let first = Box::new(all.next().unwrap_or_else(|| {
            Problem::of_file("expected another file", "see docs/model.md").in_file(file, &lines)
        }));
        FileError { first, others: all.collect(), cut }
    }

    /// Of a file as a whole.
    pub fn of_file(file: &str, problem: &str) -> Self {
        let problem = Problem {
            position: None,
            field: String::new(),
            problem: problem.to_owned(),
            hint: None,
        };
        FileError::of(problem, Vec::new(), file, "")
    }

    /// All that is wrong, in the order of the file.
    pub fn all(&self) -> impl Iterator<Item = &Refusal> {
        std::iter::once(&*self.first).chain(&self.others)
    }

    /// Whether there may be more than [`FileError::all`] tells: it tells 100 at the most.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// The first thing that is wrong.
    pub fn first(&self) -> &Refusal {
        &self.first
    }
}

impl Refusal {
    /// The file as the caller named it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line, from 1, where the problem has one.
    pub fn line(&self) -> Option<u64> {
        self.position.map(|at| at.line)
    }

    /// The column in characters, from 1, where the problem has one.
    pub fn column(&self) -> Option<u64> {
        self.position.map(|at| at.column)
    }

    /// The field, such as `builders.count` or `images[2].base`; empty for the file as a whole.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What is wrong, without the place.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// What may help.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl std::error::Error for FileError {}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        for refusal in &self.others {
            write!(f, "\n{refusal}")?;
        }
        if self.cut {
            write!(f, "\nThere may be more: {MOST} are told at the most.")?;
        }
        Ok(())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(at) = self.position {
            write!(f, ":{}:{}", at.line, at.column)?;
        }
        f.write_str(": ")?;
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.problem)?;
        if let (Some(at), Some(source)) = (self.position, &self.source) {
            write_source(f, at, source)?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// How much of a long line is shown, in characters.
const SHOWN: usize = 80;

/// The line with a caret under the column; of a long line only the part around it.
fn write_source(f: &mut fmt::Formatter<'_>, at: Position, source: &str) -> fmt::Result {
    let column = usize::try_from(at.column).unwrap_or(usize::MAX).saturating_sub(1);
    let skipped = if column < SHOWN { 0 } else { column - SHOWN / 2 };
    let shown: String = source.chars().skip(skipped).take(SHOWN).collect();
    let number = at.line.to_string();
    write!(f, "\n{number} | {shown}\n")?;
    for _ in 0..number.len() {
        f.write_char(' ')?;
    }
    f.write_str(" | ")?;
    for _ in skipped..column.min(skipped + shown.chars().count()) {
        f.write_char(' ')?;
    }
    f.write_char('^')
}

/// Text of a file as it may be shown on a terminal: one line without control characters.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { if c == '\t' { ' ' } else { '\u{fffd}' } } else { c })
        .collect()
}

/// A field's text as an error shows it: the beginning of its first line.
pub fn excerpt(text: &str) -> String {
    const LONGEST: usize = 60;
    let line = text.lines().next().unwrap_or_default().trim_end();
    let cut: String = line.chars().take(LONGEST).collect();
    if cut.len() < text.trim_end().len() { format!("`{cut}`...") } else { format!("`{cut}`") }
}

/// The known name that was probably meant.
pub fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let allowed = 1 + written.chars().count().min(64) / 4;
    known
        .into_iter()
        .map(|name| (distance(written, name), name))
        .filter(|(steps, name)| *steps <= allowed && *steps < name.len())
        .min()
        .map(|(_, name)| format!("did you mean `{name}`?"))
}

/// Edits (insert, delete, replace, swap of neighbours) from one short word to another.
fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().take(64).collect();
    let to: Vec<char> = to.chars().take(64).collect();
    let mut rows = vec![(0..=to.len()).collect::<Vec<usize>>()];
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(a != b);
            let mut best = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_offered_and_a_far_one_is_not() {
        let known = ["images", "fleet", "builders"];
        assert_eq!(did_you_mean("imgaes", known).as_deref(), Some("did you mean `images`?"));
        assert_eq!(did_you_mean("builder", known).as_deref(), Some("did you mean `builders`?"));
        assert_eq!(did_you_mean("weather", known), None);
        assert_eq!(did_you_mean("", known), None);
    }

    #[test]
    fn a_long_line_is_cut_around_the_column() {
        let text = format!("{}x{}", "a".repeat(500), "b".repeat(500));
        let problem = Problem {
            position: Some(Position { line: 1, column: 501 }),
            field: "f".into(),
            problem: "p\u{1b}[31m".into(),
            hint: None,
        };
        let shown = FileError::of(problem, Vec::new(), "x.yaml", &text).to_string();
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], "x.yaml:1:501: f: p\u{fffd}[31m");
        assert_eq!(lines[1].chars().nth(lines[2].chars().count() - 1), Some('x'));
        assert!(lines[1].len() < 100);
    }
}
