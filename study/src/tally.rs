//! What is kept of the replications of an arm while a study plays: little, however many there are.
use crate::arms::Compiled;
use crate::file::{Measure, Question, Selection};
use crate::measure::{Outcome, cells};
use crate::statistics::{RatioMoments, Section};
use sim::fact::Clock;
use sim::severity::Severity;

/// Replications are put together into so many sections: each is the unit of the bands of curves.
const SECTIONS: usize = 100;

/// All figures that are reported for each arm, in order.
pub(crate) fn selections(compiled: &Compiled) -> Vec<Selection> {
    let mut all = Vec::new();
    let tiers = &compiled.tiers.0;
    let events = compiled.nominal().iter().any(|scenario| {
        let kinds = scenario.incidents.iter().map(|incident| &incident.kind);
        kinds
            .clone()
            .any(|kind| matches!(kind, sim::scenario::model::IncidentKind::MassVulnerability(_)))
    });
    for measure in Measure::ALL {
        if measure == Measure::Cost && compiled.costs().is_none()
            || measure.drained_share().is_some() && !events
        {
            continue;
        }
        let all_of = Selection::all(measure);
        all.push(all_of.clone());
        let by_severity = Severity::ALL.iter().rev().map(|severity| Some(*severity));
        if measure.is_of_timers() {
            for clock in [Clock::Provider, Clock::Customer] {
                let clock = Some(clock);
                all.push(Selection { clock, ..all_of.clone() });
                for severity in by_severity.clone() {
                    all.push(Selection { clock, severity, ..all_of.clone() });
                }
                for tier in tiers.iter().filter(|_| tiers.len() > 1) {
                    let tier = Some(tier.clone());
                    all.push(Selection { clock, tier, ..all_of.clone() });
                }
            }
        }
        if matches!(measure, Measure::ExposureDays | Measure::OpenAtEnd) {
            all.extend(by_severity.map(|severity| Selection { severity, ..all_of.clone() }));
        }
        if measure == Measure::ExposureDays && tiers.len() > 1 {
            let tier = |tier: &String| Selection { tier: Some(tier.clone()), ..all_of.clone() };
            all.extend(tiers.iter().map(tier));
        }
    }
    for asked in asked(compiled) {
        if !all.contains(&asked) {
            all.push(asked);
        }
    }
    all
}

/// What the study itself names.
fn asked(compiled: &Compiled) -> Vec<Selection> {
    let of = |question: &Question| match question {
        Question::FewestBuilders(of) => Some(of.criterion.of.clone()),
        Question::Better(of) => Some(of.measure.clone()),
        Question::SmallestSla(_) | Question::Cheapest(_) => None,
    };
    let questions = compiled.study.questions.iter().filter_map(of);
    questions.chain([compiled.main_measure()]).collect()
}

/// The timers of a clock and severity, of all customers or of a tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeadlineGroup {
    pub(crate) clock: Clock,
    pub(crate) severity: Severity,
    pub(crate) tier: Option<String>,
}

/// The groups for which deadlines are tried.
pub(crate) fn deadline_groups(compiled: &Compiled) -> Vec<DeadlineGroup> {
    let mut tiers: Vec<Option<String>> = vec![None];
    for question in &compiled.study.questions {
        if let Question::SmallestSla(of) = question
            && !tiers.contains(&of.tier)
        {
            tiers.push(of.tier.clone());
        }
    }
    let mut groups = Vec::new();
    for tier in tiers {
        for clock in [Clock::Provider, Clock::Customer] {
            for severity in Severity::ALL.iter().rev() {
                groups.push(DeadlineGroup { clock, severity: *severity, tier: tier.clone() });
            }
        }
    }
    groups
}

/// An arm's replications so far.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    /// By selection, then by replication; NaN where a replication has no value.
    pub(crate) values: Vec<Vec<f64>>,
    /// By selection; only for shares of timers.
    pub(crate) ratios: Vec<RatioMoments>,
    /// By group, then by days from 1 on: what was missed of what a deadline decides.
    pub(crate) deadlines: Vec<Vec<RatioMoments>>,
    /// By severity and section.
    pub(crate) time_to_fix: [Vec<Section>; 4],
    pub(crate) time_to_adopt: [Vec<Section>; 4],
    played: usize,
}

