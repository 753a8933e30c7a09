//! What aliases and merge keys stand for (<https://yaml.org/type/merge.html>). The
//! tree resolves nothing by itself; whoever walks through these counts its steps
//! with [`Visits`], since a few aliases of aliases stand for millions of nodes.

use std::collections::HashMap;

use super::Mapping;
use super::Node;
use super::Shape;

/// How many merge keys are followed from one mapping, through each other.
const MAX_MERGES: usize = 64;

impl<'a> Node<'a> {
    /// The anchored node for an alias, the node itself otherwise. `None` for an
    /// alias of nothing.
    #[must_use]
    pub fn followed(self) -> Option<Node<'a>> {
        match self.shape() {
            Shape::Alias(alias) => alias.target,
            _ => Some(self),
        }
    }

    /// The mapping that this node is or is an alias of.
    #[must_use]
    pub fn map(self) -> Option<Mapping<'a>> {
        self.followed()?.mapping()
    }

    /// The items of the sequence that this node is or is an alias of, each followed;
    /// none for anything else.
    pub fn list(self) -> impl Iterator<Item = Node<'a>> {
        let items = self.followed().and_then(Node::sequence).map(|sequence| sequence.items());
        items.into_iter().flatten().filter_map(Node::followed)
    }

    /// The text of the scalar that this node is or is an alias of.
    #[must_use]
    pub fn text(self) -> Option<&'a str> {
        Some(self.followed()?.scalar()?.text)
    }

    /// The value at a path of keys, aliases and merge keys followed.
    ///
    /// ```
    /// # use fromguard_core::yaml;
    /// let yaml = yaml::read("x: &x {image: a}\nservices: {web: {<<: *x}}\n", yaml::Limits::default());
    /// let image = yaml.documents[0].root().at(&["services", "web", "image"]);
    /// assert_eq!(image.and_then(yaml::Node::text), Some("a"));
    /// ```
    #[must_use]
    pub fn at(self, path: &[&str]) -> Option<Node<'a>> {
        let mut node = self.followed()?;
        for key in path {
            node = node.mapping()?.find(key)?;
        }
        Some(node)
    }
}

impl<'a> Mapping<'a> {
    /// The value of a key, followed: of the first entry of that name, else of the
    /// first merged mapping that has it.
    #[must_use]
    pub fn find(self, key: &str) -> Option<Node<'a>> {
        if let Some(value) = self.get(key) {
            return value.followed();
        }
        if !self.merges {
            return None;
        }
        self.layers().skip(1).find_map(|mapping| mapping.get(key))?.followed()
    }

    /// The mapping itself and what its merge keys bring, each hiding what those
    /// behind it have under the same keys. For who counts the entries that it reads:
    /// a mapping's own merge keys are looked for when the next one is asked for.
    pub fn layers(self) -> impl Iterator<Item = Mapping<'a>> {
        let mut last: Option<Mapping<'a>> = None;
        let mut waiting = vec![self];
        std::iter::from_fn(move || {
            waiting.extend(last.into_iter().flat_map(Mapping::merges));
            last = waiting.pop();
            last
        })
        .take(MAX_MERGES + 1)
    }

    /// The entries with those of merged mappings behind them; what the mapping
    /// itself or an earlier merged one has under the same key hides them. Keys and
    /// values are followed; a duplicate key of one mapping is kept.
    #[must_use]
    pub fn merged(self) -> Vec<(Node<'a>, Node<'a>)> {
        if !self.merges {
            let followed = |(key, value): (Node<'a>, Node<'a>)| Some((key.followed()?, value.followed()?));
            return self.entries().filter_map(followed).collect();
        }
        let mut entries: Vec<(Node<'a>, Node<'a>)> = Vec::new();
        let layers: Vec<Mapping<'a>> = self.layers().collect();
        // The layer that has a name first hides those behind it.
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for (layer, mapping) in layers.iter().enumerate() {
            for (key, value) in mapping.entries() {
                if is_merge(key) {
                    continue;
                }
                let (Some(key), Some(value)) = (key.followed(), value.followed()) else { continue };
                let name = key.scalar().map_or("", |scalar| scalar.text);
                if layers.len() == 1 || *seen.entry(name).or_insert(layer) == layer {
                    entries.push((key, value));
                }
            }
        }
        entries
    }

    /// What its own merge keys name, last first.
    fn merges(self) -> Vec<Mapping<'a>> {
        let mut named = Vec::new();
        if !self.merges {
            return named;
        }
        for (_, value) in self.named("<<").filter(|(key, _)| is_merge(*key)) {
            match value.followed().map(Node::shape) {
                Some(Shape::Mapping(mapping)) => named.push(mapping),
                Some(Shape::Sequence(sequence)) => named.extend(sequence.items().filter_map(Node::map)),
                _ => {}
            }
        }
        named.reverse();
        named
    }
}

/// `<<` without quotes.
fn is_merge(key: Node<'_>) -> bool {
    key.scalar().is_some_and(|scalar| scalar.text == "<<" && scalar.style == super::Style::Plain)
}

/// A bound on the steps of a walk that follows aliases.
#[derive(Debug)]
pub struct Visits {
    left: usize,
}

impl Visits {
    /// At most this many steps.
    #[must_use]
    pub fn new(most: usize) -> Visits {
        Visits { left: most }
    }

    /// Takes a step; `false` when there is none left: what lies beyond has to be
    /// told as a limit.
    pub fn step(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        self.left > 0
    }

    /// How many steps are left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.left
    }
}
