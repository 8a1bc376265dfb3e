//! Which figures of a result stand beside each other: measures as rows, with a cell for each arm.
use super::{figures, printable};
use crate::file::{Measure, Selection};
use crate::result::{CurveKind, CurveResult, MeasureResult, Statistic, StudyResult};
use crate::statistics::Interval;
use sim::severity::Severity;
use std::collections::BTreeMap;

/// A measure with what came of it in each arm.
pub(super) struct Row<'a> {
    /// What was measured.
    pub(crate) of: &'a Selection,
    /// Its unit.
    pub(crate) unit: &'a str,
    /// Of what the intervals are.
    pub(crate) statistic: Statistic,
    /// By arm.
    pub(crate) cells: Vec<Option<&'a Interval>>,
}

impl Row<'_> {
    /// What it is called, without its unit.
    pub(crate) fn name(&self) -> String {
        let words = printable::line(&self.of.words());
        match self.statistic {
            Statistic::Mean | Statistic::Proportion | Statistic::Ratio => words,
            Statistic::Median => format!("{words}, median"),
            Statistic::P90 => format!("{words}, 90 % quantile"),
        }
    }

    /// What it is called, with its unit.
    pub(crate) fn label(&self) -> String {
        with_unit(&self.name(), self.unit)
    }

    /// Whether there is anything to draw.
    pub(crate) fn has_estimate(&self) -> bool {
        self.cells.iter().flatten().any(|interval| interval.estimate.is_some())
    }
}

/// A name with its unit in brackets, when it has one.
pub(super) fn with_unit(name: &str, unit: &str) -> String {
    match unit {
        "" => name.to_owned(),
        unit => format!("{name} ({})", printable::line(unit)),
    }
}

/// All measures of all arms, in the order in which they come first.
pub(super) fn rows(result: &StudyResult) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (arm, of_arm) in result.arms.iter().enumerate() {
        for measure in &of_arm.measures {
            let place = match rows.iter().position(|row| is_of(row, measure)) {
                Some(place) => place,
                None => {
                    rows.push(Row {
                        of: &measure.of,
                        unit: &measure.unit,
                        statistic: measure.statistic,
                        cells: vec![None; result.arms.len()],
                    });
                    rows.len() - 1
                }
            };
            rows[place].cells[arm] = Some(&measure.interval);
        }
    }
    rows
}

fn is_of(row: &Row<'_>, measure: &MeasureResult) -> bool {
    row.statistic == measure.statistic && *row.of == measure.of
}

/// How much a measure matters to whom reads about arms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// It is drawn at once.
    First,
    /// It stands in the first table.
    Main,
    /// It stands among the others.
    Other,
}

/// The rank of a measure among those of the result.
pub(super) fn rank(row: &Row<'_>, rows: &[Row<'_>]) -> Rank {
    if row.of.severity.is_some() || row.of.tier.is_some() {
        return Rank::Other;
    }
    // Both clocks together add what happens once for the provider and once for the customer.
    let is_split = row.of.clock.is_none()
        && rows.iter().any(|other| other.of.measure == row.of.measure && other.of.clock.is_some());
    match row.of.measure {
        _ if is_split => Rank::Other,
        Measure::Violations
        | Measure::AnyViolation
        | Measure::Kept
        | Measure::ExposureDays
        | Measure::Utilization
        | Measure::QueueWaitP95
        | Measure::Drained90
        | Measure::Cost => Rank::First,
        Measure::QueueWaitMean
        | Measure::QueueWaitP50
        | Measure::QueueWaitP99
        | Measure::Drained50
        | Measure::Drained80
        | Measure::Drained95
        | Measure::Drained99 => Rank::Main,
        Measure::Undecided
        | Measure::BuilderHours
        | Measure::BusyBuilderHours
        | Measure::Builds
        | Measure::BuildsAtEnd
        | Measure::OpenAtEnd => Rank::Other,
    }
}

