//! Which image stands on which, and how many packages each adds: by annotations, by shared layers.
use crate::evidence::{Evidence, Image};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The most packages an image of a scenario may add.
const MOST_PACKAGES: usize = 5_000;
/// The longest name.
const MOST_CHARS: usize = 60;

/// An image of the scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// Its name in the scenario.
    pub(crate) name: String,
    /// Its base: its place among the images, which is before its own.
    pub(crate) base: Option<usize>,
    /// Packages it adds.
    pub(crate) packages: usize,
}

/// Images, bases first, and what was assumed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lineage {
    pub(crate) images: Vec<Named>,
    /// Distinct packages of all images.
    pub(crate) packages: usize,
    /// Images whose base is known by an annotation, and by layers.
    pub(crate) by_annotation: u64,
    pub(crate) by_layers: u64,
    pub(crate) assumed: Vec<String>,
}

struct Draft<'a> {
    key: &'a str,
    packages: Vec<u32>,
    from_base: usize,
    base: Option<usize>,
}

pub(crate) fn lineage(evidence: &Evidence) -> Lineage {
    let mut out = Lineage::default();
    let keys: Vec<&str> = evidence.images.keys().map(String::as_str).collect();
    let images: Vec<&Image> = evidence.images.values().collect();
    let places: BTreeMap<&str, usize> = keys.iter().copied().zip(0..).collect();
    let layers = Layers::of(&images);
    let mut children: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut drafts: Vec<Draft<'_>> = Vec::with_capacity(images.len());
    for (place, image) in images.iter().enumerate() {
        let annotated = image.base.as_deref().filter(|base| *base != keys[place]);
        let base = annotated.and_then(|base| places.get(base).copied());
        let by_layers = if base.is_none() { layers.base(&images, place) } else { None };
        match (annotated, base, by_layers) {
            (_, Some(_), _) => out.by_annotation += 1,
            (_, None, Some(_)) => out.by_layers += 1,
            (Some(missing), None, None) => children.entry(missing).or_default().push(place),
            _ => {}
        }
        drafts.push(Draft {
            key: keys[place],
            packages: image.packages.clone(),
            from_base: image.from_base as usize,
            base: base.or(by_layers),
        });
    }
    absent_bases(&mut drafts, &children, &mut out);
    break_circles(&mut drafts, &mut out);
    let all: BTreeSet<u32> = drafts.iter().flat_map(|draft| &draft.packages).copied().collect();
    out.packages = all.len();
    name_all(&drafts, &mut out);
    out
}

/// A base that is named and of which there is no inventory holds what all its children share.
fn absent_bases<'a>(
    drafts: &mut Vec<Draft<'a>>,
    children: &BTreeMap<&'a str, Vec<usize>>,
    out: &mut Lineage,
) {
    for (missing, of) in children {
        if of.len() < 2 {
            out.assumed.push(format!("{missing} has no inventory: what stands on it has no base"));
            continue;
        }
        let mut shared = drafts[of[0]].packages.clone();
        for child in &of[1..] {
            shared.retain(|package| drafts[*child].packages.binary_search(package).is_ok());
        }
        if shared.is_empty() {
            continue;
        }
        out.by_annotation += of.len() as u64;
        out.assumed.push(format!(
            "{missing} has no inventory: taken to hold the {} packages that the {} images on it share",
            shared.len(),
            of.len()
        ));
        let place = drafts.len();
        of.iter().for_each(|child| drafts[*child].base = Some(place));
        drafts.push(Draft { key: missing, packages: shared, from_base: 0, base: None });
    }
}

