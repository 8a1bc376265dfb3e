//! The scenario as text: every input that was fitted, with how many data stand behind it, and which
//! defaults stay because nothing was said.
use crate::fit::{Family, LagFit, Parameter};
use crate::inputs::{Fits, FixBasis};
use crate::lineage::Lineage;
use sim::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, SimDuration, SimTime, YEAR_MS};
use std::fmt::Write;

/// What the scenario is called, and when it begins.
pub(crate) struct Head<'a> {
    pub(crate) name: &'a str,
    pub(crate) start_ms: i64,
    pub(crate) customers: u64,
    pub(crate) uses: u64,
}

/// The most images whose names are written out.
const MOST_IMAGES: usize = 20_000;

/// The whole file.
pub(crate) fn write(head: &Head<'_>, fits: &Fits, lineage: &Lineage) -> String {
    let mut out = String::new();
    let start = SimTime(head.start_ms.div_euclid(DAY_MS) * DAY_MS);
    let _ = writeln!(
        out,
        "# yaml-language-server: $schema=scenario.schema.json\n#\n\
         # Made by `wavetank import`. A number with an interval (95 %) was fitted to data; what is not\n\
         # written was in no file and has its default: docs/model.md has each with its source. Correct\n\
         # what you know better, then `wavetank scenario check` and `wavetank run` this file.\n\n\
         name: {}\n\
         title: Imported from exports\n\
         start: {start}\n\
         duration: 4w\n",
        head.name
    );
    distribution(&mut out, fits, lineage);
    vulnerabilities(&mut out, fits);
    images(&mut out, lineage);
    builders(&mut out, fits);
    out.push_str(
        "# Assumed: nothing in the files says when you rebuild. `rebuild: 0 2 * * *` is every night.\n\
         triggers:\n  upstream: true\n  base_change: true\n  cve_fix: medium\n\n\
         # Assumed: a promise in use elsewhere. Put in yours.\n\
         policies:\n  - name: assumed\n    preset: defectdojo-default\n\n",
    );
    customers(&mut out, head, fits, lineage);
    out
}

fn distribution(out: &mut String, fits: &Fits, lineage: &Lineage) {
    let never = fits.package_fix.as_ref().and_then(|fit| fit.never.as_ref());
    if lineage.packages == 0 && never.is_none() {
        return;
    }
    out.push_str("distribution:\n");
    if lineage.packages > 0 {
        let packages = lineage.packages.min(100_000);
        let _ = writeln!(
            out,
            "  packages: {packages} # distinct ones in {} images",
            lineage.images.len()
        );
    }
    if let Some(never) = never {
        let _ = writeln!(
            out,
            "  end_of_life: {} # {}: packages that are never fixed",
            number(never.estimate),
            interval(never)
        );
    }
    out.push('\n');
}

fn vulnerabilities(out: &mut String, fits: &Fits) {
    let mut lines = String::new();
    if let Some(arrivals) = &fits.arrivals {
        let p = &arrivals.per_day;
        let _ = writeln!(
            lines,
            "  per_day: {} # {}; {} CVEs in {} days",
            number(p.estimate),
            interval(p),
            arrivals.n,
            arrivals.days
        );
        match &arrivals.dispersion {
            Some(k) => {
                let _ = writeln!(lines, "  dispersion: {} # {}", number(k.estimate), interval(k));
            }
            None => lines.push_str("  dispersion: 0 # Poisson fits as well as any\n"),
        }
    }
    if let Some(days) = &fits.weekdays {
        let weights: Vec<String> = days.iter().map(|p| number(p.estimate * 100.0)).collect();
        let _ = writeln!(lines, "  weekdays: [{}] # Monday first", weights.join(", "));
    }
    share(&mut lines, "single_package", fits.single_package.as_ref(), "CVEs");
    if let Some(shares) = &fits.severity {
        lines.push_str("  severity: {");
        let parts: Vec<String> = shares
            .iter()
            .rev()
            .map(|p| format!("{}: {}", p.name, number(p.estimate * 100.0)))
            .collect();
        let _ = writeln!(lines, "{}}} # {} CVEs", parts.join(", "), fits.rated);
    }
    share(&mut lines, "known_exploited", fits.known_exploited.as_ref(), "CVEs");
    share(&mut lines, "fixed_at_disclosure", fits.fixed_at_disclosure.as_ref(), "CVEs");
    if fits.fixed_at_disclosure.is_none() && fits.package_fix.is_some() {
        lines.push_str(
            "  # Assumed: no upstream fix has a date, so the whole wait from publication on is in\n  \
             # `package_fix`.\n  fixed_at_disclosure: 1\n",
        );
    }
    lag(&mut lines, "upstream_fix", fits.upstream_fix.as_ref());
    if fits.package_fix.is_some() && fits.fix_basis == FixBasis::Closed {
        lines.push_str("  # Measured until the first finding was closed: an upper limit.\n");
    }
    lag(&mut lines, "package_fix", fits.package_fix.as_ref());
    lag(&mut lines, "detection_lag", fits.detection_lag.as_ref());
    if !lines.is_empty() {
        let _ = writeln!(out, "vulnerabilities:\n{lines}");
    }
}

