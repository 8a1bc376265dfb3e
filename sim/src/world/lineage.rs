//! Who stands on whom, who holds what, and what an image is therefore made of.
use crate::cast::ordinal;
use crate::catalogue::Catalogue;
use crate::ids::{ImageId, PackageId, ReleaseRef};
use std::sync::Arc;

/// Who stands on whom, and who holds what. Changes only when an image is added.
#[derive(Clone, Debug)]
pub(super) struct Lineage {
    /// By base: the images built directly on it.
    pub(super) children: Vec<Vec<ImageId>>,
    /// By package: images that add it themselves.
    pub(super) owners: Vec<Vec<ImageId>>,
    /// By package: images that hold it, from whichever layer.
    pub(super) holders: Vec<Vec<ImageId>>,
    /// By package: images whose main package it is.
    pub(super) mains: Vec<Vec<ImageId>>,
    /// All images, bases before what stands on them.
    pub(super) by_depth: Vec<ImageId>,
    /// By image: what its contents are.
    pub(super) layouts: Vec<Layout>,
}

/// What the contents of an image are: its packages in order, and where each release comes from.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    packages: Vec<PackageId>,
    slots: Vec<Slot>,
}

/// Where the release of a package comes from.
#[derive(Clone, Copy, Debug)]
enum Slot {
    /// The image adds the package itself.
    Own(PackageId),
    /// The base holds it, at this place of its contents.
    Base(u32),
}

/// Stands in contents for a package that is not there: an image can be built before its base is.
const ABSENT: u32 = u32::MAX;

impl Layout {
    /// The releases of a build that begins now, by package.
    pub(super) fn contents(&self, base: Option<&[u32]>, newest: &[u32]) -> Arc<[u32]> {
        let of = |slot: &Slot| match *slot {
            Slot::Own(package) => newest[package.index()],
            Slot::Base(place) => base.map_or(ABSENT, |base| base[place as usize]),
        };
        self.slots.iter().map(of).collect()
    }

    /// Where a package stands in the contents.
    pub(super) fn place(&self, package: PackageId) -> Option<u32> {
        self.packages.binary_search(&package).ok().map(ordinal)
    }

    /// Contents as facts tell them.
    pub(super) fn releases(&self, contents: &[u32]) -> Arc<[ReleaseRef]> {
        let all = self.packages.iter().zip(contents).filter(|(_, release)| **release != ABSENT);
        all.map(|(package, release)| ReleaseRef { package: *package, release: *release }).collect()
    }
}

impl Lineage {
    pub(super) fn of(catalogue: &Catalogue) -> Self {
        let packages = catalogue.packages.len();
        let mut lineage = Lineage {
            children: Vec::new(),
            owners: vec![Vec::new(); packages],
            holders: vec![Vec::new(); packages],
            mains: vec![Vec::new(); packages],
            by_depth: Vec::new(),
            layouts: Vec::new(),
        };
        for image in (0..ordinal(catalogue.images.len())).map(ImageId) {
            lineage.attach(catalogue, image);
        }
        lineage.sort(catalogue);
        lineage
    }

    pub(super) fn add(&mut self, catalogue: &Catalogue, image: ImageId) {
        self.attach(catalogue, image);
        self.sort(catalogue);
    }

    fn sort(&mut self, catalogue: &Catalogue) {
        self.by_depth.sort_by_key(|id| (catalogue.images[id.index()].depth, *id));
    }

    /// Adds the next image.
    fn attach(&mut self, catalogue: &Catalogue, image: ImageId) {
        let info = &catalogue.images[image.index()];
        self.children.push(Vec::new());
        if let Some(base) = info.base {
            self.children[base.index()].push(image);
        }
        for package in info.own_packages.iter() {
            self.owners[package.index()].push(image);
        }
        if !info.own_packages.is_empty() {
            self.mains[info.main_package.index()].push(image);
        }
        self.by_depth.push(image);
        let below = info.base.map_or(&[][..], |base| &self.layouts[base.index()].packages);
        let mut all: Vec<(PackageId, Slot)> =
            Vec::with_capacity(below.len() + info.own_packages.len());
        all.extend(below.iter().zip(0..).map(|(package, place)| (*package, Slot::Base(place))));
        all.extend(info.own_packages.iter().map(|package| (*package, Slot::Own(*package))));
        all.sort_unstable_by_key(|(package, _)| *package);
        for (package, _) in &all {
            self.holders[package.index()].push(image);
        }
        let (packages, slots) = all.into_iter().unzip();
        self.layouts.push(Layout { packages, slots });
    }
}
