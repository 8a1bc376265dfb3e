//! What stands behind a scenario: by input its value, its interval, how many data, and what was
//! assumed, for people and for programs.
mod html;
mod text;

pub use html::html;
pub use text::text;

use crate::back_test::BackTest;
use crate::fit::{Goodness, LagFit, Parameter};
use crate::inputs::{Fits, FixBasis, Setting, Window};
use crate::lineage::Lineage;
use crate::read::FileReport;
use crate::scenario::draw;
use serde::Serialize;
use sim::time::SimTime;

/// The report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// From when on data count.
    pub since: SimTime,
    /// Until when.
    pub until: SimTime,
    /// Files that were read.
    pub files: Vec<FileReport>,
    /// The inputs of the scenario.
    pub inputs: Vec<Input>,
    /// The back-test.
    pub back_test: Option<BackTest>,
    /// Why there is no back-test.
    pub not_tested: Option<String>,
    /// What else to know.
    pub notes: Vec<String>,
}

/// Where the value of an input comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// By maximum likelihood.
    Fitted,
    /// Counted.
    Counted,
    /// No data: the default of docs/model.md.
    Default,
}

/// An input of the scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Input {
    /// Its place in the scenario.
    pub field: &'static str,
    /// Where its value comes from.
    pub source: Source,
    /// Its value, as the scenario has it; of a default, its description.
    pub value: String,
    /// Its numbers, with 95 % intervals.
    pub parameters: Vec<Parameter>,
    /// Data behind it.
    pub data: u64,
    /// Of them, those whose end has not come: right-censored.
    pub open: u64,
    /// Of them, those known between two limits: interval-censored.
    pub between: u64,
    /// What was assumed.
    pub assumed: Vec<String>,
    /// How well a distribution fits.
    pub goodness: Option<Goodness>,
}

impl Input {
    fn missing(field: &'static str, value: &str) -> Self {
        Input {
            field,
            source: Source::Default,
            value: value.to_owned(),
            parameters: Vec::new(),
            data: 0,
            open: 0,
            between: 0,
            assumed: Vec::new(),
            goodness: None,
        }
    }

    fn counted(field: &'static str, value: String, data: u64) -> Self {
        Input { source: Source::Counted, data, ..Input::missing(field, &value) }
    }

    fn share(field: &'static str, share: Option<&(Parameter, u64)>, default: &str) -> Self {
        let Some((share, n)) = share else { return Input::missing(field, default) };
        let value = crate::scenario::number(share.estimate);
        Input {
            source: Source::Fitted,
            data: *n,
            parameters: vec![share.clone()],
            ..Input::missing(field, &value)
        }
    }

    fn lag(field: &'static str, fit: Option<&LagFit>, default: &str) -> Self {
        let Some(fit) = fit else { return Input::missing(field, default) };
        let mut input = Input {
            source: Source::Fitted,
            parameters: fit.parameters.clone(),
            data: fit.n,
            open: fit.n - fit.events,
            between: fit.between,
            goodness: Some(fit.goodness.clone()),
            ..Input::missing(field, &draw(fit))
        };
        if fit.goodness.is_poor() {
            let text =
                "the distance speaks against this distribution: see the plot, and mind the tail";
            input.assumed.push(text.to_owned());
        }
        if fit.events < 8 {
            let text = "too few ends for two parameters: taken as exponential";
            input.assumed.push(text.to_owned());
        }
        input
    }

    fn assume(mut self, when: bool, text: &str) -> Self {
        if when {
            self.assumed.push(text.to_owned());
        }
        self
    }
}

pub(crate) fn report(
    files: Vec<FileReport>,
    window: Window,
    setting: &Setting,
    fits: &Fits,
    lineage: &Lineage,
    tested: Option<Result<BackTest, String>>,
) -> Report {
    let mut inputs = world(fits, lineage);
    inputs.extend(fixes(fits, setting));
    inputs.extend(platform(fits, lineage));
    let mut notes = Vec::new();
    if fits.elsewhere > 0 {
        notes.push(format!(
            "{} CVEs hit no package of the inventories and are left out; {} count",
            fits.elsewhere, fits.cves
        ));
    }
    if setting.known.is_empty() && lineage.packages > 0 && fits.cves > 0 {
        notes.push(
            "no package of the inventories has the name of a package of a CVE: all CVEs count, as if \
             each hit what you run"
                .to_owned(),
        );
    }
    let (back_test, not_tested) = match tested {
        None => (None, Some("it was not asked for".to_owned())),
        Some(Ok(test)) => (Some(test), None),
        Some(Err(why)) => (None, Some(why)),
    };
    let (since, until) = (SimTime(window.from_ms), SimTime(window.until_ms));
    Report { since, until, files, inputs, back_test, not_tested, notes }
}

