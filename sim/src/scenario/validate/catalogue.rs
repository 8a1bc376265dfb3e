//! The catalogue: named images with their lineage, and the fleet.
use super::{Invalid, Out, steps, unique, unknown};
use crate::scenario::model::{Fleet, Image, Scenario};
use crate::strict_yaml::error::MOST;
use std::collections::BTreeMap;

/// The most images in all.
pub(super) const MAX_IMAGES: u64 = 20_000;
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

pub(super) fn check(scenario: &Scenario, out: Out<'_>) {
    let images = count(scenario);
    let both = |invalid: Invalid| invalid.involves(steps!["images"]).involves(steps!["fleet"]);
    if images == 0 {
        let hint = "name some under `images`, or make them by the dozen: \
                    `fleet: {bases: 2, images: 10}`";
        let none = Invalid::new(steps!["images"], "at least one image", "none").hint(hint);
        out.push(both(none));
    }
    let section = if scenario.fleet.is_some() { "fleet" } else { "images" };
    if images > MAX_IMAGES {
        let expected = format!("at most {MAX_IMAGES} images in all");
        out.push(both(Invalid::new(steps![section], expected, images)));
    }
    let mut contents = named(scenario, out);
    if let Some(fleet) = &scenario.fleet {
        contents += check_fleet(fleet, scenario.distribution.packages, out);
    }
    if contents > MAX_CONTENTS {
        let expected = format!("at most {MAX_CONTENTS} packages in all images together");
        out.push(both(Invalid::new(steps![section], expected, contents)));
    }
}

/// Checks the images that have a name; gives the number of packages in them.
fn named(scenario: &Scenario, out: Out<'_>) -> u64 {
    let images = &scenario.images;
    let by_name = unique("images", images.iter().map(|image| image.name.value.as_str()), out);
    let mut bases = Vec::with_capacity(images.len());
    for (index, image) in images.iter().enumerate() {
        end_of_life(scenario, index, image, out);
        bases.push(base(index, image, &by_name, out));
    }
    let mut contents = 0;
    for index in 0..images.len() {
        let line = match lineage(index, images, &bases) {
            Ok(line) => line,
            Err(invalid) => {
                out.push(*invalid);
                continue;
            }
        };
        let total: u64 = line.iter().map(|image| u64::from(images[*image].packages)).sum();
        if total > u64::from(scenario.distribution.packages) {
            let known = known_packages(index, total, images, scenario.distribution.packages);
            let all = line.iter().fold(known, |invalid, image| {
                invalid.involves(steps!["images", *image, "packages"])
            });
            out.push(all);
        }
        contents += total;
    }
    contents
}

/// An image holds no package twice, and there are so many.
fn known_packages(index: usize, total: u64, images: &[Image], packages: u32) -> Invalid {
    let path = steps!["images", index, "packages"];
    let expected = format!("at most the {packages} packages of the distribution");
    let found = format!("{total} with those of its bases");
    let own = Invalid::new(path, expected, found).hint("raise `distribution.packages`");
    let name = images[index].name.value.as_str();
    let expected = format!("at least the {total} packages of `{name}` with those of its bases");
    let distribution = Invalid::new(steps!["distribution", "packages"], expected, packages);
    let hint = format!("images[{index}].packages is 24 where it is left out");
    let expected = format!("a lineage of at most {packages} packages (the default)");
    let found = format!("{total}, 24 an image where nothing else is said");
    let line = Invalid::new(steps!["images", index], expected, found);
    own.or(distribution.hint(hint).or(line.hint("set `distribution.packages`")))
}

fn end_of_life(scenario: &Scenario, index: usize, image: &Image, out: Out<'_>) {
    if let Some(at) = image.end_of_life
        && at.time() <= scenario.start.time()
    {
        let path = steps!["images", index, "end_of_life"];
        let expected = format!("an instant after the start, {}", scenario.start);
        let hint = "an image that has ended before the start is never built: leave it out";
        out.push(Invalid::new(path, expected, at).hint(hint).involves(steps!["start"]));
    }
}

fn base(
    index: usize,
    image: &Image,
    by_name: &BTreeMap<&str, usize>,
    out: Out<'_>,
) -> Option<usize> {
    let name = image.base.as_ref()?.value.as_str();
    if let Some(found) = by_name.get(name) {
        return Some(*found);
    }
    if out.len() >= MOST {
        return None;
    }
    let path = steps!["images", index, "base"];
    let otherwise = || "a base is an image named under `images`".to_owned();
    let known = by_name.keys().copied();
    out.push(unknown(path, "the name of an image", name, known, otherwise));
    None
}

/// An image with its bases, itself first; refuses a cycle.
fn lineage(
    index: usize,
    images: &[Image],
    bases: &[Option<usize>],
) -> Result<Vec<usize>, Box<Invalid>> {
    let mut seen = vec![index];
    let mut at = index;
    while let Some(base) = bases[at] {
        if let Some(from) = seen.iter().position(|image| *image == base) {
            return Err(Box::new(circle(seen.split_off(from), images)));
        }
        if seen.len() == MAX_LINEAGE {
            let expected = format!("a lineage of at most {MAX_LINEAGE} images");
            let at = steps!["images", index, "base"];
            return Err(Box::new(Invalid::new(at, expected, "a longer one")));
        }
        seen.push(base);
        at = base;
    }
    Ok(seen)
}

/// A cycle is told once, from its first image on, whichever image led to it.
fn circle(mut cycle: Vec<usize>, images: &[Image]) -> Invalid {
    let first = cycle.iter().enumerate().min_by_key(|(_, image)| **image);
    let first = first.map_or(0, |(place, _)| place);
    cycle.rotate_left(first);
    let name = |image: &usize| images[*image].name.value.as_str();
    let names: Vec<&str> = cycle.iter().chain(cycle.first()).map(name).collect();
    let path = steps!["images", cycle[0], "base"];
    let found = format!("a cycle: {}", shortened(&names));
    Invalid::new(path, "a base that does not stand on this image", found)
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
fn check_fleet(fleet: &Fleet, packages: u32, out: Out<'_>) -> u64 {
    range("base_packages", fleet.base_packages, out);
    range("own_packages", fleet.own_packages, out);
    let [base, own] = [fleet.base_packages[1], fleet.own_packages[1]].map(u64::from);
    let most = base + own;
    if most > u64::from(packages) {
        let expected = format!("at most the {packages} packages of the distribution");
        let found = format!("up to {most} ({base} of a base and {own} of its own)");
        let hint = "raise `distribution.packages`";
        let at =
            |key: &str| Invalid::new(steps!["fleet", key], expected.clone(), &found).hint(hint);
        let expected = format!("at least the {most} packages that an image of the fleet may have");
        let path = steps!["distribution", "packages"];
        let distribution = Invalid::new(path, expected, packages).hint(
            "`fleet.base_packages` is [14, 26] and `fleet.own_packages` [10, 70] where they are \
             left out",
        );
        out.push(at("own_packages").or(at("base_packages").or(distribution)));
    }
    u64::from(fleet.bases) * base + u64::from(fleet.images) * most
}

fn range(key: &'static str, [least, most]: [u32; 2], out: Out<'_>) {
    if least > most {
        let found = format!("[{least}, {most}]");
        out.push(Invalid::new(steps!["fleet", key], "[least, most] with least <= most", found));
    }
}