/// What a tally counts.
#[derive(Clone, Debug)]
pub(crate) struct Counting {
    pub(crate) selections: Vec<Selection>,
    pub(crate) groups: Vec<DeadlineGroup>,
    /// By group: the places of its cells.
    cells: Vec<Vec<usize>>,
    days: usize,
}

impl Counting {
    pub(crate) fn new(compiled: &Compiled) -> Self {
        let groups = deadline_groups(compiled);
        let places = |group: &DeadlineGroup| {
            let of = Selection {
                measure: Measure::Kept,
                clock: Some(group.clock),
                severity: Some(group.severity),
                tier: group.tier.clone(),
            };
            cells(&of, &compiled.tiers.0)
        };
        let cells = groups.iter().map(places).collect();
        let measured = compiled.horizon.0 - compiled.warm_up.0;
        let days = usize::try_from(measured / sim::time::DAY_MS).unwrap_or(0).min(MOST_DAYS);
        Counting { selections: selections(compiled), groups, cells, days }
    }
}

/// The longest deadline that is tried, in days.
const MOST_DAYS: usize = 366;

impl Tally {
    /// For at most so many replications: room for them is set aside once, and used as they come.
    pub(crate) fn new(counting: &Counting, budget: usize) -> Self {
        let values = |_: &Selection| Vec::with_capacity(budget);
        Tally {
            values: counting.selections.iter().map(values).collect(),
            ratios: vec![RatioMoments::default(); counting.selections.len()],
            deadlines: vec![vec![RatioMoments::default(); counting.days]; counting.groups.len()],
            time_to_fix: Default::default(),
            time_to_adopt: Default::default(),
            played: 0,
        }
    }

    /// Takes the next replication into account.
    pub(crate) fn add(&mut self, counting: &Counting, compiled: &Compiled, outcome: &Outcome) {
        let tiers = &compiled.tiers.0;
        for (place, of) in counting.selections.iter().enumerate() {
            let value = outcome.value(of, tiers, compiled.costs());
            self.values[place].push(value.unwrap_or(f64::NAN));
            if of.measure == Measure::Kept {
                let timers = outcome.timers(of, tiers);
                let decided = timers.kept + timers.missed;
                self.ratios[place].push(timers.kept as f64, decided as f64);
            }
        }
        for (group, cells) in counting.cells.iter().enumerate() {
            let counts = by_days(outcome, cells, counting.days);
            for (moments, (decided, kept)) in self.deadlines[group].iter_mut().zip(counts) {
                moments.push(kept as f64, decided as f64);
            }
        }
        let section = self.played % SECTIONS;
        for severity in 0..4 {
            merge(&mut self.time_to_fix[severity], section, &outcome.time_to_fix[severity]);
            merge(&mut self.time_to_adopt[severity], section, &outcome.time_to_adopt[severity]);
        }
        self.played += 1;
    }

    /// The values of a selection.
    pub(crate) fn of<'a>(&'a self, counting: &Counting, of: &Selection) -> &'a [f64] {
        let place = counting.selections.iter().position(|own| own == of);
        place.map_or(&[], |place| &self.values[place])
    }
}

fn merge(sections: &mut Vec<Section>, section: usize, of: &Section) {
    if sections.len() <= section {
        sections.resize(section + 1, Section::default());
    }
    sections[section].merge(of);
}

/// For each deadline from one day on, how many timers it decides, and how many of these it keeps.
fn by_days(outcome: &Outcome, cells: &[usize], days: usize) -> Vec<(i64, i64)> {
    // What begins and ends to count at a deadline; added up from the shortest on.
    let mut change = vec![(0_i64, 0_i64); days + 2];
    for count in outcome.deadlines.0.iter().filter(|count| cells.contains(&count.cell)) {
        let watched = (count.watched_days as usize).min(days);
        let timers = i64::try_from(count.timers).unwrap_or(i64::MAX);
        if watched == 0 {
            continue;
        }
        change[1].0 += timers;
        change[watched + 1].0 -= timers;
        if let Some(took) = count.took_days.map(|took| took as usize).filter(|t| *t <= watched) {
            change[took].1 += timers;
            change[watched + 1].1 -= timers;
        }
    }
    let (mut decided, mut kept) = (0, 0);
    let sums = change[1..=days].iter().map(|(more_decided, more_kept)| {
        decided += more_decided;
        kept += more_kept;
        (decided, kept)
    });
    sums.collect()
}