fn world(fits: &Fits, lineage: &Lineage) -> Vec<Input> {
    let packages = match lineage.packages {
        0 => Input::missing("distribution.packages", "400"),
        n => Input::counted("distribution.packages", n.to_string(), lineage.images.len() as u64),
    };
    let never = fits.package_fix.as_ref().and_then(|fit| Some((fit.never.clone()?, fit.n)));
    let rate = match &fits.arrivals {
        None => Input::missing("vulnerabilities.per_day", "2.89 for 1,616 packages, scaled"),
        Some(arrivals) => Input {
            source: Source::Fitted,
            parameters: vec![arrivals.per_day.clone()],
            data: arrivals.n,
            ..Input::missing(
                "vulnerabilities.per_day",
                &crate::scenario::number(arrivals.per_day.estimate),
            )
        }
        .assume(lineage.packages == 0, "every CVE of the files is one that hits your packages"),
    };
    let dispersion = match fits.arrivals.as_ref().map(|it| (it, &it.dispersion)) {
        None => Input::missing("vulnerabilities.dispersion", "0.384"),
        Some((arrivals, None)) => {
            Input::counted("vulnerabilities.dispersion", "0".to_owned(), arrivals.days)
                .assume(true, "Poisson fits as well as any")
        }
        Some((arrivals, Some(k))) => Input {
            source: Source::Fitted,
            parameters: vec![k.clone()],
            data: arrivals.days,
            ..Input::missing("vulnerabilities.dispersion", &crate::scenario::number(k.estimate))
        },
    };
    let several = |field, shares: &Option<Vec<Parameter>>, n: u64, default: &str| match shares {
        None => Input::missing(field, default),
        Some(shares) => Input {
            source: Source::Fitted,
            parameters: shares.clone(),
            data: n,
            ..Input::missing(field, "by share")
        },
    };
    let n = fits.arrivals.as_ref().map_or(0, |it| it.n);
    vec![
        packages,
        Input::missing("distribution.releases_per_year", "LN(1.306, 1.078)"),
        Input::share("distribution.end_of_life", never.as_ref(), "0.28"),
        rate,
        dispersion,
        several("vulnerabilities.weekdays", &fits.weekdays, n, "Monday to Friday mostly").assume(
            fits.weekdays.is_none() && n > 0,
            "fitted from 200 CVEs and 8 weeks on, and not below",
        ),
        several("vulnerabilities.severity", &fits.severity, fits.rated, "8.3 / 31.1 / 53.0 / 3.2"),
        Input::share("vulnerabilities.single_package", fits.single_package.as_ref(), "0.515"),
        Input::missing("vulnerabilities.blast_radius_exponent", "1.95"),
        Input::missing("vulnerabilities.blast_radius_max", "635 of 1,616"),
        Input::share("vulnerabilities.known_exploited", fits.known_exploited.as_ref(), "0.0024"),
    ]
}

fn fixes(fits: &Fits, setting: &Setting) -> Vec<Input> {
    let at_once = fits.fixed_at_disclosure.as_ref();
    let measured = fits.package_fix.is_some() && at_once.is_none();
    let at_once = Input::share(
        "vulnerabilities.fixed_at_disclosure",
        at_once,
        if measured { "1" } else { "0.85" },
    )
    .assume(measured, "no upstream fix has a date: the whole wait is in package_fix");
    let package_fix = Input::lag(
        "vulnerabilities.package_fix",
        fits.package_fix.as_ref(),
        "LN(1.091, 1.788) d",
    )
    .assume(
        measured && fits.fix_basis == FixBasis::Publication,
        "measured from publication, for no upstream fix has a date",
    )
    .assume(
        measured && fits.fix_basis == FixBasis::Closed,
        "measured until the first finding was closed, as if you rebuilt at once: an upper limit",
    );
    let detection = fits.detection_lag.as_ref();
    vec![
        at_once,
        Input::lag("vulnerabilities.upstream_fix", fits.upstream_fix.as_ref(), "mean 10 d"),
        package_fix,
        Input::lag("vulnerabilities.detection_lag", detection, "1.4 to 3.6 d").assume(
            detection.is_some_and(|fit| fit.between == 0) && setting.scan_every_ms.is_none(),
            "what was found became visible at that instant (--scan-every says how long before it may)",
        ),
    ]
}

fn platform(fits: &Fits, lineage: &Lineage) -> Vec<Input> {
    let images = match lineage.images.len() {
        0 => Input::missing("images", "a fleet of 2 bases and 18 images"),
        n => {
            let with_base = lineage.images.iter().filter(|image| image.base.is_some()).count();
            let value = format!(
                "{n}, {with_base} with a base ({} by annotation, {} by layers)",
                lineage.by_annotation, lineage.by_layers
            );
            Input::counted("images", value, n as u64)
                .assume(with_base == 0, "no image stands on another: nothing says that one does")
        }
    };
    let builders = match fits.builders {
        None => Input::missing("builders.count", "4"),
        Some((n, named)) => Input::counted("builders.count", n.to_string(), n)
            .assume(!named, "the most builds that ran at once: a lower limit"),
    };
    let flake = Input::share("builders.flake", fits.flake.as_ref(), "0.02").assume(
        fits.flake.is_some() && !fits.flakes_are_named,
        "no result says flaked: a failure that a success of the image follows within an hour is one",
    );
    vec![
        images,
        builders,
        Input::lag("builders.duration", fits.duration.as_ref(), "LN, median 6 min, sigma 0.9"),
        flake,
        Input::missing("builders.breakage", "0.01 of upstream releases").assume(
            fits.broken > 0,
            "failed attempts that are no flakes say nothing without the releases behind them",
        ),
        Input::lag(
            "customers.adoption_lag",
            fits.adoption_lag.as_ref(),
            "LN, median 12 h, sigma 1",
        ),
        Input::missing("customers.pinned", "0.15"),
        Input::missing("scanner.false_positives", "0.03"),
        Input::missing("triggers.rebuild", "never"),
        Input::missing("policies", "defectdojo-default: put in yours"),
    ]
}
