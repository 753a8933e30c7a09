//! The keys of the language: one table that the loader reads by and the JSON
//! Schema is written from.

/// The keys that a mapping may have.
pub(super) struct Keys {
    /// Those that are read.
    pub(super) known: &'static [Key],
    /// Those of the language that this version does not read yet: an error each,
    /// because ignoring one could make the policy looser than it is written.
    pub(super) later: &'static [&'static str],
}

/// One key.
pub(super) struct Key {
    pub(super) name: &'static str,
    /// One line for editors.
    pub(super) about: &'static str,
    pub(super) holds: Holds,
    /// Whether it must stand, wherever the mapping does.
    pub(super) needed: bool,
}

/// What a key or a list may hold.
pub(super) enum Holds {
    /// `1`
    Version,
    Words(&'static [&'static str]),
    /// `true`, where `false` would say nothing.
    True,
    /// `false`, where `true` would say nothing.
    False,
    Text,
    /// What can be the name of a source, a place or an exception.
    Name,
    Pattern,
    /// A pattern, or a list of Docker Hub.
    Images,
    PathGlob,
    TagGlob,
    Host,
    Reviewer,
    /// `2027-01-31`
    Day,
    /// A whole number from 1.
    Count,
    CountFromZero,
    /// `30d`
    Days,
    /// `https://…`
    Address,
    /// A namespace on Docker Hub.
    Publisher,
    /// The id of a finding.
    Rule,
    /// A list of at least one.
    List(&'static Holds),
    Keys(&'static Keys),
    /// Names of the author's, each with keys.
    Named(&'static Keys),
    /// Patterns, each with a pattern.
    Rewrites,
}

impl Holds {
    /// What could stand there, for messages.
    pub(super) fn example(&self) -> &'static str {
        match self {
            Holds::Version => "1",
            Holds::Words(words) => words.first().copied().unwrap_or_default(),
            Holds::True => "true",
            Holds::Text => "…",
            Holds::Name => "name",
            Holds::Pattern | Holds::Images => "registry.example.com/team/app",
            Holds::PathGlob => "services/**",
            Holds::TagGlob => "latest",
            Holds::Host => "registry.example.com",
            Holds::Reviewer => "\"@organisation/team\"",
            Holds::Day => "2027-01-31",
            Holds::False => "false",
            Holds::Count => "14",
            Holds::CountFromZero => "0",
            Holds::Days => "30d",
            Holds::Address => "https://token.actions.githubusercontent.com",
            Holds::Publisher => "grafana",
            Holds::Rule => "unknown",
            Holds::List(Holds::Pattern | Holds::Images) => "[\"registry.example.com/team/app\"]",
            Holds::List(Holds::Rule) => "[unknown]",
            Holds::List(_) => "[…]",
            Holds::Keys(_) | Holds::Named(_) | Holds::Rewrites => "{…}",
        }
    }
}

const fn key(name: &'static str, holds: Holds, about: &'static str) -> Key {
    Key { name, about, holds, needed: false }
}

const fn needed(name: &'static str, holds: Holds, about: &'static str) -> Key {
    Key { name, about, holds, needed: true }
}

const MODE: Holds = Holds::Words(&["observe", "enforce"]);
const UNKNOWN: Holds = Holds::Words(&["allow", "review", "fail"]);
const WHEN_UNSURE: Holds = Holds::Words(&["review", "fail"]);

/// The keys of a file.
pub(super) const FILE: Keys = Keys {
    known: &[
        needed("version", Holds::Version, "The version of the language: 1."),
        key("mode", MODE, "observe: say it, the check passes. enforce: the check fails."),
        key("unknown", UNKNOWN, "What becomes of an image that no source names."),
        key("when-unsure", WHEN_UNSURE, "What counts what cannot be known. Default: review."),
        key(
            "judge",
            Holds::Words(&["changed", "touched", "repository"]),
            "Which uses are judged: those that changed, those in touched files, or all. Default: changed.",
        ),
        key("skip-paths", Holds::List(&Holds::PathGlob), "Files that are left out."),
        key("trust", Holds::Named(&SOURCE), "The sources, by name. Their order never matters."),
        key(
            "scrutinise",
            Holds::Keys(&SCRUTINISE),
            "What has to be proven of an image that no source names.",
        ),
        key(
            "block",
            Holds::List(&Holds::Keys(&BLOCK)),
            "Images that are refused whatever else the policy says.",
        ),
        key("replace", Holds::Rewrites, "What to offer in the place of an image."),
        key("mirrors", Holds::Rewrites, "Mirrors and their origins: judged as the origin, shown as written."),
        key("where", Holds::List(&Holds::Keys(&PLACE)), "Places in which more is asked."),
        key(
            "exceptions",
            Holds::List(&Holds::Keys(&EXCEPTION)),
            "Findings that somebody answers for, until a day.",
        ),
        key("tests", Holds::List(&Holds::Keys(&TEST)), "What is expected of this policy."),
        key("repos-may", Holds::Keys(&REPOS_MAY), "How a repository's file may loosen something."),
        key("reviewers", Holds::List(&Holds::Reviewer), "Whose approval settles a review."),
        key(
            "contact",
            Holds::List(&Holds::Host),
            "Hosts that may be asked for evidence, beside the built-in ones.",
        ),
        key("rules", Holds::List(&Holds::Keys(&RULE)), "Conditions in CEL, for what keys cannot say."),
    ],
    later: &[],
};

/// The keys of an item of `rules`.
pub(super) const RULE: Keys = Keys {
    known: &[
        needed("name", Holds::Name, "The name of the rule; its findings carry it."),
        needed("if", Holds::Text, "The condition, in CEL."),
        needed("then", Holds::Words(&["review", "fail"]), "What a use comes to for which it holds."),
        key("say", Holds::Text, "What to do about it, for whoever reads the finding."),
    ],
    later: &[],
};

/// The keys of a source.
pub(super) const SOURCE: Keys = Keys {
    known: &[
        needed("images", Holds::List(&Holds::Images), "The images of this source."),
        key("require", Holds::Keys(&REQUIRE), "What a use of these images must have."),
        key(
            "i-trust-everyone",
            Holds::True,
            "Lifts the rule that patterns on shared registries name an owner.",
        ),
        key(
            "publishers",
            Holds::List(&Holds::Publisher),
            "The namespaces on Docker Hub that hub:verified-publisher is limited to.",
        ),
    ],
    later: &[],
};

/// What can be required of a use.
pub(super) const REQUIRE: Keys = Keys {
    known: &[
        key("digest", Holds::True, "The use is pinned by digest."),
        key("tag", Holds::Words(&["supported"]), "The tag is on the list of the official image."),
        key("signed-by", Holds::Keys(&SIGNED_BY), "Who must have signed it."),
        key("provenance", Holds::Keys(&PROVENANCE), "Who must have built it."),
        key("sbom", Holds::True, "It has a bill of materials."),
        key("forbid-tags", Holds::List(&Holds::TagGlob), "Tags that are refused; no tag counts as latest."),
    ],
    later: &[],
};

/// The keys of `signed-by`.
pub(super) const SIGNED_BY: Keys = Keys {
    known: &[
        needed("issuer", Holds::Address, "Who vouches for the identity, exactly."),
        needed("identity", Holds::Text, "Who signed; `*` inside one segment."),
    ],
    later: &[],
};

/// The keys of `provenance`.
pub(super) const PROVENANCE: Keys = Keys {
    known: &[needed("builder", Holds::Words(&["github-hosted"]), "Who must have built it.")],
    later: &[],
};

/// The keys of `scrutinise`.
pub(super) const SCRUTINISE: Keys = Keys {
    known: &[
        key("first-use", Holds::Words(&["review"]), "The first use in the organisation needs a person."),
        key(
            "source-repo",
            Holds::Words(&["public"]),
            "What it is built from is public, by verified provenance.",
        ),
        key("source-active-within", Holds::Days, "The last push to its source is at most so long ago."),
        key("pushed-within", Holds::Days, "It was pushed at most so long ago."),
        key("pushed-at-least", Holds::Days, "It was pushed at least so long ago."),
        key("vulnerabilities", Holds::Keys(&VULNERABILITIES), "What a scan may have found."),
        key("end-of-life", Holds::False, "It is not past its end of life."),
        key("name-lookalike", Holds::False, "Its name is not one slip away from a known one."),
    ],
    later: &[],
};

/// The keys of `vulnerabilities`.
pub(super) const VULNERABILITIES: Keys = Keys {
    known: &[
        needed("critical-fixable", Holds::CountFromZero, "The most critical ones for which there is a fix."),
        needed("scan-within", Holds::Days, "The scan is at most so old."),
    ],
    later: &[],
};

/// The keys of an item of `block`.
pub(super) const BLOCK: Keys = Keys {
    known: &[
        needed("images", Holds::List(&Holds::Pattern), "The images that are refused."),
        key("because", Holds::Text, "Why, for whoever is refused."),
    ],
    later: &[],
};

/// The keys of an item of `where`.
pub(super) const PLACE: Keys = Keys {
    known: &[
        needed("name", Holds::Name, "The name of the place; its findings carry it."),
        key("paths", Holds::List(&Holds::PathGlob), "The files of the place. Absent: every file."),
        key("stages", Holds::Words(&["final", "build", "all"]), "The stages of the place. Default: all."),
        key("only-from", Holds::List(&Holds::Name), "The only sources that images may come from here."),
        key("require", Holds::Keys(&REQUIRE), "What every use here must have."),
        key("mode", Holds::Words(&["enforce"]), "Findings here count."),
        key(
            "unknown",
            Holds::Words(&["review", "fail"]),
            "What becomes of an image here that no source names.",
        ),
        key("when-unsure", WHEN_UNSURE, "What counts here what cannot be known."),
    ],
    later: &[],
};

/// The keys of an item of `exceptions`.
pub(super) const EXCEPTION: Keys = Keys {
    known: &[
        needed("id", Holds::Name, "The name of the exception; messages carry it."),
        needed("images", Holds::List(&Holds::Pattern), "The images that it is for."),
        key(
            "i-trust-everyone",
            Holds::True,
            "Lifts the rule that patterns on shared registries name an owner.",
        ),
        key("paths", Holds::List(&Holds::PathGlob), "The files that it is for. Absent: every file."),
        needed("rules", Holds::List(&Holds::Rule), "The ids of the findings that it lifts."),
        needed("until", Holds::Day, "The last day, in UTC, on which it holds."),
        needed("owner", Holds::Text, "Who answers for it."),
        needed("reason", Holds::Text, "Why, and what ends it."),
    ],
    later: &[],
};

/// The keys of an item of `tests`.
pub(super) const TEST: Keys = Keys {
    known: &[
        needed("image", Holds::Text, "The reference as a file would have it."),
        key("path", Holds::Text, "The file that it stands in. Default: Dockerfile."),
        key("stage", Holds::Words(&["final", "build"]), "The stage that it is used for. Default: final."),
        needed("expect", Holds::Words(&["pass", "review", "fail", "undecided"]), "What it comes to."),
        key("why", Holds::Text, "The id of a finding that there must be."),
    ],
    later: &[],
};

/// The keys of `repos-may`.
pub(super) const REPOS_MAY: Keys = Keys {
    known: &[needed(
        "add-exceptions",
        Holds::Keys(&ADD_EXCEPTIONS),
        "A repository's file may have exceptions of its own.",
    )],
    later: &[],
};

/// The keys of `add-exceptions`.
pub(super) const ADD_EXCEPTIONS: Keys = Keys {
    known: &[needed("max-days", Holds::Count, "The most days from the day of judgement to their end.")],
    later: &[],
};
