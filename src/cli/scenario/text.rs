//! The review of a scenario for people.
use sim::scenario::model::{Calendar, ClockStart, OnReexposure};
use sim::scenario::review::{Firing, Firings, Load, Promise, Review};
use std::fmt::{Result, Write};
use std::path::Path;

pub(super) fn write(out: &mut String, file: &Path, review: &Review) -> Result {
    writeln!(out, "{}: {}", file.display(), review.title)?;
    writeln!(
        out,
        "  {} images, {} packages that scanners see as {}'s, {} customers, {} policies; {} to {}, seed {}",
        review.images,
        review.packages,
        review.identity.as_str(),
        review.customers,
        review.policies.len(),
        review.starts_at,
        review.ends_at,
        review.seed
    )?;
    writeln!(out, "\n  schedules and their next firings")?;
    for schedule in &review.schedules {
        writeln!(out, "    {}", firings(schedule))?;
    }
    load(out, &review.load)?;
    if !review.policies.is_empty() {
        policies(out, &review.policies)?;
    }
    for warning in &review.warnings {
        writeln!(out, "\n  warning: {}: {}", warning.field, warning.text)?;
    }
    writeln!(out)
}

fn firings(schedule: &Firings) -> String {
    let Some(cron) = &schedule.schedule else {
        return format!("{:<17} never", schedule.field);
    };
    let firing = |firing: &Firing| format!("{} {}", firing.weekday, firing.at);
    let next: Vec<String> = schedule.next.iter().map(firing).collect();
    format!("{:<17} {cron:<14} {}", schedule.field, next.join(", "))
}

fn load(out: &mut String, load: &Load) -> Result {
    let Load { rebuilds_per_day, arrivals_per_day, attempt_minutes, attempts, .. } = load;
    writeln!(out, "\n  load of the builders, in the mean")?;
    let streams = match *arrivals_per_day > 0.0 {
        true => format!(" and {arrivals_per_day:.1} of streams"),
        false => String::new(),
    };
    writeln!(
        out,
        "    {rebuilds_per_day:.1} builds a day by cron{streams}, {attempt_minutes:.1} min an \
         attempt, {attempts:.3} attempts a build:"
    )?;
    writeln!(
        out,
        "    {:.1} of {:.0} builder-hours a day, {:.0} %; one rebuild of all images takes {:.1} h",
        load.needed_hours_per_day,
        load.pool_hours_per_day,
        load.share * 100.0,
        load.rebuild_hours
    )?;
    writeln!(out, "    not counted: {}", load.not_counted)
}

/// A table of which each column is as wide as its widest cell.
fn policies(out: &mut String, policies: &[Promise]) -> Result {
    let head = [
        "policy",
        "critical",
        "high",
        "medium",
        "low",
        "days",
        "starts",
        "pauses",
        "excluded over",
        "of what is found",
        "again",
        "at risk",
        "customers",
    ];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(policies.iter().map(cells));
    let wide = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..head.len()).map(|column| wide(column).unwrap_or(0)).collect();
    writeln!(out, "\n  policies, with their presets resolved")?;
    for row in &rows {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(out, "    {}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

fn cells(policy: &Promise) -> [String; 13] {
    let days = |days: Option<u32>| days.map_or_else(|| "-".to_owned(), |days| days.to_string());
    let percent = |share: f64| format!("{} %", (share * 1000.0).round() / 10.0);
    let or_none = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), percent);
    [
        policy.name.clone(),
        days(policy.critical),
        days(policy.high),
        days(policy.medium),
        days(policy.low),
        match policy.calendar {
            Calendar::Calendar => "calendar",
            Calendar::Business => "business",
        }
        .to_owned(),
        match policy.clock_start {
            ClockStart::FixAvailable => "fix available",
            ClockStart::Detected => "detected",
            ClockStart::Published => "published",
        }
        .to_owned(),
        if policy.pause_without_fix { "without fix" } else { "never" }.to_owned(),
        or_none(policy.exclude_mass_events_over),
        or_none(policy.excluded_share),
        match policy.on_reexposure {
            OnReexposure::Continue => "continues",
            OnReexposure::Restart => "restarts",
            OnReexposure::Ignore => "not owed",
        }
        .to_owned(),
        percent(policy.warn_share),
        policy.customers.to_string(),
    ]
}
