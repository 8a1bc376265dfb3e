//! The images of a world: the fleet with invented names, and those that the scenario names.
use super::info::{ImageInfo, PackageInfo};
use crate::cast;
use crate::ids::{ImageId, PackageId};
use crate::names;
use crate::random::{Purpose, RandomStreams};
use crate::scenario::Scenario;
use crate::time::SimTime;
use std::collections::{BTreeMap, BTreeSet};

/// The images of the fleet (its bases first), then the named ones; bases before what stands on
/// them, so that an image's base always has a smaller ordinal.
pub(super) fn images(
    scenario: &Scenario,
    streams: &RandomStreams,
    packages: &[PackageInfo],
) -> Vec<ImageInfo> {
    let mut builder =
        ImageBuilder {
            streams,
            weight: packages
                .iter()
                .map(|p| {
                    if p.end_of_life {
                        scenario.distribution.end_of_life_weight.value()
                    } else {
                        1.0
                    }
                })
                .collect(),
            images: Vec::new(),
        };
    if let Some(fleet) = &scenario.fleet {
        let mut names = fleet_names(scenario);
        let images = names.split_off(fleet.bases as usize);
        for (ordinal, name) in (0u32..).zip(names) {
            let wanted = between(streams, u64::from(ordinal), fleet.base_packages);
            builder.add(name, "A base image.".to_owned(), None, wanted, None);
        }
        for (ordinal, name) in (0..).zip(images) {
            let wanted = between(streams, u64::from(fleet.bases + ordinal), fleet.own_packages);
            let base = (fleet.bases > 0).then(|| ImageId(ordinal % fleet.bases));
            builder.add(name, "An image of the fleet.".to_owned(), base, wanted, None);
        }
    }
    let mut ids: BTreeMap<&str, ImageId> = BTreeMap::new();
    while ids.len() < scenario.images.len() {
        let before = ids.len();
        for image in &scenario.images {
            let base = image.base.as_ref().map(|name| ids.get(name.value.as_str()).copied());
            if ids.contains_key(image.name.value.as_str()) || base == Some(None) {
                continue;
            }
            let end_of_life = image.end_of_life.as_ref().map(|at| at.time());
            let id = builder.add(
                image.name.value.as_str().to_owned(),
                image.description.clone(),
                base.flatten(),
                image.packages,
                end_of_life,
            );
            ids.insert(image.name.value.as_str(), id);
        }
        assert!(ids.len() > before, "a checked scenario has no unknown base and no cycle of bases");
    }
    builder.images
}

/// The invented names of the fleet, those of its bases first; no seed changes them.
pub(crate) fn fleet_names(scenario: &Scenario) -> Vec<String> {
    let named = scenario.images.iter().map(|image| image.name.value.as_str()).collect();
    let (bases, images) = scenario.fleet.as_ref().map_or((0, 0), |f| (f.bases, f.images));
    let invented = (0..bases).map(names::base).chain((0..images).map(names::image));
    invented.map(|name| not_among(&named, name)).collect()
}

/// An invented name that the scenario gives to an image of its own gets an ending that no invented
/// name has: the scenario's names are always what it says.
fn not_among(named: &BTreeSet<&str>, mut name: String) -> String {
    while named.contains(name.as_str()) {
        name.push_str("-fleet");
    }
    name
}

fn between(streams: &RandomStreams, entity: u64, [least, most]: [u32; 2]) -> u32 {
    least + streams.below(Purpose::FleetSize, entity, 0, most.saturating_sub(least) + 1)
}

struct ImageBuilder<'a> {
    streams: &'a RandomStreams,
    weight: Vec<f64>,
    images: Vec<ImageInfo>,
}

