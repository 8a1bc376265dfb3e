//! Uniform lags. Their likelihood has no smooth maximum: it is searched along each limit in turn,
//! and an interval reaches to where it has fallen to a twentieth, for what lies beyond the last
//! value is exponentially distributed and not normally.
use super::{Fitted, Observation, PLACES, Parameter, Seen, weighed, within};

/// ln 20: the fall of the logarithm of the likelihood at the limits of 95 % intervals.
const DROP: f64 = 2.995_732_273_553_991;

/// Fits; none: it cannot be uniform.
pub(super) fn uniform(observations: &[Observation]) -> Option<Fitted> {
    let seen = weighed(observations.iter().map(|o| (o.seen, 0.0)).collect());
    if observations.iter().filter(|o| o.seen.is_event()).count() < 3 {
        return None;
    }
    let f = |a: f64, b: f64| log_likelihood(&seen, a, b);
    let (mut a_most, mut b_least, mut reach) = (f64::INFINITY, 0.0_f64, 0.0_f64);
    for (s, _, _) in &seen {
        let (low, high) = s.range();
        a_most = a_most.min(high);
        b_least = b_least.max(low);
        reach = reach.max(low).max(if high.is_finite() { high } else { low });
    }
    let (mut a, mut b) = (a_most, reach);
    for _ in 0..4 {
        a = highest(&|a| f(a, b), 0.0, a_most.min(b));
        b = highest(&|b| f(a, b), b_least.max(a), reach * 4.0);
    }
    let top = f(a, b);
    if !top.is_finite() || b <= a {
        return None;
    }
    // The other limit stays: that of the least value and that of the greatest hardly depend.
    let lower_a = fallen(&|by| top - f(a - by, b), a);
    let upper_a = fallen(&|by| top - f(a + by, b), b - a);
    let lower_b = fallen(&|by| top - f(a, b - by), b - a);
    let upper_b = fallen(&|by| top - f(a, b + by), b * 1e3);
    let parameter = |name: &str, at: f64, below: Option<f64>, above: Option<f64>| Parameter {
        name: name.to_owned(),
        unit: "h",
        estimate: at,
        lower: Some(below.map_or(0.0, |by| at - by)),
        upper: above.map(|by| at + by),
    };
    Some(Fitted {
        parameters: vec![
            parameter("min", a, lower_a, upper_a),
            parameter("max", b, lower_b, upper_b),
        ],
        never: None,
        optimum: vec![(a, 0.0), (b, 0.0)],
        log_likelihood: top,
        at: vec![a, b],
    })
}

fn log_likelihood(seen: &[(Seen, f64, f64)], a: f64, b: f64) -> f64 {
    let width = b - a;
    if width <= 0.0 {
        return f64::NEG_INFINITY;
    }
    let log_width = libm::log(width);
    let of = |s: &Seen| match *s {
        Seen::At(t) if (a..=b).contains(&t) => -log_width,
        Seen::At(_) => f64::NEG_INFINITY,
        Seen::Between(low, high) => libm::log((high.min(b) - low.max(a)).max(0.0)) - log_width,
        Seen::Rounded(t, unit) => {
            let overlap = |(low, high): (f64, f64)| (high.min(b) - low.max(a)).max(0.0);
            let mean = within(t, unit).map(overlap).sum::<f64>() / f64::from(PLACES);
            libm::log(mean) - log_width
        }
        Seen::After(t) => libm::log((b - t.max(a)).max(0.0)) - log_width,
    };
    seen.iter().map(|(seen, _, n)| n * of(seen)).sum()
}

/// Where a function with one hill is highest, between two places: by the golden section.
fn highest(f: &dyn Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let (mut low, mut high) = (low, high);
    let (begin, end) = (low, high);
    for _ in 0..90 {
        let (left, right) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
        let (at_left, at_right) = (f(left), f(right));
        // Where both are impossible, the possible side is the one nearer to all values.
        if at_left > at_right || (at_left == f64::NEG_INFINITY && f(high) == f64::NEG_INFINITY) {
            high = right;
        } else {
            low = left;
        }
    }
    let middle = (low + high) / 2.0;
    [begin, end, middle].into_iter().max_by(|x, y| f(*x).total_cmp(&f(*y))).unwrap_or(middle)
}

/// How far one can go until the fall reaches the limit; none: it does not, up to `reach`.
fn fallen(fall: &dyn Fn(f64) -> f64, reach: f64) -> Option<f64> {
    if fall(reach) <= DROP {
        return None;
    }
    let (mut inside, mut outside) = (0.0, reach);
    for _ in 0..80 {
        let at = (inside + outside) / 2.0;
        if fall(at) > DROP {
            outside = at;
        } else {
            inside = at;
        }
    }
    Some((inside + outside) / 2.0)
}
