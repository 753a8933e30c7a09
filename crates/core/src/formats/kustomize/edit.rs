//! What patches do to the images of a resource.
//!
//! A strategic merge patch meets containers by their name in Kubernetes' own kinds, and
//! replaces whole lists in custom resources; a JSON patch (RFC 6902) meets them by their
//! index. Where it is not sure that a patch meets an image, the image stays: it is then
//! judged beside the patch's, which is never too little.

use super::resource::Image;
use super::resource::Resource;
use super::resource::Step;
use crate::source::Location;

/// The places whose images are gone, and never pulled for this.
pub(super) type Gone = Vec<(Location, bool)>;

/// An operation of a JSON patch.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) name: String,
    /// The segments of its path.
    pub(super) path: Vec<String>,
    /// The images in its value.
    pub(super) images: Vec<Image>,
}

impl Resource {
    /// Merges a strategic merge patch.
    pub(super) fn merge(&mut self, patch: &Resource, gone: &mut Gone) {
        if patch.deletes_all {
            self.remove(|_| true, gone);
            return;
        }
        let by_name = self.merges_by_name();
        for emptied in &patch.emptied {
            self.remove(|path| begins(path, emptied, by_name), gone);
        }
        if !by_name {
            for image in &patch.images {
                let list = image.path.iter().position(|step| matches!(step, Step::Item(..)));
                if let Some(list) = list {
                    self.remove(|path| path.len() > list && begins(path, &image.path[..list], false), gone);
                }
            }
        }
        for image in &patch.images {
            let same = |known: &&mut Image| {
                known.path.len() == image.path.len() && begins(&known.path, &image.path, by_name)
            };
            match self.images.iter_mut().find(same) {
                Some(known) => {
                    gone.push((known.at.clone(), false));
                    (known.text, known.at) = (image.text.clone(), image.at.clone());
                }
                None => self.images.push(image.clone()),
            }
        }
    }

    /// Applies an operation of a JSON patch.
    pub(super) fn operate(&mut self, operation: &Operation, gone: &mut Gone) {
        let Some((last, parent)) = operation.path.split_last() else { return };
        let index: Option<usize> = last.parse().ok();
        match operation.name.as_str() {
            "remove" => {
                self.remove(|path| points(path, &operation.path), gone);
                if let Some(index) = index {
                    self.shift(parent, |at| if at > index { at - 1 } else { at });
                }
            }
            "add" if index.is_some() || last == "-" => {
                if let Some(index) = index {
                    self.shift(parent, |at| if at >= index { at.saturating_add(1) } else { at });
                }
                self.images.extend(operation.images.iter().cloned());
            }
            "add" | "replace" => {
                for image in &operation.images {
                    let old = self.images.iter().find(|old| {
                        old.path.len() == operation.path.len() && points(&old.path, &operation.path)
                    });
                    // It keeps the name that other patches find it by.
                    let path = old.map_or_else(|| image.path.clone(), |old| old.path.clone());
                    self.remove(|path| points(path, &operation.path), gone);
                    self.images.push(Image { path, ..image.clone() });
                }
                let kept: Vec<Location> = operation.images.iter().map(|image| image.at.clone()).collect();
                self.remove_others(&operation.path, &kept, gone);
            }
            _ => {}
        }
    }

    fn remove(&mut self, is_gone: impl Fn(&[Step]) -> bool, gone: &mut Gone) {
        self.images.retain(|image| {
            let keeps = !is_gone(&image.path);
            if !keeps {
                gone.push((image.at.clone(), false));
            }
            keeps
        });
    }

    fn remove_others(&mut self, path: &[String], kept: &[Location], gone: &mut Gone) {
        self.images.retain(|image| {
            let keeps = kept.contains(&image.at) || !points(&image.path, path);
            if !keeps {
                gone.push((image.at.clone(), false));
            }
            keeps
        });
    }

    /// Moves the items of a list.
    fn shift(&mut self, list: &[String], moved: impl Fn(usize) -> usize) {
        for image in &mut self.images {
            if image.path.len() > list.len()
                && points(&image.path, list)
                && let Some(Step::Item(index, _)) = image.path.get_mut(list.len())
            {
                *index = moved(*index);
            }
        }
    }
}

/// Whether a path begins with another one; items are the same by their names, where
/// they are merged by those and have some.
fn begins(path: &[Step], start: &[Step], by_name: bool) -> bool {
    path.len() >= start.len()
        && path.iter().zip(start).all(|(step, other)| match (step, other) {
            (Step::Key(key), Step::Key(other)) => key == other,
            (Step::Item(_, Some(name)), Step::Item(_, Some(other))) if by_name => name == other,
            (Step::Item(..), Step::Item(..)) if by_name => false,
            (Step::Item(index, _), Step::Item(other, _)) => index == other,
            _ => false,
        })
}

/// Whether a path is what a JSON pointer names, or lies below it.
fn points(path: &[Step], pointer: &[String]) -> bool {
    path.len() >= pointer.len()
        && path.iter().zip(pointer).all(|(step, segment)| match step {
            Step::Key(key) => key == segment,
            Step::Item(index, _) => segment.parse() == Ok(*index),
        })
}
