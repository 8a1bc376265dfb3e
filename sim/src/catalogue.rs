//! What the world is made of before anything happens: packages, images, customers, policies.
mod agreement;
mod images;
mod info;

use crate::cast::{self, whole_u32, whole_u64};
use crate::ids::{CustomerId, ImageId, PackageId, PolicyId, ReleaseRef};
use crate::names;
use crate::random::{Purpose, RandomStreams};
use crate::scenario::Scenario;
use crate::scenario::model::{Calendar, ClockStart, Customers, OnReexposure, Preset, SlaPolicy};
pub(crate) use agreement::Agreement;
use fake::Fake;
use fake::faker::company::en::CompanyName;
use fake::faker::name::en::{FirstName, LastName};
pub(crate) use images::fleet_names;
use images::images;
pub use info::{ImageInfo, PackageInfo};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The namespace of what belongs to the platform itself; everybody sees it. No customer has it.
pub const SHARED_NAMESPACE: &str = "catalogue";

/// The initial inventory of a world; a function of scenario and seed.
#[derive(Clone, Debug)]
pub struct Catalogue {
    streams: RandomStreams,
    /// All packages, by [`PackageId`].
    pub packages: Arc<[PackageInfo]>,
    /// All images of the scenario, by [`ImageId`]; bases come before what is built on them.
    pub images: Arc<Vec<ImageInfo>>,
    /// All customers, by [`CustomerId`].
    pub customers: Arc<[CustomerInfo]>,
    /// All policies, by [`PolicyId`].
    pub policies: Vec<PolicyInfo>,
    /// The scenario's entry that each customer came from.
    pub(crate) customer_entry: Arc<[usize]>,
}

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerInfo {
    /// The tenant namespace: unique, a DNS label.
    pub namespace: String,
    /// The name for people.
    pub name: String,
    /// An invented person.
    pub contact_name: String,
    /// That person's address, under a domain reserved for examples.
    pub contact_email: String,
    /// The SLA tier.
    pub tier: String,
    /// The policy that holds.
    pub policy: PolicyId,
}

/// An SLA policy with its preset resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyInfo {
    /// Its name.
    pub name: String,
    /// Days by `Severity as usize`: low, medium, high, critical. None: no deadline.
    pub days: [Option<u32>; 4],
    /// Which days count.
    pub calendar: Calendar,
    /// What starts the clock.
    pub clock_start: ClockStart,
    /// Whether the clock stands still while no upstream fix exists.
    pub pause_without_fix: bool,
    /// Advisories that hit more than this share of all images, in thousandths, are excluded.
    pub exclude_over_permille: Option<u32>,
    /// Share of the time, in thousandths, after which a timer is at risk.
    pub warn_permille: u32,
    /// What is owed when an exposure that had ended begins anew.
    pub on_reexposure: OnReexposure,
}

/// What is to be known of one release of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseInfo {
    /// Its apk version.
    pub version: String,
    /// Size of the simulated package file.
    pub size_bytes: u64,
    /// Checksum of the simulated package file.
    pub sha256: [u8; 32],
}

/// Where and how a customer runs an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runtime {
    /// `production`, `staging` or `development`.
    pub environment: String,
    /// The cluster's name.
    pub cluster: String,
    /// How many replicas, from 1.
    pub replicas: u32,
    /// Whether it can be reached from the internet.
    pub internet_exposed: bool,
}

impl Catalogue {
    /// Builds the inventory of a checked scenario.
    pub fn new(scenario: &Scenario, streams: RandomStreams) -> Self {
        let packages = packages(scenario, &streams);
        let images = Arc::new(images(scenario, &streams, &packages));
        let policies = Self::policies_of(scenario);
        let (customers, customer_entry) = customers(scenario, &streams, &policies);
        Catalogue { streams, packages, images, customers, policies, customer_entry }
    }

    /// The inventory of another scenario under the same seed: what both agree on is shared.
    pub(crate) fn like(&self, scenario: &Scenario, agreement: &Agreement) -> Self {
        let streams = self.streams;
        let packages = match agreement.packages {
            true => Arc::clone(&self.packages),
            false => packages(scenario, &streams),
        };
        let images = match agreement.images {
            true => Arc::clone(&self.images),
            false => Arc::new(images(scenario, &streams, &packages)),
        };
        let policies = Self::policies_of(scenario);
        let (customers, customer_entry) = match agreement.customers {
            true => (Arc::clone(&self.customers), Arc::clone(&self.customer_entry)),
            false => customers(scenario, &streams, &policies),
        };
        Catalogue { streams, packages, images, customers, policies, customer_entry }
    }

    /// The policies of a checked scenario, in order.
    pub fn policies_of(scenario: &Scenario) -> Vec<PolicyInfo> {
        scenario.policies.iter().map(policy).collect()
    }

