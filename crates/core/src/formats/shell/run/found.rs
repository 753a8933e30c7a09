//! What commands pull and make, and what is local for that.

use std::collections::HashSet;

use super::Run;
use crate::formats::Build;
use crate::formats::Extracted;
use crate::formats::shell::expand;
use crate::formats::shell::field::Field;
use crate::formats::shell::scope::Member;
use crate::image::ImageRef;
use crate::image::Role;

/// From how many members on they are compared by their hashes.
const FEW: usize = 8;

/// What an image in a command may be.
#[derive(Default)]
pub(in crate::formats::shell) struct Found {
    pub(in crate::formats::shell) members: Vec<Member>,
    /// The same, when they are many.
    seen: HashSet<Member>,
}

impl Found {
    fn add(&mut self, member: &Member) {
        let is_new = match self.members.len() {
            0..FEW => !self.members.contains(member),
            _ => {
                if self.seen.is_empty() {
                    self.seen.extend(self.members.iter().cloned());
                }
                self.seen.insert(member.clone())
            }
        };
        if is_new {
            self.members.push(member.clone());
        }
    }
}

impl Run<'_, '_> {
    /// Notes an image that a command uses.
    pub(in crate::formats::shell) fn image(&mut self, role: Role, field: &Field<'_>) {
        if self.gathers || field.members.iter().all(|member| member.value.is_empty()) {
            return;
        }
        if let Some(named) = &mut self.named {
            named.insert(field.span);
        }
        let local = self.script.local.borrow();
        let found = self.found.entry((field.span, role)).or_default();
        for member in &field.members {
            let is_local = is_told_apart(member)
                && (member.symbol() == expand::BUILT
                    || (!local.is_empty() && local.contains(&local_key(member))));
            if !is_local && !member.value.is_empty() {
                found.add(member);
            }
        }
        if found.members.is_empty() {
            self.found.remove(&(field.span, role));
        }
    }

    /// Notes an image that is asked for again even where it was built.
    pub(in crate::formats::shell) fn pulled(&mut self, role: Role, field: &Field<'_>) {
        if self.gathers {
            return;
        }
        if let Some(named) = &mut self.named {
            named.insert(field.span);
        }
        let found = self.found.entry((field.span, role)).or_default();
        field.members.iter().filter(|member| !member.value.is_empty()).for_each(|member| found.add(member));
        if found.members.is_empty() {
            self.found.remove(&(field.span, role));
        }
    }

    /// Notes an image that a command makes.
    pub(in crate::formats::shell) fn made(&mut self, field: &Field<'_>) {
        if self.gathers {
            return;
        }
        let mut local = self.script.local.borrow_mut();
        for member in field.members.iter().filter(|member| is_told_apart(member)) {
            local.insert(local_key(member));
        }
    }

    /// Adds a build.
    pub(in crate::formats::shell) fn build(&mut self, build: Build) {
        if !self.gathers {
            self.builds.push(build);
        }
    }

    /// Adds what was found in a Dockerfile that stands in the script.
    pub(in crate::formats::shell) fn inline(&mut self, found: Extracted) {
        if self.gathers {
            return;
        }
        for usage in found.uses {
            let known = self.inlined.entry((usage.span, usage.role)).or_default();
            if !known.contains(&usage) {
                known.push(usage);
            }
        }
        self.problems.extend(found.problems);
    }

    /// A build of something that is not in the repository.
    pub(in crate::formats::shell) fn remote(&mut self, context: &Field<'_>) {
        if !self.gathers {
            const REASON: &str = "remote: the build context is somewhere else, and is not fetched";
            let found = self.found.entry((context.span, Role::FinalStage)).or_default();
            found.add(&Member::unknown(context.hint(), REASON));
        }
    }
}

/// Whether what is not known of a reference is told apart from others.
fn is_told_apart(member: &Member) -> bool {
    !member.symbol().contains('…')
}

/// What a reference is compared by: two that name the same image have the same.
fn local_key(member: &Member) -> String {
    if member.symbol.is_some() {
        return member.symbol().to_owned();
    }
    match ImageRef::parse(member.value.text()) {
        Ok(mut image) => {
            if image.tag.is_none() && image.digest.is_none() {
                image.tag = Some("latest".to_owned());
            }
            image.to_string()
        }
        Err(_) => member.value.text().to_owned(),
    }
}
