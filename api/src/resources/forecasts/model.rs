//! Forecasts as the API shows them.
use crate::http::examples;
use crate::http::problem::Problem;
use crate::http::scenario_text;
use crate::http::strict_text::StrictText;
use crate::http::time::{self, Instant};
use crate::schemas::estimate::Estimate;
use crate::schemas::exposure::SlaClock;
use crate::schemas::severity::Severity;
use poem_openapi::Object;
use poem_openapi::types::Example;
use sim::World;
use sim::ids::CustomerId;
use sim::time::{SimDuration, SimTime};
use study::forecast as ahead;
use study::statistics::Level;

const HORIZON_DAYS: u32 = 14;
const FUTURES: u32 = 100;
const SEED: u64 = 1;
const CONFIDENCE: f64 = 0.95;
/// So many timers are shown, the most endangered first.
const TIMERS: usize = 100;

/// What to forecast. Everything has a default.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub(super) struct NewForecast {
    /// How many days to look ahead; 14 when absent.
    #[oai(validator(minimum(value = "1"), maximum(value = "92")))]
    horizon_days: Option<u32>,
    /// In how many futures; 100 when absent.
    #[oai(validator(minimum(value = "1"), maximum(value = "1000")))]
    futures: Option<u32>,
    /// The seed of the futures, a number of 64 bits as a text; 1 when absent.
    #[oai(validator(pattern = "^[0-9]{1,20}$"))]
    seed: Option<StrictText>,
    /// The confidence of intervals; 0.95 when absent.
    #[oai(validator(minimum(value = "0.5"), maximum(value = "0.999")))]
    confidence: Option<f64>,
}

impl NewForecast {
    pub(super) fn options(&self) -> Result<ahead::Options, Problem> {
        let level = Level::new(self.confidence.unwrap_or(CONFIDENCE)).map_err(|_| {
            Problem::field("/confidence", "a number between 0.5 and 0.999", "another one")
        })?;
        Ok(ahead::Options {
            horizon: SimDuration::days(i64::from(self.horizon_days.unwrap_or(HORIZON_DAYS))),
            futures: self.futures.unwrap_or(FUTURES),
            seed: scenario_text::seed(self.seed.as_deref())?.unwrap_or(SEED),
            level,
        })
    }
}

impl Example for NewForecast {
    fn example() -> Self {
        NewForecast {
            horizon_days: Some(HORIZON_DAYS),
            futures: Some(20),
            seed: Some("1".into()),
            confidence: Some(CONFIDENCE),
        }
    }
}

/// What will be missed, of timers that are open now and of those to come.
#[derive(Object)]
struct ForecastTotal {
    /// Whose clock.
    clock: SlaClock,
    /// The severity of the advisories.
    severity: Severity,
    /// The probability that at least one deadline is missed.
    any: Estimate,
    /// How many are missed, in the mean.
    expected: Estimate,
}

/// The same of one customer.
#[derive(Object)]
struct CustomerForecast {
    /// The customer's namespace.
    tenant_namespace: String,
    #[oai(flatten)]
    of: ForecastTotal,
}

/// What becomes of a timer that is open now.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct TimerForecast {
    /// The customer's namespace.
    tenant_namespace: String,
    /// The image's name.
    image: String,
    /// The advisory's CVE id.
    cve: String,
    /// Its severity.
    severity: Severity,
    /// Whose clock it is.
    clock: SlaClock,
    /// Which exposure it is of, counted from 1.
    episode: u32,
    /// The deadline; absent while the clock stands still.
    due_at: Option<Instant>,
    /// The probability that the deadline comes within the forecast and is missed.
    missed: Estimate,
}

/// The queue at the end of a day to come.
#[derive(Object)]
struct QueueForecast {
    /// The instant.
    at: Instant,
    /// Builds that wait or run, in the mean.
    builds: Estimate,
    /// As many or fewer in 95 % of the futures.
    builds_p95: u64,
}

/// What may become of the world.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct Forecast {
    /// The instant from which it looks ahead: it rests on what was known then.
    from: Instant,
    /// How far it looks.
    until: Instant,
    /// In how many futures.
    futures: u64,
    /// Their seed, as a text because it has 64 bits.
    seed: String,
    /// The confidence of intervals.
    confidence: f64,
    /// All customers together, by clock and severity; for keys of the platform alone.
    total: Option<Vec<ForecastTotal>>,
    /// By customer, clock and severity; what no future misses is left out.
    customers: Vec<CustomerForecast>,
    /// Timers that have not stopped, are not excluded and not late yet, the most endangered first;
    /// at most 100.
    timers: Vec<TimerForecast>,
    /// How many such timers there are.
    open_timers: u64,
    /// Builds that wait or run, day by day; for keys of the platform alone.
    queue: Option<Vec<QueueForecast>>,
}

