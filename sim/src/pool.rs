//! The builder pool: a queue with several servers, non-preemptive priorities and merging.
//!
//! It decides who builds next and nothing else; time belongs to the world. With exponential
//! gaps and durations it is the M/M/c queue of the textbooks, which the tests hold it to.
use crate::cast::ordinal;
use crate::ids::BuilderId;
use std::collections::{BTreeSet, VecDeque};

/// Builds that wait and builders that are free. `J` names a build, `K` what merging compares.
#[derive(Clone, Debug)]
pub struct Pool<J> {
    waiting: Vec<VecDeque<J>>,
    waiting_count: usize,
    free: BTreeSet<u32>,
    busy: u32,
    in_service: u32,
}

impl<J: Copy + PartialEq> Pool<J> {
    /// A pool of `builders` free builders whose queue has `classes` priorities, 0 served first.
    pub fn new(builders: u32, classes: usize) -> Self {
        Pool {
            waiting: vec![VecDeque::new(); classes.max(1)],
            waiting_count: 0,
            free: (0..builders).collect(),
            busy: 0,
            in_service: builders,
        }
    }

    /// Lets a build wait, last of its class.
    pub fn wait(&mut self, job: J, class: usize) {
        self.waiting[class].push_back(job);
        self.waiting_count += 1;
    }

    /// Moves a waiting build to the end of a better class.
    pub fn promote(&mut self, job: J, from: usize, to: usize) {
        if let Some(place) = self.waiting[from].iter().position(|other| *other == job) {
            self.waiting[from].remove(place);
            self.waiting[to].push_back(job);
        }
    }

    /// Gives the next waiting build to a free builder, if there are both.
    pub fn start(&mut self) -> Option<(J, BuilderId)> {
        if self.busy >= self.in_service || self.waiting_count == 0 {
            return None;
        }
        let job = self.waiting.iter_mut().find_map(VecDeque::pop_front)?;
        let builder = self.free.pop_first()?;
        self.waiting_count -= 1;
        self.busy += 1;
        Some((job, BuilderId(builder)))
    }

    /// Takes back the builder of a build that ended.
    pub fn release(&mut self, builder: BuilderId) {
        self.free.insert(builder.0);
        self.busy -= 1;
    }

    /// Takes builders out of service (negative) or puts them back; what runs, runs on.
    pub fn change_service(&mut self, by: i64) -> u32 {
        let most = ordinal(self.free.len()) + self.busy;
        let wanted = (i64::from(self.in_service) + by).clamp(0, i64::from(most));
        self.in_service = u32::try_from(wanted).unwrap_or(most);
        self.in_service
    }

    /// How many builders are in service.
    pub fn in_service(&self) -> u32 {
        self.in_service
    }

    /// How many builds wait.
    pub fn waiting(&self) -> usize {
        self.waiting_count
    }

    /// How many builds run.
    pub fn running(&self) -> u32 {
        self.busy
    }
}
