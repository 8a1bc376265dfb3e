//! On what two scenarios agree, so that the catalogue of one serves the other under the same seed.
use crate::scenario::Scenario;
use crate::scenario::model::{Customers, Image};

/// Which parts of the inventory two scenarios have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreement {
    /// The packages.
    pub(crate) packages: bool,
    /// The images and what they are made of.
    pub(crate) images: bool,
    /// The customers and which policy is theirs.
    pub(crate) customers: bool,
    /// Which images each customer uses, and how.
    pub(crate) usages: bool,
}

impl Agreement {
    pub(crate) fn of(one: &Scenario, other: &Scenario) -> Self {
        let packages = one.distribution.packages == other.distribution.packages
            && one.distribution.end_of_life == other.distribution.end_of_life;
        let images = packages
            && one.distribution.end_of_life_weight == other.distribution.end_of_life_weight
            && one.fleet == other.fleet
            && all(&one.images, &other.images, same_image);
        let policy = |scenario: &Scenario, entry: &Customers| {
            scenario.policies.iter().position(|policy| policy.name.value == entry.policy.value)
        };
        let customers = all(&one.customers, &other.customers, |a, b| {
            a.name.value == b.name.value
                && (a.count, &a.tier) == (b.count, &b.tier)
                && policy(one, a) == policy(other, b)
        });
        let usages = images
            && all(&one.customers, &other.customers, |a, b| {
                (a.count.unwrap_or(1), &a.images, a.pinned)
                    == (b.count.unwrap_or(1), &b.images, b.pinned)
            });
        Agreement { packages, images, customers, usages }
    }
}

fn all<T>(one: &[T], other: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same(a, b))
}

fn same_image(a: &Image, b: &Image) -> bool {
    let base = |image: &Image| image.base.as_ref().map(|base| base.value.clone());
    a.name.value == b.name.value
        && base(a) == base(b)
        && (&a.description, a.packages) == (&b.description, b.packages)
        && a.end_of_life.map(|at| at.time()) == b.end_of_life.map(|at| at.time())
}
