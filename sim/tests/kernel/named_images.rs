//! Customers use the images that they name, and those alone.
use crate::support::{play, world};
use sim::fact::FactKind;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn customers_use_the_images_they_name() {
    let yaml = "name: x\ntitle: X\nstart: 2026-01-05T00:00:00Z\nduration: 3d\n\
        images: [{name: a}, {name: b}, {name: c}, {name: d}]\nfleet: {bases: 1, images: 3}\n\
        policies: [{name: p, preset: pci-critical}]\ncustomers:\n  \
        - {name: one, policy: p, images: [d, b, wave-static]}\n  \
        - {name: two, policy: p, images: [a], pinned: 100%}\n  \
        - {name: three, policy: p}\n  \
        - {name: four, policy: p, images: 5}\n";
    let mut world = world(yaml, 1);
    let mut used: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    play(&mut world, 3, |fact| {
        if let FactKind::UsageChanged { customer, version, .. } = &fact.kind {
            used.entry(customer.index()).or_default().insert(version.image.index());
        }
    });
    let catalogue = world.catalogue();
    let names = |customer: usize| -> BTreeSet<&str> {
        let images = used[&customer].iter();
        images.map(|image| catalogue.images[*image].name.as_str()).collect()
    };
    assert_eq!(names(0), BTreeSet::from(["d", "b", "wave-static"]));
    assert_eq!(names(1), BTreeSet::from(["a"]));
    // Eight images there are: all of them by default.
    assert_eq!((names(2).len(), names(3).len()), (8, 5));
}
