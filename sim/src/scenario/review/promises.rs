//! The policies of a scenario with their presets resolved, and how much of a fleet their clause about
//! mass events would take out.
use crate::catalogue::{Catalogue, PolicyInfo};
use crate::scenario::model::{Calendar, ClockStart, OnReexposure};
use crate::severity::Severity;
use serde::Serialize;

/// What a policy promises.
#[derive(Clone, Debug, Serialize)]
pub struct Promise {
    /// Its name.
    pub name: String,
    /// Days for critical; none: no deadline.
    pub critical: Option<u32>,
    /// Days for high; none: no deadline.
    pub high: Option<u32>,
    /// Days for medium; none: no deadline.
    pub medium: Option<u32>,
    /// Days for low; none: no deadline.
    pub low: Option<u32>,
    /// Which days count.
    pub calendar: Calendar,
    /// What starts the clock.
    pub clock_start: ClockStart,
    /// Whether the clock stands still while no upstream fix exists.
    pub pause_without_fix: bool,
    /// Advisories found on more than this share of all images are excluded; none: nothing is.
    pub exclude_mass_events_over: Option<f64>,
    /// The share of all (image, package) pairs whose package is on more images than that: so much of
    /// what can be found would be excluded.
    pub excluded_share: Option<f64>,
    /// What is owed when an exposure that had ended begins anew.
    pub on_reexposure: OnReexposure,
    /// Share of the time after which a timer is at risk.
    pub warn_share: f64,
    /// How many customers have it.
    pub customers: usize,
}

/// All policies of the inventory.
pub(super) fn all(catalogue: &Catalogue) -> Vec<Promise> {
    let holders = holders(catalogue);
    let mut customers = vec![0; catalogue.policies.len()];
    for customer in catalogue.customers.iter() {
        customers[customer.policy.index()] += 1;
    }
    let of = |(policy, customers): (&PolicyInfo, usize)| {
        let days = |severity: Severity| policy.days[severity as usize];
        let share = |permille: u32| f64::from(permille) / 1000.0;
        let images = catalogue.images.len();
        Promise {
            name: policy.name.clone(),
            critical: days(Severity::Critical),
            high: days(Severity::High),
            medium: days(Severity::Medium),
            low: days(Severity::Low),
            calendar: policy.calendar,
            clock_start: policy.clock_start,
            pause_without_fix: policy.pause_without_fix,
            exclude_mass_events_over: policy.exclude_over_permille.map(share),
            excluded_share: policy
                .exclude_over_permille
                .map(|over| excluded(&holders, images, over)),
            on_reexposure: policy.on_reexposure,
            warn_share: share(policy.warn_permille),
            customers,
        }
    };
    catalogue.policies.iter().zip(customers).map(of).collect()
}

/// How many images hold each package, themselves or through their bases.
fn holders(catalogue: &Catalogue) -> Vec<u64> {
    let mut holders = vec![0; catalogue.packages.len()];
    // Bases come before what stands on them: what an image adds is held by all that stand on it.
    let mut standing: Vec<u64> = vec![1; catalogue.images.len()];
    for (index, image) in catalogue.images.iter().enumerate().rev() {
        let own = standing[index];
        if let Some(base) = image.base {
            standing[base.index()] += own;
        }
        for package in image.own_packages.iter() {
            holders[package.index()] += own;
        }
    }
    holders
}

/// The share of the pairs of an image and a package on it whose package is on more images than that.
fn excluded(holders: &[u64], images: usize, over_permille: u32) -> f64 {
    let limit = u64::from(over_permille) * images as u64;
    let over: u64 = holders.iter().filter(|count| **count * 1000 > limit).sum();
    let all: u64 = holders.iter().sum();
    over as f64 / all.max(1) as f64
}
