//! One use, or one thing that could not be read, before one policy: everything
//! that holds for it whatever image it turns out to be.

use super::Circumstances;
use super::Mode;
use super::Policy;
use super::exception::Exceptions;
use super::place::Place;
use crate::day::Day;
use crate::image::ImageUse;
use crate::image::Role;
use crate::source::Location;
use crate::source::RepoPath;
use crate::source::Span;
use crate::trust::Evidence;

/// What is known beside the policy and the use.
pub(super) struct Given<'a> {
    pub(super) day: Day,
    pub(super) evidence: &'a Evidence,
    /// Those of both files.
    pub(super) exceptions: Vec<&'a Exceptions>,
    /// `tag: supported` is not looked at.
    pub(super) supported_tags_met: bool,
    /// For `rules`.
    pub(super) circumstances: &'a Circumstances,
}

/// See the module.
pub(super) struct Case<'a> {
    pub(super) policy: &'a Policy,
    pub(super) given: &'a Given<'a>,
    pub(super) file: &'a RepoPath,
    /// The use; `None` for what could not be read.
    pub(super) usage: Option<&'a ImageUse>,
    /// It is what a build is called: `block` applies, and names are looked at,
    /// nothing else (extraction.md, "Decisions", 3).
    pub(super) is_output: bool,
    /// The places that it is in.
    pub(super) places: Vec<&'a Place>,
}

impl<'a> Case<'a> {
    pub(super) fn of_use(policy: &'a Policy, usage: &'a ImageUse, given: &'a Given<'a>) -> Case<'a> {
        Case {
            policy,
            given,
            file: &usage.file,
            usage: Some(usage),
            is_output: usage.role == Role::PullableOutput,
            places: policy.places.iter().filter(|place| place.holds(usage)).collect(),
        }
    }

    pub(super) fn of_file(policy: &'a Policy, file: &'a RepoPath, given: &'a Given<'a>) -> Case<'a> {
        Case {
            policy,
            given,
            file,
            usage: None,
            is_output: false,
            places: policy.places.iter().filter(|place| place.holds_file(file)).collect(),
        }
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
