//! Answers to the questions of a study, each in a sentence, with what it rests on.
use super::{Campaign, comparisons, estimate_of, paired};
use crate::file::{Better, Cheapest, FewestBuilders, Measure, Question, Selection, SmallestSla};
use crate::result::Answer;
use crate::statistics::{
    Better as Direction, Interval, Level, Selection as Wanted, Selector, share,
};
use sim::severity::Severity;

pub(super) fn answers(campaign: &Campaign) -> Vec<Answer> {
    let questions = campaign.compiled.study.questions.iter();
    questions
        .flat_map(|question| match question {
            Question::SmallestSla(of) => smallest_slas(campaign, of),
            Question::FewestBuilders(of) => vec![fewest_builders(campaign, of)],
            Question::Cheapest(of) => vec![cheapest(campaign, of)],
            Question::Better(of) => vec![better(campaign, of)],
        })
        .collect()
}

/// A number for a sentence: three digits.
fn number(value: f64) -> String {
    let size = libm::fabs(value);
    if size >= 100.0 || value == libm::round(value) {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else if size >= 0.1 {
        format!("{value:.2}")
    } else {
        format!("{value:.4}")
    }
}

/// A value of a measure: a share in percent.
fn value_of(measure: Measure, value: f64) -> String {
    match measure {
        Measure::AnyViolation | Measure::Kept | Measure::Utilization => percent(value),
        _ => number(value),
    }
}

fn percent(share: f64) -> String {
    format!("{} %", number(share * 100.0))
}

fn replications(campaign: &Campaign) -> String {
    let confidence = percent(campaign.compiled.level.confidence());
    format!("{} replications of each arm, {confidence} confidence", campaign.counted)
}

/// How many more replications make an interval so much narrower that its limit reaches a value, if the
/// estimate stays; none: it never would.
fn more_needed(campaign: &Campaign, estimate: f64, limit: f64, wanted: f64) -> Option<u64> {
    let (width, room) = (libm::fabs(estimate - limit), libm::fabs(estimate - wanted));
    if room <= 0.0 || !width.is_finite() {
        return None;
    }
    let n = f64::from(campaign.counted);
    let total = libm::ceil(n * (width / room) * (width / room));
    let extra = (total - n).max(1.0);
    (extra < 1e12).then(|| whole(extra))
}

fn whole(value: f64) -> u64 {
    // At most 1e12.
    format!("{value:.0}").parse().unwrap_or(0)
}

fn cannot_be_told(more: Option<u64>) -> String {
    match more {
        Some(more) => format!("cannot be told with this budget: about {more} more replications"),
        None => "cannot be told: the estimate lies at the limit itself".to_owned(),
    }
}

/// How a severity fares.
enum Kept {
    Nothing,
    By(u32, Interval),
    NotBy(u32, Interval),
    Open(Option<u64>),
}

fn smallest_slas(campaign: &Campaign, of: &SmallestSla) -> Vec<Answer> {
    let arms = campaign.compiled.arms.iter().enumerate();
    let asked = arms.filter(|(_, arm)| of.arm.as_ref().is_none_or(|name| *name == arm.name));
    asked.map(|(arm, _)| smallest_sla(campaign, of, arm)).collect()
}

fn smallest_sla(campaign: &Campaign, of: &SmallestSla, arm: usize) -> Answer {
    let wanted = of.kept.value();
    let level = campaign.compiled.level.bonferroni(Severity::ALL.len());
    let mut said = Vec::new();
    let mut basis = Vec::new();
    let mut needed: Option<u64> = None;
    let mut told = true;
    for severity in Severity::ALL.iter().rev() {
        let name = severity.as_str();
        match kept(campaign, of, arm, *severity, level) {
            Kept::Nothing => said.push(format!("{name}: no timers")),
            Kept::By(days, interval) => {
                said.push(format!("{name} {days} d"));
                let limit = interval.lower.map_or_else(String::new, percent);
                let estimate = interval.estimate.map_or_else(String::new, percent);
                basis.push(format!("{name}: {estimate} kept, at least {limit}"));
            }
            Kept::NotBy(days, interval) => {
                said.push(format!("{name}: none of up to {days} d"));
                let limit = interval.upper.map_or_else(String::new, percent);
                basis.push(format!("{name}: at most {limit} kept within {days} d"));
            }
            Kept::Open(more) => {
                told = false;
                needed = needed.max(more);
                said.push(format!("{name}: {}", cannot_be_told(more)));
            }
        }
    }
    let whose = of.tier.as_ref().map_or_else(String::new, |tier| format!(" of tier {tier}"));
    let name = &campaign.compiled.arms[arm].name;
    Answer {
        question: format!(
            "Which deadlines{whose} does the {} clock keep with at least {} in {name}?",
            of.clock.as_str(),
            percent(wanted)
        ),
        answer: said.join("; "),
        basis: format!(
            "{}; the lower limit, not the estimate, reaches {} for all severities at once \
             (Bonferroni); only timers whose deadline lies before the end count{}",
            replications(campaign),
            percent(wanted),
            if basis.is_empty() { String::new() } else { format!("; {}", basis.join(", ")) }
        ),
        told,
        more_replications: needed,
    }
}

fn kept(
    campaign: &Campaign,
    of: &SmallestSla,
    arm: usize,
    severity: Severity,
    level: Level,
) -> Kept {
    let groups = campaign.counting.groups.iter();
    let place = groups.clone().position(|group| {
        group.clock == of.clock && group.severity == severity && group.tier == of.tier
    });
    let wanted = of.kept.value();
    let by_days = place.map_or(&[][..], |place| &campaign.tallies[arm].deadlines[place]);
    let mut longest = None;
    let mut needed: Option<u64> = None;
    let mut open = false;
    for (days, moments) in (1_u32..).zip(by_days) {
        let interval = share(moments, level);
        let Some(estimate) = interval.estimate else { continue };
        if interval.lower.is_some_and(|lower| lower >= wanted) {
            return Kept::By(days, interval);
        }
        if interval.upper.is_none_or(|upper| upper >= wanted) {
            open = true;
            let more = interval.lower.filter(|_| estimate > wanted);
            let more = more.and_then(|lower| more_needed(campaign, estimate, lower, wanted));
            needed = needed.into_iter().chain(more).min();
        }
        longest = Some((days, interval));
    }
    match longest {
        None => Kept::Nothing,
        Some(_) if open => Kept::Open(needed),
        Some((days, interval)) => Kept::NotBy(days, interval),
    }
}

fn fewest_builders(campaign: &Campaign, of: &FewestBuilders) -> Answer {
    let criterion = &of.criterion;
    let (side, wanted) = match (criterion.at_most, criterion.at_least) {
        (Some(most), _) => ("at most", most.0),
        (None, least) => ("at least", least.map_or(0.0, |least| least.0)),
    };
    let at_most = criterion.at_most.is_some();
    let arms = campaign.compiled.arms.len();
    let level = campaign.compiled.level.bonferroni(arms);
    let mut by_builders: Vec<(u32, usize)> = campaign
        .compiled
        .nominal()
        .iter()
        .zip(0..)
        .map(|(scenario, arm)| (scenario.builders.count, arm))
        .collect();
    by_builders.sort_unstable();
    let mut open = Vec::new();
    let mut needed = None;
    let mut found = None;
    for (builders, arm) in by_builders {
        let interval = estimate_of(campaign, arm, &criterion.of, level);
        let (holds, fails) = if at_most {
            (interval.upper.map(|u| u <= wanted), interval.lower.map(|l| l > wanted))
        } else {
            (interval.lower.map(|l| l >= wanted), interval.upper.map(|u| u < wanted))
        };
        if holds == Some(true) {
            found = Some((builders, arm, interval));
            break;
        }
        if fails != Some(true) {
            open.push(campaign.compiled.arms[arm].name.clone());
            let limit = if at_most { interval.upper } else { interval.lower };
            if let (Some(estimate), Some(limit)) = (interval.estimate, limit) {
                needed = needed.max(more_needed(campaign, estimate, limit, wanted));
            }
        }
    }
    let unsure = if open.is_empty() {
        String::new()
    } else {
        format!("; whether {} would do {}", open.join(" or "), cannot_be_told(needed))
    };
    let answer = match &found {
        Some((builders, arm, interval)) => {
            let name = &campaign.compiled.arms[*arm].name;
            let shown = |value| value_of(criterion.of.measure, value);
            let seen = interval.estimate.map_or_else(String::new, shown);
            let noun = if *builders == 1 { "builder" } else { "builders" };
            format!("{builders} {noun} ({name}: {seen}){unsure}")
        }
        None if open.is_empty() => "none of the arms has enough".to_owned(),
        None => cannot_be_told(needed),
    };
    Answer {
        question: format!(
            "How few builders keep the {}: {side} {}?",
            criterion.of.words(),
            value_of(criterion.of.measure, wanted)
        ),
        answer,
        basis: format!(
            "{}; the limit, not the estimate, holds for all arms at once (Bonferroni)",
            replications(campaign)
        ),
        told: open.is_empty(),
        more_replications: needed,
    }
}

fn cheapest(campaign: &Campaign, of: &Cheapest) -> Answer {
    let question = "Which arm costs least?".to_owned();
    match of.indifference.map(|of| of.value()).filter(|delta| *delta > 0.0) {
        Some(delta) => cheapest_by_selection(campaign, question, delta),
        None => cheapest_by_pairs(campaign, question),
    }
}

fn costs(campaign: &Campaign, arm: usize) -> &[f64] {
    campaign.tallies[arm].of(&campaign.counting, &Selection::all(Measure::Cost))
}

fn means(campaign: &Campaign) -> Vec<f64> {
    let arms = 0..campaign.compiled.arms.len();
    arms.map(|arm| super::moments(costs(campaign, arm)).mean).collect()
}

/// KN, fed with the replications in their order as if they came one by one.
fn cheapest_by_selection(campaign: &Campaign, question: String, delta: f64) -> Answer {
    const FIRST: u64 = 10;
    let arms = campaign.compiled.arms.len();
    let wanted =
        Wanted { better: Direction::Lower, delta, level: campaign.compiled.level, first: FIRST };
    let chosen = Selector::new(wanted, arms).ok().and_then(|mut selector| {
        for replication in 0..campaign.counted as usize {
            let in_play = selector.survivors().to_vec();
            let values: Vec<f64> =
                in_play.iter().map(|arm| costs(campaign, *arm)[replication]).collect();
            if let Some(chosen) = selector.feed(&values).chosen {
                return Some((chosen, replication + 1));
            }
        }
        selector.chosen().map(|chosen| (chosen, 0))
    });
    let currency = campaign.compiled.costs().map_or("", |costs| costs.currency.as_str());
    match chosen {
        Some((arm, after)) => Answer {
            question,
            answer: format!(
                "{}, at {} {currency}",
                campaign.compiled.arms[arm].name,
                number(means(campaign)[arm])
            ),
            basis: format!("{after} replications of each arm. {}", wanted.guarantee()),
            told: true,
            more_replications: None,
        },
        None => Answer {
            question,
            answer: cannot_be_told(Some(u64::from(campaign.counted))),
            basis: format!(
                "{}; the procedure of Kim and Nelson has not chosen among the arms that are left",
                replications(campaign)
            ),
            told: false,
            more_replications: Some(u64::from(campaign.counted)),
        },
    }
}

fn cheapest_by_pairs(campaign: &Campaign, question: String) -> Answer {
    let means = means(campaign);
    let arms = means.len();
    let best = (0..arms).min_by(|a, b| means[*a].total_cmp(&means[*b])).unwrap_or(0);
    let level = campaign.compiled.level.bonferroni(arms * (arms - 1) / 2);
    let mut needed = None;
    let mut rivals = Vec::new();
    for other in (0..arms).filter(|arm| *arm != best) {
        let pair = paired(campaign, best, other, &Selection::all(Measure::Cost));
        let interval = pair.interval(level);
        if interval.upper.is_none_or(|upper| upper >= 0.0) {
            rivals.push(campaign.compiled.arms[other].name.clone());
            if let (Some(estimate), Some(upper)) = (interval.estimate, interval.upper) {
                needed = needed.max(more_needed(campaign, estimate, upper, 0.0));
            }
        }
    }
    let currency = campaign.compiled.costs().map_or("", |costs| costs.currency.as_str());
    let name = &campaign.compiled.arms[best].name;
    let answer = if rivals.is_empty() {
        format!("{name}, at {} {currency}", number(means[best]))
    } else {
        format!("{name} or {}: which one {}", rivals.join(" or "), cannot_be_told(needed))
    };
    Answer {
        question,
        answer,
        basis: format!(
            "{}; every pair of arms compared under the same seeds, all at once (Bonferroni)",
            replications(campaign)
        ),
        told: rivals.is_empty(),
        more_replications: needed,
    }
}

fn better(campaign: &Campaign, of: &Better) -> Answer {
    let all = comparisons(campaign);
    let this = all.iter().find(|c| c.arm == of.arm && c.than == of.than && c.of == of.measure);
    let words = of.measure.words();
    let question = format!("Is {} better than {} in {words}?", of.arm, of.than);
    let basis = format!(
        "{}, paired by seed; {} comparisons at once: Holm decides, the interval is Bonferroni's",
        replications(campaign),
        all.len()
    );
    let Some((this, estimate)) = this.and_then(|c| Some((c, c.difference.estimate?))) else {
        let answer = "cannot be told: there is nothing to compare".to_owned();
        return Answer { question, answer, basis, told: false, more_replications: None };
    };
    let limits = match (this.difference.lower, this.difference.upper) {
        (Some(lower), Some(upper)) => format!(" ({} to {})", number(lower), number(upper)),
        _ => String::new(),
    };
    let higher_is_better = of.measure.measure == Measure::Kept;
    if this.differs {
        let is_better = (estimate > 0.0) == higher_is_better;
        let answer = format!(
            "{}: the difference is {}{limits}",
            if is_better { "yes" } else { "no, it is worse" },
            number(estimate)
        );
        return Answer { question, answer, basis, told: true, more_replications: None };
    }
    if let Some(note) = &this.difference.note {
        let answer = format!("no difference was seen: {note}");
        return Answer { question, answer, basis, told: false, more_replications: None };
    }
    let limit = if estimate > 0.0 { this.difference.lower } else { this.difference.upper };
    let needed = limit.and_then(|limit| more_needed(campaign, estimate, limit, 0.0));
    Answer {
        question,
        answer: format!(
            "{}; the difference is {}{limits}",
            cannot_be_told(needed),
            number(estimate)
        ),
        basis,
        told: false,
        more_replications: needed,
    }
}
