//! Against published tables and R's `survival` 3.5-3, and the degenerate curves.
use super::*;

fn level() -> Level {
    Level::new(0.95).unwrap()
}

/// One section of each subject: (time, whether the event happened).
fn singles(subjects: &[(u32, bool)]) -> Vec<Section> {
    subjects.iter().map(|subject| section(&[*subject])).collect()
}

fn section(subjects: &[(u32, bool)]) -> Section {
    let mut section = Section::default();
    for (time, happened) in subjects {
        if *happened { section.event(*time) } else { section.censored(*time) }
    }
    section
}

/// Remission in weeks under 6-mercaptopurine (Freireich et al. 1963).
fn remissions() -> Vec<(u32, bool)> {
    let events = [6, 6, 6, 7, 10, 13, 16, 22, 23].map(|time| (time, true));
    let censored = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35].map(|time| (time, false));
    events.into_iter().chain(censored).collect()
}

#[test]
fn the_curve_of_the_remissions_is_the_published_one() {
    // Collett, "Modelling Survival Data in Medical Research"; Kleinbaum and Klein, table 2.4.
    let curve = Curve::of(&singles(&remissions()));
    let published = [
        (6, 0.857, 0.0764),
        (7, 0.807, 0.0869),
        (10, 0.753, 0.0963),
        (13, 0.690, 0.1068),
        (16, 0.627, 0.1141),
        (22, 0.538, 0.1282),
        (23, 0.448, 0.1346),
    ];
    let steps: Vec<&Point> = curve.points.iter().filter(|point| point.events > 0).collect();
    assert_eq!(steps.len(), published.len());
    for (point, (time, survival, error)) in steps.into_iter().zip(published) {
        assert_eq!(point.time, time);
        assert!((point.survival - survival).abs() < 5e-4, "{point:?}");
        let got = point.survival * point.greenwood.unwrap().sqrt();
        assert!((got - error).abs() < 5e-5, "{point:?}: {got}");
    }
    let median = curve.quantile(0.5, level(), Variance::Greenwood);
    assert_eq!((median.estimate, median.lower, median.upper), (Some(23.0), Some(13.0), None));
    assert_eq!(median.note, Some(Note::LimitNeverReached));
    assert_eq!(curve.points[0].at_risk, 21);
}

#[test]
fn with_every_subject_on_its_own_the_jackknife_is_greenwood() {
    let curve = Curve::of(&singles(&remissions()));
    for point in &curve.points {
        let (one, other) = (point.clustered.unwrap(), point.greenwood.unwrap());
        assert!((one - other).abs() < 1e-15, "{point:?}");
    }
}

/// Ten subjects in four sections, with ties and events and censorings at the end.
fn tied() -> Vec<Section> {
    vec![
        section(&[(1, true), (1, false), (4, true)]),
        section(&[(2, true), (4, true), (5, true)]),
        section(&[(2, true), (3, false), (5, false)]),
        section(&[(5, false)]),
    ]
}

#[test]
fn the_clustered_variance_is_that_of_r() {
    // survfit(Surv(t, s) ~ 1, cluster = id)$std.err
    let curve = Curve::of(&tied());
    let expected = [
        (1, 0.9, 0.082_462_112_512_353_22),
        (2, 0.675, 0.043_892_624_665_198_6),
        (3, 0.675, 0.043_892_624_665_198_6),
        (4, 0.405, 0.135_318_374_583_794_06),
        (5, 0.27, 0.177_463_376_503_435_22),
    ];
    assert_eq!(curve.points.len(), expected.len());
    for (point, (time, survival, error)) in curve.points.iter().zip(expected) {
        let got = point.survival * point.clustered.unwrap().sqrt();
        assert_eq!(point.time, time);
        assert!((point.survival - survival).abs() < 1e-14, "{point:?}");
        assert!((got - error).abs() < 1e-14, "{point:?}: {got}");
    }
    let at_risk: Vec<u64> = curve.points.iter().map(|point| point.sections_at_risk).collect();
    assert_eq!(at_risk, [4, 4, 4, 4, 3]);
}

#[test]
fn greenwoods_band_is_that_of_r() {
    // survfit(Surv(t, s) ~ 1, conf.type = "log-log")$lower
    let band = Curve::of(&tied()).band(level(), Variance::Greenwood);
    let lower = [
        0.473_009_271_362_050_5,
        0.290_585_357_403_132_8,
        0.290_585_357_403_132_8,
        0.099_916_146_386_740_72,
        0.041_356_972_913_025_74,
    ];
    for (band, lower) in band.iter().zip(lower) {
        assert!((band.lower.unwrap() - lower).abs() < 1e-13, "{band:?}");
        assert!(band.upper.unwrap() > band.survival && band.upper.unwrap() < 1.0);
    }
}

