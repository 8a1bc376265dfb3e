//! The catalogue: named images with their lineage, and the fleet.
use super::{Checked, Invalid, steps, unique, within};
use crate::scenario::error::{did_you_mean, excerpt};
use crate::scenario::model::{Fleet, Image, Scenario};
use std::collections::BTreeMap;

/// The most images in all.
const MAX_IMAGES: u64 = 20_000;
/// The most packages of one image beside those of its base.
const MAX_OWN_PACKAGES: u32 = 5_000;
/// The longest lineage, counted in images.
const MAX_LINEAGE: usize = 32;
/// The most packages of all images together.
const MAX_CONTENTS: u64 = 20_000_000;

/// How many images there are, named and in the fleet.
pub(super) fn count(scenario: &Scenario) -> u64 {
    let fleet = scenario.fleet.as_ref();
    let fleet = fleet.map_or(0, |fleet| u64::from(fleet.bases) + u64::from(fleet.images));
    scenario.images.len() as u64 + fleet
}

pub(super) fn check(scenario: &Scenario) -> Checked {
    let images = count(scenario);
    if images == 0 {
        let hint = "name some under `images`, or make them by the dozen: \
                    `fleet: {bases: 2, images: 10}`";
        return Err(Invalid::new(steps!["images"], "at least one image", "none").hint(hint));
    }
    if images > MAX_IMAGES {
        let section = if scenario.fleet.is_some() { "fleet" } else { "images" };
        let expected = format!("at most {MAX_IMAGES} images in all");
        return Err(Invalid::new(steps![section], expected, images));
    }
    let packages = scenario.distribution.packages;
    let mut contents = named(scenario, packages)?;
    if let Some(fleet) = &scenario.fleet {
        contents += check_fleet(fleet, packages)?;
    }
    if contents > MAX_CONTENTS {
        let expected = format!("at most {MAX_CONTENTS} packages in all images together");
        return Err(Invalid::new(steps!["images"], expected, contents));
    }
    Ok(())
}

/// Checks the images that have a name; gives the number of packages in them.
fn named(scenario: &Scenario, packages: u32) -> Result<u64, Invalid> {
    let images = &scenario.images;
    let names = unique("images", images.iter().map(|image| image.name.value.as_str()))?;
    let by_name: BTreeMap<&str, usize> =
        names.iter().enumerate().map(|(index, name)| (*name, index)).collect();
    let mut bases = Vec::with_capacity(images.len());
    for (index, image) in images.iter().enumerate() {
        within(steps!["images", index, "packages"], image.packages, 1..=MAX_OWN_PACKAGES)?;
        end_of_life(scenario, index, image)?;
        bases.push(base(index, image, &by_name)?);
    }
    let mut contents = 0;
    for index in 0..images.len() {
        let total = lineage(index, images, &bases)?;
        if total > u64::from(packages) {
            let path = steps!["images", index, "packages"];
            let expected = format!("at most the {packages} packages of the distribution");
            let found = format!("{total} with those of its bases");
            let hint = "raise `distribution.packages`";
            return Err(Invalid::new(path, expected, found).hint(hint));
        }
        contents += total;
    }
    Ok(contents)
}

fn end_of_life(scenario: &Scenario, index: usize, image: &Image) -> Checked {
    match image.end_of_life {
        Some(at) if at.time() <= scenario.start.time() => {
            let path = steps!["images", index, "end_of_life"];
            let expected = format!("an instant after the start, {}", scenario.start);
            let hint = "an image that has ended before the start is never built: leave it out";
            Err(Invalid::new(path, expected, at).hint(hint))
        }
        _ => Ok(()),
    }
}

fn base(
    index: usize,
    image: &Image,
    by_name: &BTreeMap<&str, usize>,
) -> Result<Option<usize>, Invalid> {
    let Some(base) = &image.base else { return Ok(None) };
    let name = base.value.as_str();
    if let Some(found) = by_name.get(name) {
        return Ok(Some(*found));
    }
    let hint = did_you_mean(name, by_name.keys().copied())
        .unwrap_or_else(|| "a base is an image named under `images`".to_owned());
    let path = steps!["images", index, "base"];
    Err(Invalid::new(path, "the name of an image", excerpt(name)).hint(hint))
}

/// The packages of an image with those of its bases; refuses a cycle.
fn lineage(index: usize, images: &[Image], bases: &[Option<usize>]) -> Result<u64, Invalid> {
    let mut total = u64::from(images[index].packages);
    let mut seen = vec![index];
    let mut at = index;
    while let Some(base) = bases[at] {
        if let Some(from) = seen.iter().position(|image| *image == base) {
            let cycle = &seen[from..];
            let mut names: Vec<&str> =
                cycle.iter().map(|image| images[*image].name.value.as_str()).collect();
            names.push(images[base].name.value.as_str());
            let path = steps!["images", cycle[0], "base"];
            let found = format!("a cycle: {}", shortened(&names));
            return Err(Invalid::new(path, "a base that does not stand on this image", found));
        }
        if seen.len() == MAX_LINEAGE {
            let expected = format!("a lineage of at most {MAX_LINEAGE} images");
            let path = steps!["images", index, "base"];
            return Err(Invalid::new(path, expected, "a longer one"));
        }
        seen.push(base);
        total += u64::from(images[base].packages);
        at = base;
    }
    Ok(total)
}

fn shortened(names: &[&str]) -> String {
    const SHOWN: usize = 8;
    match names.len() {
        n if n > SHOWN => {
            format!("{} -> ... -> {}", names[..SHOWN - 1].join(" -> "), names[n - 1])
        }
        _ => names.join(" -> "),
    }
}

/// Checks the fleet; gives the number of packages that its images may have.
fn check_fleet(fleet: &Fleet, packages: u32) -> Result<u64, Invalid> {
    within(steps!["fleet", "bases"], fleet.bases, 1..=1_000)?;
    range("base_packages", fleet.base_packages)?;
    range("own_packages", fleet.own_packages)?;
    let most = fleet.base_packages[1] + fleet.own_packages[1];
    if most > packages {
        let expected = format!("at most the {packages} packages of the distribution");
        let found = format!("up to {most} (base_packages and own_packages)");
        let hint = "raise `distribution.packages`";
        let path = steps!["fleet", "own_packages"];
        return Err(Invalid::new(path, expected, found).hint(hint));
    }
    let base = u64::from(fleet.base_packages[1]);
    Ok(u64::from(fleet.bases) * base + u64::from(fleet.images) * u64::from(most))
}

fn range(key: &'static str, [least, most]: [u32; 2]) -> Checked {
    if 1 <= least && least <= most && most <= MAX_OWN_PACKAGES {
        return Ok(());
    }
    let expected = format!("[least, most] with 1 <= least <= most <= {MAX_OWN_PACKAGES}");
    Err(Invalid::new(steps!["fleet", key], expected, format!("[{least}, {most}]")))
}