    /// What is to be known of a release. Versions only ever grow.
    pub fn release(&self, release: ReleaseRef) -> ReleaseInfo {
        let entity = u64::from(release.package.0);
        let draw = |index| self.streams.uniform(Purpose::ReleaseVersion, entity, index);
        let mut major = whole_u32(draw(0) * 4.0);
        let mut minor = whole_u32(draw(1) * 20.0);
        let mut patch = whole_u32(draw(2) * 10.0);
        let mut revision = 0;
        for ordinal in 1..=release.release {
            let u = draw(2 + ordinal);
            if u < 0.35 {
                revision += 1;
                continue;
            }
            revision = 0;
            if u < 0.85 {
                patch += 1;
            } else if u < 0.98 {
                (minor, patch) = (minor + 1, 0);
            } else {
                (major, minor, patch) = (major + 1, 0, 0);
            }
        }
        let key = entity << 32 | u64::from(release.release);
        let mut sha256 = [0; 32];
        for (index, word) in (0..).zip(sha256.chunks_exact_mut(16)) {
            for (bytes, bits) in
                word.chunks_exact_mut(4).zip(self.streams.bits(Purpose::Checksum, key, index))
            {
                bytes.copy_from_slice(&bits.to_be_bytes());
            }
        }
        let size = libm::exp(9.0 + 5.0 * self.streams.uniform(Purpose::Package, entity, 4));
        ReleaseInfo {
            version: format!("{major}.{minor}.{patch}-r{revision}"),
            size_bytes: whole_u64(size) + u64::from(release.release) * 37,
            sha256,
        }
    }

    /// Where and how a customer runs an image.
    pub fn runtime(&self, customer: CustomerId, image: ImageId) -> Runtime {
        let entity = u64::from(customer.0) << 32 | u64::from(image.0);
        let draw = |index| self.streams.uniform(Purpose::Runtime, entity, index);
        let environment = match draw(0) {
            u if u < 0.7 => "production",
            u if u < 0.9 => "staging",
            _ => "development",
        };
        const REGIONS: [&str; 5] = ["eu-north", "eu-west", "us-east", "us-west", "ap-south"];
        let region = REGIONS[whole_u32(draw(1) * REGIONS.len() as f64) as usize % REGIONS.len()];
        Runtime {
            environment: environment.to_owned(),
            cluster: format!("{region}-{}", 1 + whole_u32(draw(2) * 3.0)),
            replicas: 1 + whole_u32(draw(3) * draw(3) * 24.0),
            internet_exposed: environment == "production" && draw(4) < 0.35,
        }
    }

    /// The namespace of an image: its owner's, or [`SHARED_NAMESPACE`].
    pub fn namespace(&self, image: ImageId) -> &str {
        let owner = self.images.get(image.index()).and_then(|info| info.owner);
        let owner = owner.and_then(|owner| self.customers.get(owner.index()));
        owner.map_or(SHARED_NAMESPACE, |owner| owner.namespace.as_str())
    }

    /// The image of that name.
    pub fn image_named(&self, name: &str) -> Option<ImageId> {
        let place = self.images.iter().position(|image| image.name == name)?;
        Some(ImageId(cast::ordinal(place)))
    }

    /// All packages of an image with those of its bases, in the order of layers.
    pub fn all_packages(&self, image: ImageId) -> Vec<PackageId> {
        let info = &self.images[image.index()];
        let mut all = info.base.map_or_else(Vec::new, |base| self.all_packages(base));
        all.extend(info.own_packages.iter());
        all
    }
}

fn packages(scenario: &Scenario, streams: &RandomStreams) -> Arc<[PackageInfo]> {
    let end_of_life = scenario.distribution.end_of_life.value();
    (0..scenario.distribution.packages)
        .map(|ordinal| package(streams, ordinal, end_of_life))
        .collect()
}

/// The customers, and which of the scenario's entries each came from.
fn customers(
    scenario: &Scenario,
    streams: &RandomStreams,
    policies: &[PolicyInfo],
) -> (Arc<[CustomerInfo]>, Arc<[usize]>) {
    let mut customers = Vec::new();
    let mut customer_entry = Vec::new();
    let mut taken = BTreeSet::from([SHARED_NAMESPACE.to_owned()]);
    for (entry_index, entry) in scenario.customers.iter().enumerate() {
        for _ in 0..entry.count.unwrap_or(1) {
            let number = cast::ordinal(customers.len());
            customers.push(customer(entry, number, streams, policies, &mut taken));
            customer_entry.push(entry_index);
        }
    }
    (customers.into(), customer_entry.into())
}