fn images(out: &mut String, lineage: &Lineage) {
    if lineage.images.is_empty() {
        out.push_str(
            "# Assumed: no inventory (SBOM) was there to say what you run.\n\
             fleet:\n  bases: 2\n  images: 18\n\n",
        );
        return;
    }
    out.push_str("images:\n");
    for image in lineage.images.iter().take(MOST_IMAGES) {
        let base = image.base.and_then(|base| lineage.images.get(base));
        let base = base.map(|base| format!("base: \"{}\", ", base.name)).unwrap_or_default();
        let _ =
            writeln!(out, "  - {{name: \"{}\", {base}packages: {}}}", image.name, image.packages);
    }
    out.push('\n');
}

fn builders(out: &mut String, fits: &Fits) {
    let mut lines = String::new();
    if let Some((count, named)) = fits.builders {
        let how = if named { "builders with a name" } else { "the most that ran at once" };
        let _ = writeln!(lines, "  count: {} # {how}", count.min(10_000));
    }
    lag(&mut lines, "duration", fits.duration.as_ref());
    share(&mut lines, "flake", fits.flake.as_ref(), "attempts");
    if !lines.is_empty() {
        let _ = writeln!(out, "builders:\n{lines}");
    }
}

fn customers(out: &mut String, head: &Head<'_>, fits: &Fits, lineage: &Lineage) {
    let images = if lineage.images.is_empty() { 20 } else { lineage.images.len() as u64 };
    if head.customers == 0 {
        out.push_str("# Assumed: one customer that runs everything, with the default habits.\n");
    }
    let _ = writeln!(out, "customers:\n  - name: customer");
    if head.customers > 1 {
        let _ = writeln!(out, "    count: {}", head.customers.min(10_000));
    }
    let each = if head.customers == 0 { images } else { head.uses.div_ceil(head.customers) };
    let _ = writeln!(out, "    policy: assumed\n    images: {}", each.clamp(1, images.min(20_000)));
    if let Some(fit) = &fits.adoption_lag {
        let mut line = String::new();
        lag(&mut line, "adoption_lag", Some(fit));
        out.push_str(&line.replace("  adoption_lag", "    adoption_lag"));
    }
}

fn share(lines: &mut String, field: &str, share: Option<&(Parameter, u64)>, of: &str) {
    if let Some((share, n)) = share {
        let value = number(share.estimate);
        let _ = writeln!(lines, "  {field}: {value} # {}; {n} {of}", interval(share));
    }
}

fn lag(lines: &mut String, field: &str, fit: Option<&LagFit>) {
    let Some(fit) = fit else { return };
    let said: Vec<String> =
        fit.parameters.iter().map(|p| format!("{} {}", p.name, interval(p))).collect();
    let open = fit.n - fit.events;
    let open = if open > 0 { format!(", {open} of them open") } else { String::new() };
    let _ = writeln!(lines, "  {field}: {} # {}; {} data{open}", draw(fit), said.join(", "), fit.n);
}

/// A distribution as scenarios write it.
pub(crate) fn draw(fit: &LagFit) -> String {
    let value = |at: usize| fit.parameters.get(at).map_or(0.0, |p| p.estimate);
    match fit.family {
        Family::Constant => format!("{{constant: {}}}", length(value(0))),
        Family::Uniform => {
            format!("{{uniform: {{min: {}, max: {}}}}}", length(value(0)), length(value(1)))
        }
        Family::Exponential => format!("{{exponential: {{mean: {}}}}}", length(value(0))),
        Family::Lognormal => format!(
            "{{lognormal: {{median: {}, sigma: {}}}}}",
            length(value(0)),
            number(value(1).min(10.0))
        ),
    }
}

/// Hours as a length of time, to about four digits.
pub(crate) fn length(hours: f64) -> String {
    let ms = hours * HOUR_MS as f64;
    let step = [(YEAR_MS / 10, DAY_MS), (10 * DAY_MS, HOUR_MS), (DAY_MS / 4, MINUTE_MS)]
        .into_iter()
        .find(|(from, _)| ms >= *from as f64)
        .map_or(if ms >= 60_000.0 { SECOND_MS } else { 1 }, |(_, step)| step);
    let rounded = crate::cast::whole(ms / step as f64).saturating_mul(step);
    SimDuration(rounded.clamp(0, 99 * YEAR_MS)).to_string()
}

/// A number in four digits.
pub(crate) fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    let digits = 3.0 - libm::floor(libm::log10(value.abs()));
    let digits = usize::try_from(crate::cast::whole(digits.clamp(0.0, 12.0))).unwrap_or(0);
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// A parameter's value, in its unit.
pub(crate) fn value(p: &Parameter, value: f64) -> String {
    match p.unit {
        "h" => length(value),
        _ => number(value),
    }
}

/// An interval, for people.
pub(crate) fn interval(p: &Parameter) -> String {
    let limit =
        |limit: Option<f64>, none: &str| limit.map_or(none.to_owned(), |limit| value(p, limit));
    format!("{} to {}", limit(p.lower, "any"), limit(p.upper, "any"))
}