impl ImageBuilder<'_> {
    fn add(
        &mut self,
        name: String,
        description: String,
        base: Option<ImageId>,
        wanted: u32,
        end_of_life: Option<SimTime>,
    ) -> ImageId {
        let id = ImageId(cast::ordinal(self.images.len()));
        let mut taken = vec![false; self.weight.len()];
        let mut below = base;
        while let Some(image) = below {
            for package in self.images[image.index()].own_packages.iter() {
                taken[package.index()] = true;
            }
            below = self.images[image.index()].base;
        }
        let own = self.choose(id, wanted, &taken);
        let depth = base.map_or(0, |base| self.images[base.index()].depth + 1);
        self.images.push(ImageInfo {
            name,
            description,
            base,
            depth,
            main_package: own.first().copied().unwrap_or(PackageId(0)),
            own_packages: own.into(),
            end_of_life,
            owner: None,
        });
        id
    }

    /// Draws packages without replacement: those with the smallest keys `-ln(u) / weight`
    /// (Efraimidis and Spirakis 2006). An image never holds a package twice.
    fn choose(&self, image: ImageId, wanted: u32, taken: &[bool]) -> Vec<PackageId> {
        let wanted = wanted as usize;
        // Among equal weights the smallest keys are those of the largest draws: only of these is the
        // logarithm taken.
        let mut by_weight: Vec<(f64, Vec<(f64, PackageId)>)> = Vec::new();
        for ((weight, package), taken) in self.weight.iter().zip((0..).map(PackageId)).zip(taken) {
            if *weight <= 0.0 || *taken {
                continue;
            }
            let u = self.streams.uniform(Purpose::ImagePackages, u64::from(image.0), package.0);
            match by_weight.iter_mut().find(|(of, _)| of == weight) {
                Some((_, drawn)) => drawn.push((u, package)),
                None => by_weight.push((*weight, vec![(u, package)])),
            }
        }
        let mut keyed: Vec<(f64, PackageId)> = Vec::new();
        for (weight, mut drawn) in by_weight {
            let least = match wanted.checked_sub(1).filter(|last| *last < drawn.len()) {
                Some(last) => drawn.select_nth_unstable_by(last, |a, b| b.0.total_cmp(&a.0)).1.0,
                None => 0.0,
            };
            // Two draws can be so close that their logarithms are equal: then the package decides.
            let least = least * (1.0 - 1e-9);
            let near = drawn.into_iter().filter(|(u, _)| *u >= least);
            keyed.extend(near.map(|(u, package)| (-libm::log(u) / weight, package)));
        }
        keyed.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        keyed.truncate(wanted);
        keyed.into_iter().map(|(_, package)| package).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::catalogue::Catalogue;
    use crate::random::RandomStreams;
    use std::collections::BTreeSet;

    #[test]
    fn the_fleet_leaves_the_names_of_the_scenario_alone() {
        const FLEET: &str = "name: x\ntitle: X\nstart: 2026-01-05T00:00:00Z\nduration: 1d\n\
            fleet: { bases: 2, images: 3 }\n";
        let catalogue = |images: &str| {
            let text = format!("{FLEET}{images}");
            let scenario = crate::scenario::parse("x.yaml", text.as_bytes()).expect("valid");
            Catalogue::new(&scenario, RandomStreams::new(1))
        };
        let names = |catalogue: &Catalogue| -> Vec<String> {
            catalogue.images.iter().map(|image| image.name.clone()).collect()
        };
        let invented = names(&catalogue(""));
        let named = format!(
            "images: [{{ name: {}, packages: 3 }}, {{ name: {}, packages: 3 }},\n  \
             {{ name: {}-fleet, packages: 3 }}]\n",
            invented[0], invented[3], invented[3]
        );
        let both = names(&catalogue(&named));
        assert_eq!(both.len(), 8);
        assert_eq!(both.iter().collect::<BTreeSet<_>>().len(), 8, "{both:?}");
        assert_eq!(both[0], format!("{}-fleet", invented[0]));
        assert_eq!(both[3], format!("{}-fleet-fleet", invented[3]));
        assert_eq!(both[1], invented[1]);
        assert_eq!(both[5..], [&*invented[0], &*invented[3], &*format!("{}-fleet", invented[3])]);
    }

    #[test]
    fn no_two_customers_share_a_namespace_nor_have_the_platforms() {
        let text = "name: x\ntitle: X\nstart: 2026-01-05T00:00:00Z\nduration: 1d\n\
            images: [{ name: a }]\npolicies: [{ name: p, preset: pci-critical }]\ncustomers:\n  \
            - { name: a-2, policy: p, images: 1 }\n  - { name: a.b, policy: p, images: 1 }\n  \
            - { name: a_b, policy: p, images: 1 }\n  - { name: a-b-2, policy: p, images: 1 }\n  \
            - { name: catalogue, policy: p, images: 1 }\n  \
            - { name: many, count: 3000, policy: p, images: 1 }\n";
        let scenario = crate::scenario::parse("x.yaml", text.as_bytes()).expect("valid");
        let customers = Catalogue::new(&scenario, RandomStreams::new(1)).customers;
        let all: BTreeSet<_> = customers.iter().map(|customer| &customer.namespace).collect();
        assert_eq!(all.len(), 3_005);
        assert!(!all.contains(&crate::catalogue::SHARED_NAMESPACE.to_owned()));
    }
}
