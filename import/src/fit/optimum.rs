//! The maximum of a function of a few numbers, and where its profile has fallen: the simplex search
//! of Nelder and Mead (1965) from two beginnings, and bisection.
use super::DROP;

const STEPS: u32 = 400;
const PRECISION: f64 = 1e-10;

/// The place of the maximum near `start`, and the value there. What is not finite counts as lowest.
pub(super) fn maximum(f: &dyn Fn(&[f64]) -> f64, start: &[f64], step: f64) -> (Vec<f64>, f64) {
    if start.is_empty() {
        return (Vec::new(), f(start));
    }
    // The second search begins at the end of the first, with a new simplex: a flat one is stuck.
    let (place, _) = simplex(f, start, step);
    simplex(f, &place, step / 10.0)
}

fn simplex(f: &dyn Fn(&[f64]) -> f64, start: &[f64], step: f64) -> (Vec<f64>, f64) {
    let value = |x: &[f64]| {
        let y = f(x);
        if y.is_finite() { y } else { f64::NEG_INFINITY }
    };
    let n = start.len();
    let mut corners: Vec<(Vec<f64>, f64)> = (0..=n)
        .map(|place| {
            let mut x = start.to_vec();
            if let Some(moved) = x.get_mut(place) {
                *moved += step;
            }
            let y = value(&x);
            (x, y)
        })
        .collect();
    for _ in 0..STEPS {
        corners.sort_by(|a, b| b.1.total_cmp(&a.1));
        if corners[0].1 - corners[n].1 < PRECISION {
            break;
        }
        let middle: Vec<f64> =
            (0..n).map(|d| corners[..n].iter().map(|c| c.0[d]).sum::<f64>() / n as f64).collect();
        let worst = corners[n].0.clone();
        let along = |by: f64| -> (Vec<f64>, f64) {
            let x: Vec<f64> = middle.iter().zip(&worst).map(|(m, w)| m + by * (m - w)).collect();
            let y = value(&x);
            (x, y)
        };
        let mirrored = along(1.0);
        let better = if mirrored.1 > corners[0].1 {
            let further = along(2.0);
            if further.1 > mirrored.1 { further } else { mirrored }
        } else if mirrored.1 > corners[n - 1].1 {
            mirrored
        } else {
            let nearer = if mirrored.1 > corners[n].1 { along(0.5) } else { along(-0.5) };
            if nearer.1 > corners[n].1.max(mirrored.1.min(corners[n].1)) {
                nearer
            } else {
                shrink(&mut corners, &value);
                continue;
            }
        };
        corners[n] = better;
    }
    corners.sort_by(|a, b| b.1.total_cmp(&a.1));
    corners.swap_remove(0)
}

fn shrink(corners: &mut [(Vec<f64>, f64)], value: &dyn Fn(&[f64]) -> f64) {
    let best = corners[0].0.clone();
    for corner in &mut corners[1..] {
        corner.0.iter_mut().zip(&best).for_each(|(x, b)| *x = (*x + b) / 2.0);
        corner.1 = value(&corner.0);
    }
}

/// The limits of one number: where the best that the others can make of it has fallen by as much as
/// a 95 % interval allows. None: it has not, up to `reach` away.
pub(super) fn limits(
    f: &dyn Fn(&[f64]) -> f64,
    place: &[f64],
    top: f64,
    which: usize,
    reach: f64,
) -> (Option<f64>, Option<f64>) {
    let side = |sign: f64| -> Option<f64> {
        let mut others: Vec<f64> =
            place.iter().enumerate().filter(|(at, _)| *at != which).map(|(_, x)| *x).collect();
        let mut fall = |by: f64| -> f64 {
            let inner = |rest: &[f64]| {
                let mut x = rest.to_vec();
                x.insert(which, place[which] + sign * by);
                f(&x)
            };
            // From where the others were best for the step before.
            let (best, y) = if others.is_empty() {
                (Vec::new(), inner(&[]))
            } else {
                simplex(&inner, &others, 0.05)
            };
            others = best;
            top - y
        };
        crossing(&mut fall, reach).map(|by| place[which] + sign * by)
    };
    (side(-1.0), side(1.0))
}

/// How far one can go until the fall is [`DROP`]. It is about a parabola, so that its root is about
/// a straight line: each step goes where that would cross, and never out of what is known to hold
/// it.
fn crossing(fall: &mut dyn FnMut(f64) -> f64, reach: f64) -> Option<f64> {
    let (mut inside, mut outside) = (0.0_f64, f64::INFINITY);
    let mut at = 0.05_f64.min(reach);
    for _ in 0..80 {
        let fallen = fall(at);
        if (fallen - DROP).abs() < 1e-4 * DROP {
            return Some(at);
        }
        if fallen > DROP {
            outside = at;
        } else if at >= reach {
            return None;
        } else {
            inside = at;
        }
        if outside - inside < 1e-7 * outside {
            break;
        }
        let guess = at * libm::sqrt(DROP / fallen.max(DROP / 16.0));
        let (least, most) =
            (inside + 0.05 * (outside - inside), outside - 0.05 * (outside - inside));
        at = match outside.is_finite() {
            true if (least..=most).contains(&guess) => guess,
            true => (inside + outside) / 2.0,
            false => guess.max(1.05 * at).min(reach),
        };
    }
    Some((inside + outside.min(reach)) / 2.0)
}
