//! One row a replication and arm, for R (`read.csv`) and pandas (`read_csv`): RFC 4180 with line
//! feeds. What was not measured is an empty field.
use crate::file::Selection;
use crate::measure::Outcome;
use crate::result::CurveKind;
use sim::severity::Severity;

/// The columns before the measures.
const KEYS: [&str; 3] = ["arm", "replication", "seed"];

/// Which row it is.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// The arm's name.
    pub arm: &'a str,
    /// The replication, from 1 on.
    pub replication: u64,
    /// Its seed.
    pub seed: u64,
}

/// The column of a measure: `measure[.clock][.severity][@tier]`, such as
/// `violations.provider.critical@gold`.
pub fn column_name(of: &Selection) -> String {
    let mut name = of.measure.as_str().to_owned();
    let parts = [of.clock.map(|clock| clock.as_str()), of.severity.map(|it| it.as_str())];
    for part in parts.into_iter().flatten() {
        name.push('.');
        name.push_str(part);
    }
    if let Some(tier) = &of.tier {
        name.push('@');
        name.push_str(tier);
    }
    name
}

/// The first line, with its line feed: `arm,replication,seed` and the columns.
pub fn header(columns: &[String]) -> String {
    let names = KEYS.into_iter().chain(columns.iter().map(String::as_str));
    line(names.map(quoted))
}

/// A row, with its line feed: its values in the order of the columns. Numbers have as many digits as it
/// takes to read the same number back.
pub fn row(key: Key<'_>, values: &[(String, Option<f64>)]) -> String {
    let keys = [quoted(key.arm), key.replication.to_string(), key.seed.to_string()];
    line(keys.into_iter().chain(values.iter().map(|(_, value)| number(*value))))
}

/// The first line of survival data, with its line feed.
pub fn survival_header() -> String {
    "arm,replication,seed,curve,severity,hours,event,count\n".to_owned()
}

/// The survival data of a replication and arm: a row for each curve, severity and time at which
/// something ended (`event` 1) or was last seen open (`event` 0), with how many.
pub fn survival_rows(key: Key<'_>, outcome: &Outcome) -> String {
    let mut rows = String::new();
    let curves = [
        (CurveKind::TimeToFix, &outcome.time_to_fix),
        (CurveKind::TimeToAdopt, &outcome.time_to_adopt),
    ];
    for (curve, by_severity) in curves {
        for severity in Severity::ALL.iter().rev() {
            for tally in by_severity[*severity as usize].tallies() {
                for (event, count) in [("1", tally.events), ("0", tally.censored)] {
                    if count > 0 {
                        let fields = [
                            quoted(key.arm),
                            key.replication.to_string(),
                            key.seed.to_string(),
                            curve.as_str().to_owned(),
                            severity.as_str().to_owned(),
                            tally.time.to_string(),
                            event.to_owned(),
                            count.to_string(),
                        ];
                        rows.push_str(&line(fields.into_iter()));
                    }
                }
            }
        }
    }
    rows
}

fn line(fields: impl Iterator<Item = String>) -> String {
    let mut line = fields.collect::<Vec<_>>().join(",");
    line.push('\n');
    line
}

/// A number; nothing for none, and for what is not finite.
fn number(value: Option<f64>) -> String {
    match value.filter(|value| value.is_finite()) {
        // No minus before a zero: it means nothing, and some readers make a text of it.
        Some(0.0) => "0".to_owned(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

/// A text, in quotes where it would not be read back as it is.
fn quoted(text: &str) -> String {
    let plain = !text.is_empty()
        && text.trim() == text
        && !text.contains(['"', ',', '#', '\''])
        && !text.chars().any(char::is_control);
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}
