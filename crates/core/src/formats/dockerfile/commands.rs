//! What `RUN`s command: images that a build pulls beside those of its stages.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::formats::Extracted;
use crate::formats::shell;
use crate::formats::shell::Script;
use crate::formats::uses::Finder;
use crate::image::Stage;
use crate::source::Mapped;
use crate::source::SourceFile;

use super::uses;

/// Adds the uses of the scripts of a file. They are no part of what is shipped.
pub(super) fn read(file: &SourceFile, scripts: &[Mapped], extracted: &mut Extracted) {
    let local = RefCell::new(BTreeSet::new());
    let mut found = Extracted::default();
    for text in scripts {
        let script = Script {
            finder: Finder { file, format: uses::FORMAT },
            text,
            foreign: &[],
            environment: &|_| None,
            folders: &[],
            local: &local,
        };
        shell::read(&script, &mut found);
    }
    for usage in &mut found.uses {
        usage.stage = Stage::Build;
    }
    extracted.uses.append(&mut found.uses);
    extracted.problems.append(&mut found.problems);
}
