//! Text that was put together from pieces: what it is, where it is not known,
//! and where it came from.

/// The longest text that expansion may make, in bytes. A reference has at most
/// a few hundred; an argument that doubles itself reaches this in a few lines.
pub(super) const MAX_VALUE_BYTES: usize = 64 * 1024;

/// Why a piece of a text is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hole {
    /// A global `ARG` without a default: the index of its declaration.
    NoDefault(usize),
    /// A variable that no `ARG` before the first `FROM` declares: the index of
    /// its name in [`super::arguments::Arguments`].
    Undeclared(usize),
    /// An `ARG` whose default could not be evaluated: the index of its declaration.
    Broken(usize),
    /// A build argument whose value is not known: an index of [`Value::uses`].
    Given(usize),
}

impl Hole {
    /// Whether some build argument could fill it.
    fn is_open(self) -> bool {
        !matches!(self, Hole::Undeclared(_))
    }
}

/// A text after expansion.
///
/// BuildKit expands an unset variable to nothing; so does this, and leaves a
/// hole there. `text` is therefore what a build without arguments would see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) text: String,
    /// Places in `text` where an unknown text would stand, in order.
    pub(super) holes: Vec<(usize, Hole)>,
    /// The `ARG` declarations whose defaults were looked at, by index; behind the
    /// last of those what builds are given, as [`super::inputs::prepare`] numbers it.
    pub(super) uses: Vec<usize>,
    /// The one of `uses` whose literal text is the first byte; `None` when
    /// that byte stands in the reference itself.
    pub(super) origin: Option<usize>,
}

impl Value {
    pub(super) fn push(&mut self, char: char) {
        self.text.push(char);
    }

    pub(super) fn push_str(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Appends; `false` when the result would be over [`MAX_VALUE_BYTES`].
    pub(super) fn append(&mut self, other: &Value) -> bool {
        let at = self.text.len();
        if at + other.text.len() > MAX_VALUE_BYTES {
            return false;
        }
        if at == 0 && !other.text.is_empty() {
            self.origin = other.origin;
        }
        self.text.push_str(&other.text);
        self.depend(&other.uses);
        for (place, hole) in &other.holes {
            self.hole(at + place, *hole);
        }
        true
    }

    /// Notes declarations that this text depends on.
    pub(super) fn depend(&mut self, uses: &[usize]) {
        for declaration in uses {
            if self.uses.len() < MAX_USES && !self.uses.contains(declaration) {
                self.uses.push(*declaration);
            }
        }
    }

    /// Notes a hole; one for each place and reason. Of many the first few are
    /// kept, the last place, and that a build argument could fill one.
    pub(super) fn hole(&mut self, at: usize, hole: Hole) {
        if self.holes.last() == Some(&(at, hole)) {
            return;
        }
        if self.holes.len() < MAX_HOLES {
            self.holes.push((at, hole));
        } else if let Some(last) = self.holes.last_mut() {
            *last = (at, if hole.is_open() { hole } else { last.1 });
        }
    }

    /// Why the text is not known, if it is not: rather for want of what a build
    /// argument could be than of what nothing declares.
    pub(super) fn unknown(&self) -> Option<Hole> {
        let mut holes = self.holes.iter().map(|(_, hole)| *hole);
        let first = holes.next()?;
        if first.is_open() { Some(first) } else { holes.find(|hole| hole.is_open()).or(Some(first)) }
    }

    /// Whether some build argument could make this another text.
    pub(super) fn is_open(&self) -> bool {
        self.holes.iter().any(|(_, hole)| hole.is_open())
    }
}

/// How many declarations are remembered beside a text, and how many are shown
/// as `via`: enough for every chain that a person writes.
pub(super) const MAX_USES: usize = 32;
/// How many holes are remembered: the first decides how much is known, the last
/// what surely stands behind them all.
const MAX_HOLES: usize = 16;