/// The unit of a measure that a comparison or the uncertainty names.
pub(super) fn unit_of<'a>(result: &'a StudyResult, of: &Selection) -> &'a str {
    let all = || result.arms.iter().flat_map(|arm| &arm.measures);
    let same = all().find(|measure| measure.of == *of);
    let alike = || all().find(|measure| measure.of.measure == of.measure);
    same.or_else(alike).map_or("", |measure| &measure.unit)
}

/// The unit of a difference: of shares it is in percentage points.
pub(super) fn unit_of_difference<'a>(result: &'a StudyResult, of: &Selection) -> &'a str {
    match unit_of(result, of) {
        "%" => "percentage points",
        unit => unit,
    }
}

/// Which curves there are in any arm: critical first.
pub(super) fn curve_kinds(result: &StudyResult) -> Vec<(CurveKind, Severity)> {
    let kinds = [CurveKind::TimeToFix, CurveKind::TimeToAdopt];
    let severities = Severity::ALL.iter().rev();
    let all = kinds.into_iter().flat_map(|kind| severities.clone().map(move |it| (kind, *it)));
    all.filter(|wanted| curves(result, *wanted).any(|curve| curve.is_some())).collect()
}

/// That curve of each arm.
pub(super) fn curves(
    result: &StudyResult,
    (kind, severity): (CurveKind, Severity),
) -> impl Iterator<Item = Option<&CurveResult>> {
    let is_it = move |curve: &&CurveResult| curve.of == kind && curve.severity == severity;
    result.arms.iter().map(move |arm| arm.curves.iter().find(is_it))
}

/// What is special about intervals: each note with the figures, and the arms of each figure.
pub(super) fn notes(result: &StudyResult) -> Vec<(String, Vec<String>)> {
    let mut notes: BTreeMap<String, Vec<(String, Vec<String>)>> = BTreeMap::new();
    let mut add = |interval: &Interval, of: String, arm: &str| {
        let Some(note) = &interval.note else { return };
        let figures = notes.entry(note.to_string()).or_default();
        let arm = printable::line(arm);
        match figures.iter_mut().find(|(figure, _)| *figure == of) {
            Some((_, arms)) => arms.push(arm),
            None => figures.push((of, vec![arm])),
        }
    };
    for row in rows(result) {
        for (arm, interval) in result.arms.iter().zip(&row.cells) {
            if let Some(interval) = interval {
                add(interval, row.name(), &arm.name);
            }
        }
    }
    for kind in curve_kinds(result) {
        for (arm, curve) in result.arms.iter().zip(curves(result, kind)) {
            let Some(curve) = curve else { continue };
            let name = format!("{}, {}", curve.of.words(), curve.severity);
            add(&curve.median, format!("{name}, median"), &arm.name);
            add(&curve.p90, format!("{name}, 90 %"), &arm.name);
        }
    }
    for comparison in &result.comparisons {
        let of = format!("difference in {}", printable::line(&comparison.of.words()));
        let pair = format!("{} less {}", comparison.arm, comparison.than);
        add(&comparison.difference, of, &pair);
    }
    let all = result.arms.len();
    notes
        .into_iter()
        .map(|(note, figures)| (note, figures.into_iter().map(|it| figure(it, all)).collect()))
        .collect()
}

/// A figure with its arms, which need no names when it is all of them.
fn figure((figure, arms): (String, Vec<String>), all: usize) -> String {
    if arms.len() == all && !figure.starts_with("difference") {
        return figure;
    }
    let named = arms.iter().take(6).cloned().collect::<Vec<_>>().join(", ");
    match arms.len().saturating_sub(6) {
        0 => format!("{figure} ({named})"),
        more => format!("{figure} ({named} and {more} more)"),
    }
}

/// What was played, in one sentence.
pub(super) fn played(result: &StudyResult) -> String {
    format!(
        "{} replications of each arm, {} d each, figures from day {} on; seeds from {}; {} \
         confidence; kernel {}.",
        figures::count(result.replications),
        figures::alone(result.horizon_days),
        figures::alone(result.warm_up_days),
        result.seed,
        figures::percent(result.confidence),
        printable::line(&result.kernel),
    )
}