fn package(streams: &RandomStreams, ordinal: u32, end_of_life: f64) -> PackageInfo {
    let name = names::package(streams, ordinal);
    let (license, supplier, description) = names::package_facts(streams, ordinal, &name);
    let end_of_life = streams.uniform(Purpose::Package, u64::from(ordinal), 5) < end_of_life;
    PackageInfo { name, license, supplier, description, end_of_life }
}

/// What a policy promises: its preset, with what it says itself.
pub(crate) fn policy(policy: &SlaPolicy) -> PolicyInfo {
    let mut info = policy.preset.map_or_else(
        || PolicyInfo {
            name: String::new(),
            days: [None; 4],
            calendar: Calendar::Calendar,
            clock_start: ClockStart::FixAvailable,
            pause_without_fix: true,
            exclude_over_permille: None,
            warn_permille: 750,
            on_reexposure: OnReexposure::default(),
        },
        preset,
    );
    info.name = policy.name.value.as_str().to_owned();
    if let Some(days) = &policy.days {
        let changes = [days.low, days.medium, days.high, days.critical];
        for (before, change) in info.days.iter_mut().zip(changes) {
            *before = change.of(*before);
        }
    }
    let permille =
        |share: &crate::scenario::units::Share| whole_u32(libm::round(share.value() * 1000.0));
    info.calendar = policy.calendar.unwrap_or(info.calendar);
    info.clock_start = policy.clock_start.unwrap_or(info.clock_start);
    info.pause_without_fix = policy.pause_without_fix.unwrap_or(info.pause_without_fix);
    info.exclude_over_permille = policy
        .exclude_mass_events_over
        .map(|share| permille(&share))
        .of(info.exclude_over_permille);
    info.warn_permille = policy.warn_share.as_ref().map_or(info.warn_permille, permille);
    info.on_reexposure = policy.on_reexposure.unwrap_or(info.on_reexposure);
    info
}

fn preset(preset: Preset) -> PolicyInfo {
    let (days, calendar, clock_start, exclude) = match preset {
        Preset::HardenedVendor => {
            ([14, 14, 14, 7].map(Some), Calendar::Calendar, ClockStart::FixAvailable, Some(250))
        }
        Preset::Business230 => {
            ([30, 30, 2, 2].map(Some), Calendar::Business, ClockStart::FixAvailable, None)
        }
        Preset::FedrampLegacy => {
            ([180, 90, 30, 30].map(Some), Calendar::Calendar, ClockStart::Detected, None)
        }
        Preset::DefectdojoDefault => {
            ([120, 90, 30, 7].map(Some), Calendar::Calendar, ClockStart::Detected, None)
        }
        Preset::PciCritical => {
            ([None, None, None, Some(30)], Calendar::Calendar, ClockStart::FixAvailable, None)
        }
    };
    PolicyInfo {
        name: String::new(),
        days,
        calendar,
        clock_start,
        pause_without_fix: clock_start == ClockStart::FixAvailable,
        exclude_over_permille: exclude,
        warn_permille: 750,
        on_reexposure: OnReexposure::default(),
    }
}

fn customer(
    entry: &Customers,
    ordinal: u32,
    streams: &RandomStreams,
    policies: &[PolicyInfo],
    taken: &mut BTreeSet<String>,
) -> CustomerInfo {
    let mut rng = streams.stream(Purpose::Customer, u64::from(ordinal));
    let company: String = CompanyName().fake_with_rng(&mut rng);
    let first: String = FirstName().fake_with_rng(&mut rng);
    let last: String = LastName().fake_with_rng(&mut rng);
    let name = if entry.count.is_some() { company } else { entry.name.value.as_str().to_owned() };
    let label = dns_label(&name);
    let mut namespace = label.clone();
    let mut number = ordinal;
    while !taken.insert(namespace.clone()) {
        namespace = format!("{label}-{number}");
        number += 1;
    }
    let policy = policies.iter().position(|p| p.name == entry.policy.value.as_str());
    CustomerInfo {
        contact_email: format!("{}@{namespace}.example", dns_label(&format!("{first} {last}"))),
        contact_name: format!("{first} {last}"),
        tier: entry
            .tier
            .as_ref()
            .map_or(entry.name.value.as_str(), |tier| tier.as_str())
            .to_owned(),
        policy: PolicyId(cast::ordinal(policy.expect("a checked scenario names known policies"))),
        namespace,
        name,
    }
}

fn dns_label(text: &str) -> String {
    let mut label = String::new();
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() {
            label.push(letter.to_ascii_lowercase());
        } else if !label.ends_with('-') && !label.is_empty() && letter != '\'' {
            label.push('-');
        }
    }
    label.truncate(48);
    label.trim_end_matches('-').to_owned()
}
