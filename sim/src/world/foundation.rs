//! What a world is made on: its inventory, who stands on whom, and who uses what. Worlds of one seed
//! share it, where their scenarios agree on it, so that the arms of a study make it once.
use super::lineage::Lineage;
use crate::cast::ordinal;
use crate::catalogue::{Agreement, Catalogue};
use crate::ids::{CustomerId, ImageId};
use crate::random::{Purpose, RandomStreams};
use crate::scenario::Scenario;
use crate::scenario::model::CustomerImages;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Exponent of image popularity. 1.04: the top 20 images are about half of the pulls (C).
const POPULARITY_EXPONENT: f64 = 1.04;

/// What a function of scenario and seed alone gives, before anything happens.
#[derive(Clone, Debug)]
pub(super) struct Foundation {
    pub(super) scenario: Arc<Scenario>,
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) lineage: Arc<Lineage>,
    pub(super) chosen: Arc<[Chosen]>,
}

/// One customer's use of one image, as drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chosen {
    pub(super) customer: CustomerId,
    pub(super) image: ImageId,
    /// The scenario's entry of the customer.
    pub(super) entry: u32,
    pub(super) pin: bool,
}

impl Foundation {
    pub(super) fn new(scenario: Arc<Scenario>, streams: RandomStreams) -> Self {
        let catalogue = Catalogue::new(&scenario, streams);
        let lineage = Arc::new(Lineage::of(&catalogue));
        let chosen = chosen(&scenario, &catalogue, streams).into();
        Foundation { scenario, catalogue: Arc::new(catalogue), lineage, chosen }
    }

    /// The foundation of another scenario under the same seed; what it agrees on with this one is
    /// shared.
    pub(super) fn like(&self, scenario: Arc<Scenario>, streams: RandomStreams) -> Self {
        let agreement = Agreement::of(&self.scenario, &scenario);
        let catalogue = self.catalogue.like(&scenario, &agreement);
        let lineage = match agreement.images {
            true => Arc::clone(&self.lineage),
            false => Arc::new(Lineage::of(&catalogue)),
        };
        let chosen = match agreement.usages {
            true => Arc::clone(&self.chosen),
            false => chosen(&scenario, &catalogue, streams).into(),
        };
        Foundation { scenario, catalogue: Arc::new(catalogue), lineage, chosen }
    }
}

/// Draws what every customer uses: popular images more often, none twice.
fn chosen(scenario: &Scenario, catalogue: &Catalogue, streams: RandomStreams) -> Vec<Chosen> {
    let all = ordinal(catalogue.images.len());
    let by_name: BTreeMap<&str, u32> =
        catalogue.images.iter().map(|image| image.name.as_str()).zip(0..).collect();
    // The rank of popularity is drawn by the seed, not by the order of the scenario.
    let rank_key = |image: &u32| streams.bits(Purpose::Usage, u64::MAX, *image)[0];
    let mut ranked: Vec<u32> = (0..all).collect();
    ranked.sort_by_key(|image| (rank_key(image), *image));
    let weights: Vec<f64> =
        (1..=all).map(|rank| libm::pow(f64::from(rank), -POPULARITY_EXPONENT)).collect();
    let mut usages = Vec::new();
    for customer in 0..ordinal(catalogue.customers.len()) {
        let entry = catalogue.customer_entry[customer as usize];
        let images = &scenario.customers[entry].images;
        let pinned = scenario.customers[entry].pinned.value();
        let draw = |n| streams.uniform(Purpose::Usage, u64::from(customer), n);
        let mut chosen: Vec<u32> = match images {
            Some(CustomerImages::Named(names)) => {
                names.iter().filter_map(|name| by_name.get(name.as_str()).copied()).collect()
            }
            counted => {
                let wanted = CustomerImages::count(counted.as_ref(), u64::from(all));
                let weighted = ranked
                    .iter()
                    .zip(&weights)
                    .map(|(image, weight)| (-libm::log(draw(2 * image)) / weight, *image));
                let mut keyed: Vec<(f64, u32)> = weighted.collect();
                let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
                if wanted < keyed.len() {
                    let order =
                        |a: &(f64, u32), b: &(f64, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
                    keyed.select_nth_unstable_by(wanted, order);
                    keyed.truncate(wanted);
                }
                keyed.into_iter().map(|(_, image)| image).collect()
            }
        };
        chosen.sort_unstable();
        usages.extend(chosen.into_iter().map(|image| Chosen {
            customer: CustomerId(customer),
            image: ImageId(image),
            entry: ordinal(entry),
            pin: draw(2 * image + 1) < pinned,
        }));
    }
    usages
}
