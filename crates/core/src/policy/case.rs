//! One use, or one thing that could not be read, before one policy: everything
//! that holds for it whatever image it turns out to be.

use super::Mode;
use super::Policy;
use super::place::Place;
use crate::image::ImageUse;
use crate::source::Location;
use crate::source::RepoPath;
use crate::source::Span;

/// See the module.
pub(super) struct Case<'a> {
    pub(super) policy: &'a Policy,
    /// The places that it is in.
    pub(super) places: Vec<&'a Place>,
}

impl<'a> Case<'a> {
    pub(super) fn of_use(policy: &'a Policy, usage: &ImageUse) -> Case<'a> {
        Case { policy, places: policy.places.iter().filter(|place| place.holds(usage)).collect() }
    }

    pub(super) fn of_file(policy: &'a Policy, file: &RepoPath) -> Case<'a> {
        Case { policy, places: policy.places.iter().filter(|place| place.holds_file(file)).collect() }
    }

    /// The mode of its findings, and where the place stands that made it harder
    /// than the file's.
    pub(super) fn mode(&self) -> (Mode, Option<(&'a Place, Span)>) {
        let harder = self.places.iter().find_map(|place| Some((*place, place.enforce?)));
        match harder.filter(|_| self.policy.mode < Mode::Enforce) {
            Some(harder) => (Mode::Enforce, Some(harder)),
            None => (self.policy.mode, None),
        }
    }

    /// A place in the policy file.
    pub(super) fn at(&self, span: Span) -> Location {
        Location { file: self.policy.file.path().clone(), span }
    }
}
