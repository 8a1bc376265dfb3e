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

/// What the contents of an image are: those of its base, then the releases of its own packages.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Packages in the order of contents.
    packages: Vec<PackageId>,
    /// Places in the contents, by package.
    places: Vec<(PackageId, u32)>,
    /// How many of them come from the base.
    inherited: usize,
}

/// Stands in contents for a package that is not there: an image can be built before its base is.
pub(super) const ABSENT: u32 = u32::MAX;

impl Layout {
    /// The releases of a build that begins now, written to `contents`.
    pub(super) fn resolve(&self, base: Option<&[u32]>, newest: &[u32], contents: &mut Vec<u32>) {
        contents.clear();
        match base {
            Some(base) => contents.extend_from_slice(base),
            None => contents.resize(self.inherited, ABSENT),
        }
        let own = &self.packages[self.inherited..];
        contents.extend(own.iter().map(|package| newest[package.index()]));
    }

    /// Where a package stands in the contents.
    pub(super) fn place(&self, package: PackageId) -> Option<u32> {
        let place = self.places.binary_search_by_key(&package, |(of, _)| *of).ok()?;
        Some(self.places[place].1)
    }

    /// Contents as facts tell them: in the order of packages.
    pub(super) fn releases(&self, contents: &[u32]) -> Arc<[ReleaseRef]> {
        let all = self.places.iter().map(|(package, place)| ReleaseRef {
            package: *package,
            release: contents[*place as usize],
        });
        all.filter(|release| release.release != ABSENT).collect()
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
        let inherited = below.len();
        let packages = [below, &info.own_packages].concat();
        let mut places: Vec<(PackageId, u32)> = packages.iter().copied().zip(0..).collect();
        places.sort_unstable();
        for package in &packages {
            self.holders[package.index()].push(image);
        }
        self.layouts.push(Layout { packages, places, inherited });
    }
}