fn instant(at: SimTime) -> Result<Instant, Problem> {
    let at = at.to_datetime().map(Instant::from);
    at.ok_or_else(|| Problem::internal("an instant outside of the calendar"))
}

fn total(of: ahead::CustomerForecast) -> Result<ForecastTotal, Problem> {
    Ok(ForecastTotal {
        clock: SlaClock::parse(of.clock.as_str())?,
        severity: Severity::parse(of.severity.as_str())?,
        any: of.any.into(),
        expected: of.expected.into(),
    })
}

impl Forecast {
    /// As much of it as a caller may see: a tenant its own rows, the platform's keys everything.
    pub(super) fn new(
        world: &World,
        ahead: ahead::Forecast,
        tenant: Option<&str>,
    ) -> Result<Self, Problem> {
        let namespace = |customer: CustomerId| {
            let customer = world.catalogue().customers.get(customer.index());
            customer.map_or("", |customer| customer.namespace.as_str())
        };
        let shown =
            |customer: CustomerId| tenant.is_none_or(|tenant| namespace(customer) == tenant);
        let customers = ahead.customers.into_iter().filter_map(|of| {
            let customer = of.customer.filter(|customer| shown(*customer))?;
            let tenant_namespace = namespace(customer).to_owned();
            Some(total(of).map(|of| CustomerForecast { tenant_namespace, of }))
        });
        let timers: Vec<_> =
            ahead.timers.into_iter().filter(|timer| shown(timer.customer)).collect();
        let open_timers = timers.len() as u64;
        let timer = |timer: ahead::TimerForecast| {
            let image = world.catalogue().images.get(timer.image.index());
            Ok(TimerForecast {
                tenant_namespace: namespace(timer.customer).to_owned(),
                image: image.map_or_else(String::new, |image| image.name.clone()),
                cve: world.cve(timer.advisory).unwrap_or_default().to_owned(),
                severity: Severity::parse(timer.severity.as_str())?,
                clock: SlaClock::parse(timer.clock.as_str())?,
                episode: timer.episode,
                due_at: timer.due.map(instant).transpose()?,
                missed: timer.missed.into(),
            })
        };
        let day = |day: ahead::QueueForecast| {
            let (at, builds) = (instant(day.at)?, day.builds.into());
            Ok(QueueForecast { at, builds, builds_p95: day.p95 })
        };
        let all = tenant.is_none();
        let totals = ahead.total.into_iter().map(total).collect::<Result<_, Problem>>()?;
        let queue = ahead.queue.into_iter().map(day).collect::<Result<_, Problem>>()?;
        Ok(Forecast {
            from: instant(ahead.from)?,
            until: instant(ahead.until)?,
            futures: ahead.futures,
            seed: ahead.seed.to_string(),
            confidence: ahead.confidence,
            total: all.then_some(totals),
            customers: customers.collect::<Result<_, Problem>>()?,
            timers: timers.into_iter().take(TIMERS).map(timer).collect::<Result<_, Problem>>()?,
            open_timers,
            queue: all.then_some(queue),
        })
    }
}

impl Example for Forecast {
    fn example() -> Self {
        let estimate = |estimate, lower, upper| Estimate {
            estimate: Some(estimate),
            lower: Some(lower),
            upper: Some(upper),
        };
        let total = || ForecastTotal {
            clock: SlaClock::Provider,
            severity: Severity::Critical,
            any: estimate(0.3, 0.15, 0.52),
            expected: estimate(0.45, 0.1, 0.8),
        };
        Forecast {
            from: time::example(6),
            until: time::example(6 + 14 * 24),
            futures: 20,
            seed: "1".to_owned(),
            confidence: CONFIDENCE,
            total: Some(vec![total()]),
            customers: vec![CustomerForecast {
                tenant_namespace: examples::TENANT.to_owned(),
                of: total(),
            }],
            timers: vec![TimerForecast {
                tenant_namespace: examples::TENANT.to_owned(),
                image: examples::IMAGE.to_owned(),
                cve: examples::CVE.to_owned(),
                severity: Severity::Critical,
                clock: SlaClock::Provider,
                episode: 1,
                due_at: Some(time::example(6 + 3 * 24)),
                missed: estimate(0.3, 0.15, 0.52),
            }],
            open_timers: 1,
            queue: Some(vec![QueueForecast {
                at: time::example(30),
                builds: estimate(2.5, 1.7, 3.3),
                builds_p95: 6,
            }]),
        }
    }
}
