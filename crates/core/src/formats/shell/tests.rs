//! Scripts with carets under the images in them.

mod makefile;
mod options;
mod syntax;
mod variables;

use crate::formats::tests::check;