fn break_circles(drafts: &mut [Draft<'_>], out: &mut Lineage) {
    for start in 0..drafts.len() {
        let (mut at, mut steps) = (start, 0);
        while let Some(base) = drafts[at].base {
            if base == start || steps > drafts.len() {
                let text =
                    format!("{} stands on itself by what is said: no base", drafts[start].key);
                out.assumed.push(text);
                drafts[start].base = None;
                break;
            }
            (at, steps) = (base, steps + 1);
        }
    }
}

/// Puts bases first, and gives all a name that scenarios allow.
fn name_all(drafts: &[Draft<'_>], out: &mut Lineage) {
    let depth = |place: usize| {
        let (mut at, mut depth) = (place, 0_usize);
        while let Some(base) = drafts[at].base {
            (at, depth) = (base, depth + 1);
        }
        depth
    };
    let mut order: Vec<(usize, usize)> = (0..drafts.len()).map(|at| (depth(at), at)).collect();
    order.sort_unstable();
    let new_place: BTreeMap<usize, usize> =
        order.iter().enumerate().map(|(new, (_, old))| (*old, new)).collect();
    let mut taken = BTreeSet::new();
    let mut cut = 0_u64;
    for (_, old) in order {
        let draft = &drafts[old];
        let own = match draft.base {
            Some(_) if draft.from_base > 0 => draft.packages.len().saturating_sub(draft.from_base),
            Some(base) => {
                let below = &drafts[base].packages;
                draft.packages.iter().filter(|p| below.binary_search(p).is_err()).count()
            }
            None => draft.packages.len(),
        };
        cut += u64::from(!(1..=MOST_PACKAGES).contains(&own));
        out.images.push(Named {
            name: unique(draft.key, &mut taken),
            base: draft.base.and_then(|base| new_place.get(&base).copied()),
            packages: own.clamp(1, MOST_PACKAGES),
        });
    }
    if cut > 0 {
        out.assumed.push(format!(
            "{cut} images add no package, or more than {MOST_PACKAGES}: taken to add 1, or that many"
        ));
    }
}

/// A name as scenarios allow them: letters, digits and hyphens.
fn unique(key: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = String::new();
    for c in key.chars().map(|c| c.to_ascii_lowercase()) {
        match c {
            'a'..='z' | '0'..='9' => name.push(c),
            _ if !name.is_empty() && !name.ends_with('-') => name.push('-'),
            _ => {}
        }
    }
    let name: String = name.chars().take(MOST_CHARS - 8).collect();
    let name = name.trim_matches('-').to_owned();
    let letters = name.starts_with(|c: char| c.is_ascii_lowercase());
    let name = if letters { name } else { format!("image-{name}").trim_matches('-').to_owned() };
    let mut found = name.clone();
    let mut nth = 2;
    while !taken.insert(found.clone()) {
        found = format!("{name}-{nth}");
        nth += 1;
    }
    found
}

/// Images by their layers.
struct Layers<'a> {
    whole: HashMap<&'a [u32], usize>,
    /// By a layer: images of an unordered set that have it as their first one.
    by_first: BTreeMap<u32, Vec<usize>>,
}

impl<'a> Layers<'a> {
    fn of(images: &[&'a Image]) -> Self {
        let mut layers = Layers { whole: HashMap::new(), by_first: BTreeMap::new() };
        for (place, image) in images.iter().enumerate() {
            if !image.layers.is_empty() {
                layers.whole.entry(&image.layers).or_insert(place);
            } else if let Some(first) = image.layer_set.first() {
                layers.by_first.entry(*first).or_default().push(place);
            }
        }
        layers
    }

    /// The image whose layers are the most that this one begins with, and not all of them.
    fn base(&self, images: &[&Image], place: usize) -> Option<usize> {
        let own = images[place];
        let ordered = (1..own.layers.len()).rev();
        if let Some(base) = ordered.filter_map(|n| self.whole.get(&own.layers[..n])).next() {
            return Some(*base);
        }
        let mine = &own.layer_set;
        let candidates = mine.iter().filter_map(|layer| self.by_first.get(layer)).flatten();
        candidates
            .filter(|other| {
                let theirs = &images[**other].layer_set;
                theirs.len() < mine.len() && theirs.is_subset(mine)
            })
            .max_by_key(|other| (images[**other].layer_set.len(), std::cmp::Reverse(**other)))
            .copied()
    }
}