#[test]
fn the_clustered_band_is_wider_for_few_sections() {
    let curve = Curve::of(&tied());
    let band = curve.band(level(), Variance::Clustered);
    let point = &curve.points[3];
    let error = (point.clustered.unwrap() * 4.0 / 3.0).sqrt() * t_upper(0.025, 3.0);
    let log_log = (-point.survival.ln()).ln();
    for (limit, side) in [(band[3].lower, 1.0), (band[3].upper, -1.0)] {
        let expected = (-(log_log + side * error / -point.survival.ln()).exp()).exp();
        assert!((limit.unwrap() - expected).abs() < 1e-12, "{limit:?} {expected}");
    }
    let one = Curve::of(&[section(&remissions())]);
    let at = one.at(10, level(), Variance::Clustered);
    assert_eq!((at.lower, at.upper, at.note), (None, None, Some(Note::OneValue)));
}

#[test]
fn a_median_that_is_exactly_one_half_is_reached() {
    // As a product of floating-point numbers, five of six comes out above one half for some.
    for n in 2..=40_u32 {
        let subjects: Vec<(u32, bool)> = (1..=n).map(|time| (time, true)).collect();
        let median = Curve::of(&singles(&subjects)).quantile(0.5, level(), Variance::Greenwood);
        assert_eq!(median.estimate, Some(f64::from(n.div_ceil(2))), "{n}");
    }
}

#[test]
fn a_curve_that_never_reaches_one_half_says_so() {
    let mut subjects = vec![(9, false); 60];
    subjects[..20].fill((4, true));
    let curve = Curve::of(&singles(&subjects));
    let median = curve.quantile(0.5, level(), Variance::Clustered);
    assert_eq!((median.estimate, median.lower, median.upper), (None, None, None));
    assert_eq!(median.note, Some(Note::NeverReached));
    // Its band may fall so low.
    subjects.truncate(44);
    let curve = Curve::of(&singles(&subjects));
    let median = curve.quantile(0.5, level(), Variance::Clustered);
    assert_eq!((median.estimate, median.lower), (None, Some(4.0)));
    assert_eq!(median.note, Some(Note::NeverReached));
}

#[test]
fn no_event_is_bounded_by_what_is_at_risk() {
    let mut sections = vec![section(&[(10, false), (10, false)]); 12];
    sections[0] = section(&[(3, false)]);
    let curve = Curve::of(&sections);
    for (time, units) in [(0, 12.0), (3, 12.0), (4, 11.0), (10, 11.0)] {
        let at = curve.at(time, level(), Variance::Clustered);
        assert_eq!((at.estimate, at.upper), (Some(1.0), Some(1.0)), "{time}");
        assert_eq!(at.note, Some(Note::NoEvents));
        let lower = 0.05_f64.powf(1.0 / units);
        assert!((at.lower.unwrap() - lower).abs() < 1e-12, "{time}: {at:?}");
    }
    let at = curve.at(10, level(), Variance::Greenwood);
    assert!((at.lower.unwrap() - 0.05_f64.powf(1.0 / 22.0)).abs() < 1e-12);
    let beyond = curve.at(11, level(), Variance::Clustered);
    assert_eq!((beyond.estimate, beyond.note), (None, Some(Note::BeyondObservation)));
    let none = curve.quantile(0.5, level(), Variance::Clustered);
    assert_eq!((none.estimate, none.lower), (None, None), "no event is no lower limit either");
}

#[test]
fn a_curve_at_nothing_has_no_band() {
    let curve = Curve::of(&singles(&[(5, true)]));
    let median = curve.quantile(0.5, level(), Variance::Greenwood);
    assert_eq!((median.estimate, median.lower, median.upper), (Some(5.0), None, None));
    let after = curve.at(99, level(), Variance::Greenwood);
    assert_eq!((after.estimate, after.note), (Some(0.0), Some(Note::AllEvents)));
    let empty = Curve::of(&[Section::default()]);
    assert_eq!(empty.quantile(0.5, level(), Variance::Greenwood).note, Some(Note::NoData));
    assert_eq!(empty.at(0, level(), Variance::Clustered).note, Some(Note::NoData));
}

#[test]
fn what_is_censored_at_a_time_has_lasted_until_it() {
    let curve = Curve::of(&[section(&[(7, true), (7, false)])]);
    assert_eq!(curve.points[0].survival, 0.5);
}

#[test]
fn sections_merge_in_any_order() {
    let sections = tied();
    let (mut one, mut other) = (Section::default(), Section::default());
    sections.iter().for_each(|section| one.merge(section));
    sections.iter().rev().for_each(|section| other.merge(section));
    assert_eq!(one, other);
    assert_eq!(one.subjects(), 10);
    let mut single = Section::default();
    for tally in one.tallies().iter().rev() {
        single.add(tally.time, tally.events, tally.censored);
        single.add(tally.time, 0, 0);
    }
    assert_eq!(single, one);
    let times: Vec<u32> = one.tallies().iter().map(|tally| tally.time).collect();
    assert_eq!(times, [1, 2, 3, 4, 5]);
}
