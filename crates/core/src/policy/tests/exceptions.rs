use super::loading::says;
use super::*;

const POLICY: &str = r#"
version: 1
mode: enforce
unknown: fail
reviewers: ["@acme/security"]
trust:
  internal: {images: ["registry.example.com/base/**"], require: {digest: true}}
block:
  - images: ["docker.io/library/node:0.*", "docker.io/bad/**"]
mirrors: {registry.example.com/hub/**: docker.io/**}
where:
  - name: production
    paths: ["prod/**"]
    only-from: [internal]
    when-unsure: fail
exceptions:
  - id: EX-1
    images: ["docker.io/acme/cron:1.4", "docker.io/acme/tool"]
    paths: ["services/**", "prod/**"]
    rules: [unknown]
    until: 2026-12-31
    owner: "@acme/billing"
    reason: vendor drops the image in Q1, SEC-812
  - id: EX-2
    images: ["docker.io/acme/cron:1.4"]
    rules: [production]
    until: 2026-11-25
    owner: "@acme/billing"
    reason: see EX-1
  - id: EX-3
    images: ["registry.example.com/base/x"]
    rules: [digest, unsure]
    until: 2026-11-24
    owner: "@acme/billing"
    reason: over
  - id: EX-4
    images: ["docker.io/library/*"]
    rules: [unsure, unknown]
    until: 2027-06-30
    owner: "@acme/billing"
    reason: all of them
"#;

fn at(path: &str, text: &str) -> ImageUse {
    ImageUse { file: RepoPath::new(path), ..image(text) }
}

fn on(policy: &str, day: &str) -> Policies {
    let day = Day::parse(day).unwrap();
    sound(Policies::load(Found::Absent, Found::File(file(REPOSITORY_POLICY_PATH, policy)), day))
}

/// `verdict rule+rule [source] -exception:rule`.
fn judged(policies: &Policies, usage: &ImageUse) -> String {
    let lifted = policies.judge(usage, &Evidence::none()).unwrap().lifted;
    let lifted = lifted.iter().map(|one| format!(" -{}:{}", one.exception, one.finding.rule));
    verdict(policies, usage) + &lifted.collect::<String>()
}

#[test]
fn an_exception_lifts_what_it_names_and_nothing_else() {
    let policies = on(POLICY, "2026-11-25");
    for (path, reference, wanted) in [
        ("services/a/Dockerfile", "acme/cron:1.4", "pass -EX-1:unknown"),
        ("services/a/Dockerfile", "registry.example.com/hub/acme/cron:1.4", "pass -EX-1:unknown"),
        ("Dockerfile", "acme/cron:1.4", "fail unknown"),
        ("services/a/Dockerfile", "acme/cron:1.5", "fail unknown"),
        ("services/a/Dockerfile", "acme/cron", "fail unknown"),
        ("services/a/Dockerfile", "acme/cron/x:1.4", "fail unknown"),
        ("services/a/Dockerfile", "ghcr.io/acme/cron:1.4", "fail unknown"),
        // Beside a digest the tag says nothing.
        (
            "services/a/Dockerfile",
            "acme/cron:1.4@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "fail unknown",
        ),
        ("services/a/Dockerfile", "acme/tool", "pass -EX-1:unknown"),
        ("prod/Dockerfile", "acme/cron:1.4", "pass -EX-1:unknown -EX-2:production"),
        ("prod/Dockerfile", "acme/tool", "fail production -EX-1:unknown"),
        ("Dockerfile", "registry.example.com/base/x", "fail digest [internal]"),
        ("Dockerfile", "node:0.12", "fail block"),
        ("Dockerfile", "redis:8", "pass -EX-4:unknown"),
    ] {
        assert_eq!(judged(&policies, &at(path, reference)), wanted, "{path} {reference}");
    }
    let judgement = policies.judge(&at("prod/x", "acme/cron:1.4"), &Evidence::none()).unwrap();
    insta::assert_snapshot!(tree(&judgement.explanation));
    let judgement = policies.judge(&at("prod/x", "acme/tool:2"), &Evidence::none()).unwrap();
    insta::assert_snapshot!(tree(&judgement.findings[0].explanation));
    let judgement = policies.judge(&at("x", "registry.example.com/base/x"), &Evidence::none()).unwrap();
    assert!(tree(&judgement.findings[0].explanation).contains("the exception `EX-3` ended on 2026-11-24"));
}

#[test]
fn what_may_be_blocked_is_not_lifted() {
    let policies = on(POLICY, "2026-11-25");
    let pinned = "node@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    assert_eq!(judged(&policies, &at("x", pinned)), "undecided unsure -EX-4:unknown");
    let judgement = policies.judge(&at("prod/x", pinned), &Evidence::none()).unwrap();
    assert!(
        judgement
            .findings
            .iter()
            .any(|finding| finding.rule == "production" && finding.liftable_as.is_none())
    );
    assert_eq!(policies.exception_for(&at("x", pinned), &judgement), None);
}

#[test]
fn an_exception_ends_with_its_day_in_utc() {
    for (day, wanted) in [
        ("2026-12-30", "pass -EX-1:unknown"),
        ("2026-12-31", "pass -EX-1:unknown"),
        ("2027-01-01", "fail unknown"),
        ("9999-12-31", "fail unknown"),
    ] {
        assert_eq!(judged(&on(POLICY, day), &at("services/x", "acme/tool")), wanted, "{day}");
    }
}

#[test]
fn an_open_reference_is_lifted_by_the_name_alone() {
    let policies = on(POLICY, "2026-11-25");
    let open =
        |name: &str, complete| ImageUse { file: RepoPath::new("services/x"), ..partial(name, complete) };
    assert_eq!(judged(&policies, &open("docker.io/acme/tool", true)), "pass -EX-1:unknown");
    assert_eq!(judged(&policies, &open("docker.io/acme/tool", false)), "undecided unsure");
    assert_eq!(judged(&policies, &open("docker.io/acme/cron", true)), "fail unknown");
}

#[test]
fn each_member_of_a_value_set_is_lifted_alone() {
    let policies = on(POLICY, "2026-11-25");
    let set = |names: &[&str]| ImageUse {
        file: RepoPath::new("services/x"),
        ..usage(names.iter().map(|name| Target::parse(name)).collect(), "$IMAGE")
    };
    assert_eq!(
        judged(&policies, &set(&["acme/tool:1", "acme/cron:1.4"])),
        "pass -EX-1:unknown -EX-1:unknown"
    );
    assert_eq!(judged(&policies, &set(&["acme/tool:1", "acme/cron:9"])), "fail unknown -EX-1:unknown");
}

#[test]
fn what_ends_is_said_beforehand() {
    let notices = |day: &str| {
        let loaded = load(file("fromguard.yml", POLICY), Scope::Organisation, Day::parse(day).unwrap());
        let said = loaded.diagnostics.iter().map(|one| one.message.clone());
        said.filter(|message| message.contains("EX-1")).collect::<Vec<_>>()
    };
    assert_eq!(notices("2026-12-16"), Vec::<String>::new());
    assert_eq!(notices("2026-12-17"), ["the exception `EX-1` ends in 14 days, on 2026-12-31"]);
    assert_eq!(notices("2026-12-30"), ["the exception `EX-1` ends tomorrow, on 2026-12-31"]);
    assert_eq!(notices("2026-12-31"), ["the exception `EX-1` ends today, on 2026-12-31"]);
    assert_eq!(
        notices("2027-01-01"),
        ["the exception `EX-1` ended on 2026-12-31 and lifts nothing any more"]
    );
}

const ORGANISATION: &str = r#"
version: 1
mode: enforce
unknown: review
reviewers: ["@acme/security"]
trust: {official: {images: ["hub:official"], require: {forbid-tags: [latest]}}}
where: [{name: pinned, require: {digest: true}, paths: ["prod/**"]}]
exceptions:
  - {id: ORG-1, images: ["ghcr.io/acme/app"], rules: [unknown], until: 2028-01-31, owner: "@a", reason: b}
repos-may: {add-exceptions: {max-days: 14}}
"#;

fn exception(rules: &str, until: &str) -> String {
    format!(
        "version: 1\nunknown: fail\nexceptions:\n  - {{id: EX-1, images: [\"docker.io/foo/bar\"], rules: [{rules}], until: {until}, owner: \"@a\", reason: b}}\n"
    )
}

#[test]
fn a_repository_may_except_for_as_long_as_its_organisation_lets_it() {
    let policies = sound(both(ORGANISATION, &exception("unknown, pinned, forbid-tags", "2026-12-09")));
    assert_eq!(judged(&policies, &image("foo/bar")), "pass -EX-1:unknown");
    assert_eq!(judged(&policies, &at("prod/x", "foo/bar")), "pass -EX-1:unknown -EX-1:pinned");
    assert_eq!(judged(&policies, &image("ghcr.io/acme/app")), "pass -ORG-1:unknown");
    assert_eq!(judged(&policies, &image("foo/other")), "fail unknown");

    let broken = |organisation: &str, repository: &str| {
        let policies = both(organisation, repository);
        let PolicyFile::Read(loaded) = &policies.repository else { panic!("it was read") };
        assert!(loaded.is_broken());
        shown(loaded)
    };
    let too_long = broken(ORGANISATION, &exception("unknown", "2026-12-10"));
    assert!(
        too_long.contains(
            "4:72 error: the exception `EX-1` lasts longer than the 14 days that the organisation's policy allows its \
             repositories\n    | 2026-12-10\n    = write `until: 2026-12-09` or a day before"
        ),
        "{too_long}"
    );
    let not_allowed = ORGANISATION.replace("repos-may: {add-exceptions: {max-days: 14}}\n", "");
    assert!(
        broken(&not_allowed, &exception("unknown", "2026-12-01"))
            .contains("the organisation's policy does not let a repository have `exceptions`")
    );
    let taken = exception("unknown", "2026-12-01").replace("EX-1", "ORG-1");
    assert!(
        broken(ORGANISATION, &taken).contains("the organisation's policy has an exception `ORG-1` already")
    );
    let made = broken(ORGANISATION, &exception("unknown, production", "2026-12-01"));
    assert!(made.contains("nothing makes the finding `production`"), "{made}");
}

/// An exception of a repository from what its organisation blocks would lift nothing,
/// and somebody would believe that it does.
#[test]
fn a_repository_cannot_except_what_its_organisation_blocks() {
    let blocking = format!("{ORGANISATION}block: [{{images: [\"docker.io/foo/**\"], because: frozen}}]\n");
    let policies = both(&blocking, &exception("unknown", "2026-12-01"));
    let PolicyFile::Read(loaded) = &policies.repository else { panic!("it was read") };
    assert_eq!(
        shown(loaded),
        "4:25 error: `docker.io/foo/bar` is wholly inside the block `docker.io/foo/**` of the organisation's policy \
         (fromguard.yml:11:19): no exception lifts a block\n    | \"docker.io/foo/bar\"\n    \
         = remove it, and use another image: frozen\n4:72 notice: the exception `EX-1` ends in 6 days, on \
         2026-12-01\n    | 2026-12-01\n    = @a answers for it\n"
    );
    // A tag of it that is not blocked may be excepted.
    let one_tag = blocking.replace("docker.io/foo/**", "docker.io/foo/bar:1.*");
    sound(both(&one_tag, &exception("unknown", "2026-12-01")));
}

#[test]
fn an_exception_that_could_not_lift_anything_is_an_error() {
    let item = |changed: &str, to: &str| {
        let whole = "exceptions: [{id: EX, images: [\"docker.io/foo/bar\"], rules: [unknown], until: 2027-01-31, owner: \"@a\", reason: b}]";
        assert!(whole.contains(changed), "{changed}");
        whole.replace(changed, to)
    };
    says(
        &item("[unknown]", "[block]"),
        "`block` always wins: no exception lifts it",
        "change `block` itself, or use another image",
    );
    says(&item("[unknown]", "[unknwon]"), "nothing makes the finding `unknwon`", "did you mean `unknown`?");
    says(
        &item("[unknown]", "[digest]"),
        "nothing makes the finding `digest`",
        "the findings here are `unknown`, `unsure`, `invalid`, `unreadable`, `lookalike` and `pin-mismatch`",
    );
    says(
        &item("[unknown]", "[]"),
        "`rules` of an exception is an empty list",
        "write at least one item, or leave the key out",
    );
    for until in ["2027-02-30", "31.1.2027", "2027-01", "tomorrow"] {
        says(
            &item("2027-01-31", until),
            &format!("`{until}` is not a day of the calendar"),
            "write the last day on which it holds, as `2027-01-31`",
        );
    }
    says(&item("reason: b", "reason: \" \""), "`reason` is blank", "write a text, or leave it out");
    for (key, example) in [
        ("id: EX, ", "`id: name`"),
        ("images: [\"docker.io/foo/bar\"], ", "`images: [\"registry.example.com/team/app\"]`"),
        ("rules: [unknown], ", "`rules: [unknown]`"),
        ("until: 2027-01-31, ", "`until: 2027-01-31`"),
        ("owner: \"@a\", ", "`owner: …`"),
    ] {
        let name = key.split(':').next().unwrap();
        says(&item(key, ""), &format!("an exception has no `{name}`"), &format!("write {example} in it"));
    }
    says(
        &item("docker.io/foo/bar", "docker.io/**"),
        "everybody can push to `docker.io`: `docker.io/**` does not say whose images are trusted",
        "name the owner, as `docker.io/acme/**`, or put `i-trust-everyone: true` beside the list if you mean it",
    );
    let blocked = format!("{}\nblock: [{{images: [\"docker.io/foo/**\"]}}]", item("EX", "EX"));
    says(
        &blocked,
        "`docker.io/foo/bar` is wholly inside the block `docker.io/foo/**` on line 5: no exception lifts a block",
        "remove one of the two",
    );
    let mirrored = format!("{}\nmirrors: {{docker.io/foo/**: ghcr.io/foo/**}}", item("EX", "EX"));
    says(
        &mirrored,
        "`docker.io/foo/bar` lies in the mirror `docker.io/foo/**`, and images are judged as their origin: it would never match",
        "write the place in `ghcr.io/foo/**` that is meant",
    );
    let twice = item(
        "exceptions: [",
        "exceptions: [{id: EX, images: [\"docker.io/foo/bar\"], rules: [unknown], until: 2027-01-31, owner: \"@a\", reason: b}, ",
    );
    says(&twice, "the exception `EX` stands here twice, first on line 4", "give each a name of its own");
    says(
        "repos-may: {add-exceptions: {max-days: 0}}",
        "`max-days` is a whole number from 1 to 3650, not `0`",
        "write a number, as `14`",
    );
    says(
        "repos-may: {add-exceptions: {max-days: 14d}}",
        "`max-days` is a whole number from 1 to 3650, not `14d`",
        "write a number, as `14`",
    );
    says(
        "repos-may: {add-exception: {max-days: 14}}",
        "`add-exception` is not a key of `repos-may`",
        "did you mean `add-exceptions`?",
    );
}

#[test]
fn a_proposed_exception_lets_the_use_pass_when_it_is_pasted() {
    let bare = &POLICY[..POLICY.find("exceptions:").unwrap()];
    let policies = on(bare, "2026-11-25");
    let digest = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let uses = [
        at("services/a/Dockerfile", "acme/cron:1.4"),
        at("prod/x\"[1]*{}!?/`y`\u{202e}", "acme/cron"),
        at("x", &format!("acme/cron:1@{digest}")),
        at("prod/x", "registry.example.com/base/x:1"),
        at("prod/x", "registry.example.com/hub/acme/x:1"),
        ImageUse { file: RepoPath::new("prod/x"), ..partial("docker.io/acme/tool", true) },
        ImageUse {
            file: RepoPath::new("prod/x"),
            ..usage(
                vec![Target::parse("a/b:1"), Target::parse("a/c"), Target::parse("[::1]:5000/x")],
                "$IMAGE",
            )
        },
    ];
    for usage in uses {
        let judgement = policies.judge(&usage, &Evidence::none()).unwrap();
        assert_ne!(judgement.verdict, Verdict::Pass, "{usage:?}");
        let proposal = policies.exception_for(&usage, &judgement).unwrap();
        let pasted = on(&format!("{bare}exceptions:\n{}", proposal.yaml), "2026-11-25");
        assert_eq!(
            pasted.judge(&usage, &Evidence::none()).unwrap().verdict,
            Verdict::Pass,
            "{}",
            proposal.yaml
        );
        let later = on(&format!("{bare}exceptions:\n{}", proposal.yaml), "2026-12-10");
        assert_eq!(
            later.judge(&usage, &Evidence::none()).unwrap().verdict,
            judgement.verdict,
            "{}",
            proposal.yaml
        );
    }
    for hopeless in [at("x", "node:0.12"), at("x", "Foo/BAR:"), partial("docker.io/acme/tool", false)] {
        let judgement = policies.judge(&hopeless, &Evidence::none()).unwrap();
        assert_eq!(policies.exception_for(&hopeless, &judgement), None);
    }
    let usage = at("services/a/Dockerfile", "acme/cron:1.4");
    let proposal =
        policies.exception_for(&usage, &policies.judge(&usage, &Evidence::none()).unwrap()).unwrap();
    assert_eq!(proposal.file.as_str(), REPOSITORY_POLICY_PATH);
    insta::assert_snapshot!(proposal.yaml);
}

#[test]
fn a_proposed_exception_stands_where_it_may() {
    let usage = image("foo/bar");
    let proposed = |policies: Policies| {
        let judgement = policies.judge(&usage, &Evidence::none()).unwrap();
        policies
            .exception_for(&usage, &judgement)
            .map(|one| (one.file.as_str().to_owned(), one.until.to_string()))
    };
    let own = |day: &str| Some((REPOSITORY_POLICY_PATH.to_owned(), day.to_owned()));
    assert_eq!(proposed(sound(both(ORGANISATION, "version: 1\n"))), own("2026-12-09"));
    let week = ORGANISATION.replace("max-days: 14", "max-days: 7");
    assert_eq!(proposed(sound(both(&week, "version: 1\n"))), own("2026-12-02"));
    let none = ORGANISATION.replace("repos-may: {add-exceptions: {max-days: 14}}\n", "");
    assert_eq!(
        proposed(sound(both(&none, "version: 1\n"))),
        Some((ORGANISATION_POLICY_PATH.to_owned(), "2026-12-09".to_owned()))
    );
}

#[test]
fn a_review_is_settled_by_the_organisations_reviewers() {
    let policies = sound(both(ORGANISATION, "version: 1\nwhere: [{name: mine, unknown: fail}]\n"));
    let judgement = policies.judge(&image("foo/bar"), &Evidence::none()).unwrap();
    assert_eq!(judgement.findings.len(), 2);
    assert!(judgement.findings.iter().all(|finding| *finding.reviewers == ["@acme/security".to_owned()]));
    let policies = sound(alone("version: 1\nmode: enforce\nunknown: review\nreviewers: [\"@me\"]\n"));
    let judgement = policies.judge(&image("foo/bar"), &Evidence::none()).unwrap();
    assert_eq!(*judgement.findings[0].reviewers, ["@me".to_owned()]);
}
