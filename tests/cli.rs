//! The program as people and scripts run it: the real binary, in temporary git
//! repositories, with an environment that holds nothing of this machine.

#![allow(clippy::unwrap_used, reason = "a test that cannot set up its files has failed")]

#[path = "cli/policy.rs"]
mod policy;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

const POLICY: &str = "\
version: 1
mode: enforce
unknown: review
reviewers: [\"@acme/security\"]
trust:
  internal: {images: [\"registry.example.com/base/**\"]}
block:
  - images: [\"evil.io/**\"]
    because: it is evil
replace:
  evil.io/node: registry.example.com/base/node
";

/// A temporary folder, a git repository or not.
struct Sandbox {
    folder: TempDir,
}

struct Ran {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Sandbox {
    fn empty() -> Sandbox {
        Sandbox { folder: TempDir::new().unwrap() }
    }

    /// A git repository with these files committed on `main`.
    fn repository(files: &[(&str, &str)]) -> Sandbox {
        let sandbox = Sandbox::empty();
        sandbox.git(&["init", "-q", "-b", "main"]);
        sandbox.write(files);
        sandbox.commit();
        sandbox
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = self.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    fn git(&self, arguments: &[&str]) {
        let output = scrubbed("git", self.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "change"]);
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, &[])
    }

    fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
        let mut command = scrubbed(env!("CARGO_BIN_EXE_fromguard"), self.path());
        let output = command.args(arguments).envs(environment.iter().copied()).output().unwrap();
        Ran {
            status: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn json(&self, arguments: &[&str]) -> (i32, Value) {
        let ran = self.run(&[arguments, &["--format", "json"]].concat());
        (ran.status, serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stderr)))
    }
}

/// A command with nothing of this machine's environment but the way to programs.
fn scrubbed(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs(["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"].map(|name| (name, "Somebody")))
        .envs(["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"].map(|name| (name, "somebody@example.com")))
        .envs(["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"].map(|name| (name, "2026-01-01T00:00:00Z")));
    command
}

/// `file:line image` of every use.
fn uses(document: &Value) -> Vec<String> {
    let show = |usage: &Value| {
        format!(
            "{}:{} {}",
            usage["file"].as_str().unwrap(),
            usage["line"],
            usage["image"].as_str().unwrap_or(usage["status"].as_str().unwrap())
        )
    };
    document["uses"].as_array().unwrap().iter().map(show).collect()
}

fn sorted_keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn scan_prints_the_json_of_the_contract() {
    let sandbox = Sandbox::repository(&[("svc/Dockerfile", "ARG V=20\nFROM node:${V}\nFROM\n")]);
    let (status, document) = sandbox.json(&["scan"]);
    assert_eq!(status, 0, "problems are no reason to fail");
    assert_eq!(sorted_keys(&document), ["files_scanned", "problems", "uses", "version"]);
    assert_eq!((&document["version"], &document["files_scanned"]), (&json!(1), &json!(1)));
    assert_eq!(
        document["uses"][0],
        json!({
            "file": "svc/Dockerfile", "format": "dockerfile", "role": document["uses"][0]["role"],
            "line": 2, "column": 6, "end_line": 2, "end_column": 15, "raw": "node:${V}",
            "status": "resolved", "image": "docker.io/library/node:20", "registry": "docker.io",
            "repository": "library/node", "tag": "20", "digest": null,
            "reachable": document["uses"][0]["reachable"], "reason": null,
            "via": [{"file": "svc/Dockerfile", "line": 1, "column": 7, "what": document["uses"][0]["via"][0]["what"]}],
        })
    );
    assert_eq!(sorted_keys(&document["problems"][0]), ["code", "column", "file", "line", "message"]);
}

#[test]
fn scan_reads_hidden_folders_and_tracked_files_that_gitignore_names() {
    let sandbox =
        Sandbox::repository(&[(".devcontainer/Dockerfile", "FROM a\n"), ("tracked/Dockerfile", "FROM b\n")]);
    sandbox.write(&[
        (".gitignore", "tracked/\nuntracked/\n"),
        ("untracked/Dockerfile", "FROM hidden\n"),
        ("new/Dockerfile", "FROM c\n"),
        (".git/Dockerfile", "FROM never\n"),
        (".ignore", "new/\n"),
    ]);
    let (_, document) = sandbox.json(&["scan"]);
    assert_eq!(
        uses(&document),
        [
            ".devcontainer/Dockerfile:1 docker.io/library/a",
            "new/Dockerfile:1 docker.io/library/c",
            "tracked/Dockerfile:1 docker.io/library/b",
        ]
    );
}

#[test]
fn scan_needs_no_git_repository_and_takes_folders_and_files() {
    let sandbox = Sandbox::empty();
    sandbox.write(&[("a/Dockerfile", "FROM a\n"), ("b/Dockerfile", "FROM b\n")]);
    assert_eq!(uses(&sandbox.json(&["scan"]).1).len(), 2);
    assert_eq!(uses(&sandbox.json(&["scan", "a"]).1), ["Dockerfile:1 docker.io/library/a"]);
    assert_eq!(
        uses(&sandbox.json(&["scan", "a", "b/Dockerfile"]).1),
        ["a/Dockerfile:1 docker.io/library/a", "b/Dockerfile:1 docker.io/library/b"]
    );
    assert_eq!(uses(&sandbox.json(&["scan", "a", "a"]).1), ["a/Dockerfile:1 docker.io/library/a"]);
}

#[test]
fn scan_below_the_root_of_a_repository_shows_paths_relative_to_where_it_looks() {
    let sandbox = Sandbox::repository(&[("svc/a/Dockerfile", "FROM a\n"), ("other/Dockerfile", "FROM b\n")]);
    sandbox.write(&[(".gitignore", "svc/\n")]);
    assert_eq!(uses(&sandbox.json(&["scan", "svc"]).1), ["a/Dockerfile:1 docker.io/library/a"]);
}

#[test]
fn scan_finds_what_is_tracked_in_a_repository_within() {
    let sandbox = Sandbox::empty();
    sandbox.git(&["init", "-q", "inner"]);
    sandbox.write(&[("inner/x/Dockerfile", "FROM a\n"), ("inner/.gitignore", "x/\n")]);
    sandbox.git(&["-C", "inner", "add", "-f", "x/Dockerfile"]);
    assert_eq!(uses(&sandbox.json(&["scan"]).1), ["inner/x/Dockerfile:1 docker.io/library/a"]);
}

#[test]
fn scan_says_what_it_cannot_read() {
    let sandbox = Sandbox::repository(&[("Dockerfile", "FROM a\n")]);
    fs::create_dir(sandbox.path().join("big")).unwrap();
    fs::create_dir(sandbox.path().join("bin")).unwrap();
    fs::write(sandbox.path().join("big/Dockerfile"), vec![b'#'; 1_100_000]).unwrap();
    fs::write(sandbox.path().join("bin/Dockerfile"), b"FROM \xff\n").unwrap();
    let (status, document) = sandbox.json(&["scan"]);
    let problems: Vec<_> = document["problems"].as_array().unwrap().iter().collect();
    let files: Vec<&str> = problems.iter().map(|problem| problem["file"].as_str().unwrap()).collect();
    assert_eq!((status, files), (0, vec!["big/Dockerfile", "bin/Dockerfile"]));
    assert!(problems[0]["message"].as_str().unwrap().contains("1100000 bytes"), "{}", problems[0]);
}

#[cfg(unix)]
#[test]
fn scan_reads_links_inside_the_tree_and_never_what_lies_outside() {
    let outside = Sandbox::empty();
    outside.write(&[("Dockerfile", "FROM secret\n")]);
    let sandbox = Sandbox::repository(&[("real/base", "FROM a\n")]);
    let link =
        |target: &str, name: &str| std::os::unix::fs::symlink(target, sandbox.path().join(name)).unwrap();
    link("real/base", "Dockerfile");
    link(outside.path().join("Dockerfile").to_str().unwrap(), "Dockerfile.outside");
    link(outside.path().to_str().unwrap(), "folder");
    link("folder/Dockerfile", "Dockerfile.through");
    link("Dockerfile.loop", "Dockerfile.loop");
    let (_, document) = sandbox.json(&["scan"]);
    assert_eq!(uses(&document), ["Dockerfile:1 docker.io/library/a"]);
    let files: Vec<&str> =
        document["problems"].as_array().unwrap().iter().map(|p| p["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["Dockerfile.loop", "Dockerfile.outside", "Dockerfile.through"]);
}

#[cfg(unix)]
#[test]
fn a_pipe_with_the_name_of_a_dockerfile_is_a_problem_and_is_not_waited_for() {
    let sandbox = Sandbox::empty();
    assert!(Command::new("mkfifo").arg(sandbox.path().join("Dockerfile")).status().unwrap().success());
    let (_, document) = sandbox.json(&["scan"]);
    assert_eq!(document["problems"][0]["code"], "unreadable");
}

#[cfg(target_os = "linux")]
#[test]
fn two_names_that_look_the_same_do_not_hide_each_other() {
    use std::os::unix::ffi::OsStrExt;
    let sandbox = Sandbox::empty();
    for name in [b"Dockerfile.\xfe", b"Dockerfile.\xff"] {
        fs::write(sandbox.path().join(std::ffi::OsStr::from_bytes(name)), "FROM a\n").unwrap();
    }
    let (_, document) = sandbox.json(&["scan"]);
    assert_eq!(uses(&document), ["Dockerfile.\u{fffd}:1 docker.io/library/a"]);
    assert_eq!(document["problems"][0]["file"], "Dockerfile.\u{fffd}");
}

#[test]
fn a_folder_that_only_looks_like_a_repository_is_scanned() {
    let sandbox = Sandbox::repository(&[("Dockerfile", "FROM a\n")]);
    sandbox.write(&[("fixture/.git", "gitdir: nowhere\n"), ("fixture/Dockerfile", "FROM b\n")]);
    assert_eq!(uses(&sandbox.json(&["scan"]).1).len(), 2);
}

#[test]
fn a_submodule_with_the_name_of_a_dockerfile_is_a_problem() {
    let inner = Sandbox::repository(&[("Dockerfile", "FROM inner\n")]);
    let sandbox = Sandbox::repository(&[("a/Dockerfile", "FROM a\n")]);
    let url = inner.path().to_str().unwrap();
    sandbox.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "Dockerfile"]);
    let (_, document) = sandbox.json(&["scan"]);
    assert_eq!(uses(&document), ["a/Dockerfile:1 docker.io/library/a"]);
    assert_eq!(document["problems"][0]["file"], "Dockerfile");
}

#[test]
fn scan_gives_the_same_bytes_twice() {
    let files: Vec<(String, &str)> =
        (0..50).map(|n| (format!("{n}/Dockerfile"), "FROM a\nCOPY --from=b / /\n")).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let sandbox = Sandbox::repository(&files);
    for format in ["text", "json", "sarif"] {
        let once = sandbox.run(&["scan", "--format", format]).stdout;
        assert_eq!(once, sandbox.run(&["scan", "--format", format]).stdout, "{format}");
    }
}

#[test]
fn check_exits_with_0_1_or_2() {
    let good = ("Dockerfile", "FROM registry.example.com/base/node:24\n");
    let policy = (".github/fromguard.yml", POLICY);
    let status = |files: &[(&str, &str)]| Sandbox::repository(files).run(&["check"]).status;
    assert_eq!(status(&[good]), 0, "no policy is neutral");
    assert_eq!(status(&[good, policy]), 0, "success");
    assert_eq!(status(&[("Dockerfile", "FROM evil.io/node:24\n"), policy]), 1, "failure");
    assert_eq!(status(&[("Dockerfile", "FROM ghcr.io/a/b:1\n"), policy]), 1, "action_required");
    let observing = POLICY.replace("enforce", "observe");
    assert_eq!(
        status(&[("Dockerfile", "FROM evil.io/x\n"), (".github/fromguard.yml", &observing)]),
        0,
        "observed"
    );
    assert_eq!(
        status(&[good, (".github/fromguard.yml", "version: 1\nmoed: enforce\n")]),
        2,
        "a broken policy"
    );
}

#[test]
fn check_prints_the_json_of_the_contract() {
    let sandbox = Sandbox::repository(&[
        (".github/fromguard.yml", POLICY),
        (
            "Dockerfile",
            "ARG B=evil.io/node:24\nFROM registry.example.com/base/node:24 AS b\nFROM ${B}\nCOPY --from=b / /\n",
        ),
    ]);
    let (status, document) = sandbox.json(&["check"]);
    assert_eq!((status, &document["conclusion"], &document["version"]), (1, &json!("failure"), &json!(1)));
    let usage = &document["uses"][0];
    assert_eq!(
        (&usage["verdict"], &usage["source"], &usage["change"]),
        (&json!("pass"), &json!("internal"), &json!("introduced"))
    );
    let finding = &document["findings"][0];
    assert_eq!((&finding["verdict"], &finding["rule"]), (&json!("fail"), &json!("block")));
    assert_eq!((&finding["line"], &finding["column"]), (&json!(3), &json!(6)));
    assert_eq!((&finding["at"]["line"], &finding["at"]["column"]), (&json!(1), &json!(7)));
    assert_eq!(finding["fix"], "registry.example.com/base/node:24");
    assert!(finding["message"].as_str().unwrap().contains("it is evil"), "{finding}");
    assert!(!finding["explanation"].as_str().unwrap().is_empty());
}

#[test]
fn check_without_a_policy_is_neutral_with_null_verdicts() {
    let (status, document) = Sandbox::repository(&[("Dockerfile", "FROM a\n")]).json(&["check"]);
    assert_eq!((status, &document["conclusion"]), (0, &json!("neutral")));
    assert_eq!(document["uses"][0]["verdict"], Value::Null);
}

/// A branch of a repository whose base holds a blocked image and the policy.
fn branch(files: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::repository(&[
        (".github/fromguard.yml", POLICY),
        ("old/Dockerfile", "FROM evil.io/old:1\n"),
        ("svc/Dockerfile", "FROM registry.example.com/base/node:22\n"),
    ]);
    sandbox.git(&["checkout", "-q", "-b", "feature"]);
    sandbox.write(files);
    sandbox
}

#[test]
fn check_with_a_base_judges_what_changed() {
    let sandbox = branch(&[("svc/Dockerfile", "FROM registry.example.com/base/node:24\n")]);
    let (status, document) = sandbox.json(&["check", "--base", "main"]);
    assert_eq!((status, &document["conclusion"]), (0, &json!("success")));
    let changes: Vec<&Value> =
        document["uses"].as_array().unwrap().iter().map(|usage| &usage["change"]).collect();
    assert_eq!(changes, [&json!("unchanged"), &json!("changed")]);

    let refused = branch(&[("new/Dockerfile", "FROM evil.io/new:1\n")]);
    assert_eq!(refused.run(&["check", "--base", "main"]).status, 1);
    refused.commit();
    assert_eq!(refused.run(&["check", "--base", "main"]).status, 1, "committed or not");
}

#[test]
fn check_compares_with_the_merge_base_and_not_with_the_tip() {
    let sandbox = branch(&[("README", "nothing\n")]);
    sandbox.commit();
    sandbox.git(&["checkout", "-q", "main"]);
    fs::remove_file(sandbox.path().join("old/Dockerfile")).unwrap();
    sandbox.commit();
    sandbox.git(&["checkout", "-q", "feature"]);
    // Against the tip of main, the old image would look introduced.
    assert_eq!(sandbox.run(&["check", "--base", "main"]).status, 0);
}

#[test]
fn check_with_a_base_takes_the_policy_from_there() {
    let lax = POLICY.replace("enforce", "observe");
    let weakened = branch(&[(".github/fromguard.yml", &lax), ("svc/Dockerfile", "FROM evil.io/x:1\n")]);
    let ran = weakened.run(&["check", "--base", "main"]);
    assert_eq!(ran.status, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("edits the policy"), "{}", ran.stdout);

    let broken = branch(&[(".github/fromguard.yml", "version: 1\nmode: enforce\nunknwon: fail\n")]);
    let ran = broken.run(&["check", "--base", "main"]);
    assert_eq!(ran.status, 2);
    assert!(ran.stdout.contains(".github/fromguard.yml:3:1"), "{}", ran.stdout);

    let removed = branch(&[("svc/Dockerfile", "FROM evil.io/x:1\n")]);
    fs::remove_file(removed.path().join(".github/fromguard.yml")).unwrap();
    let ran = removed.run(&["check", "--base", "main"]);
    assert_eq!(ran.status, 1);
    assert!(ran.stdout.contains("removes"), "{}", ran.stdout);
}

#[test]
fn check_takes_policies_from_elsewhere() {
    let elsewhere = Sandbox::empty();
    elsewhere.write(&[("p.yml", POLICY)]);
    let policy = elsewhere.path().join("p.yml");
    let policy = policy.to_str().unwrap();
    let sandbox = Sandbox::repository(&[("Dockerfile", "FROM evil.io/x:1\n")]);
    for option in ["--policy", "--org-policy"] {
        assert_eq!(sandbox.run(&["check", option, policy]).status, 1, "{option}");
    }
}

#[test]
fn a_pull_request_in_ci_is_not_judged_by_its_own_policy() {
    let sandbox = branch(&[("svc/Dockerfile", "FROM evil.io/x:1\n")]);
    let pull_request = [("GITHUB_BASE_REF", "main")];
    let ran = sandbox.run_with(&["check"], &pull_request);
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("fromguard check --base origin/main"), "{}", ran.stderr);
    let inside = sandbox.run_with(&["check", "--policy", ".github/fromguard.yml"], &pull_request);
    assert_eq!(inside.status, 2, "a policy of the pull request's own by another way");
    assert_eq!(sandbox.run_with(&["check", "--base", "main"], &pull_request).status, 1);

    let elsewhere = Sandbox::empty();
    elsewhere.write(&[("p.yml", POLICY)]);
    let policy = elsewhere.path().join("p.yml");
    let named = sandbox.run_with(&["check", "--policy", policy.to_str().unwrap()], &pull_request);
    assert_eq!(named.status, 1);
    assert_eq!(sandbox.run_with(&["check"], &[("GITHUB_BASE_REF", "")]).status, 1, "a push");
}

#[test]
fn check_annotates_in_github_actions() {
    let sandbox =
        Sandbox::repository(&[(".github/fromguard.yml", POLICY), ("Dockerfile", "FROM evil.io/node:1\n")]);
    let ran = sandbox.run(&["check", "--format", "github"]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stdout.starts_with("::error file=Dockerfile,line=1,endLine=1,col=6,endColumn=19,title="),
        "{}",
        ran.stdout
    );
    assert_eq!(sandbox.run(&["check", "--format", "sarif"]).status, 1);
}

#[test]
fn policy_import_prints_a_policy_that_loads() {
    let files = [
        (".hadolint.yaml", "trustedRegistries: [docker.io, registry.example.com]\n"),
        ("other.yaml", "a: b\n"),
    ];
    let sandbox = Sandbox::repository(&files);
    let ran = sandbox.run(&["policy", "import", ".hadolint.yaml"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("- \"registry.example.com/**\"  # was `registry.example.com`"),
        "{}",
        ran.stdout
    );
    sandbox.write(&[("imported.yml", &ran.stdout)]);
    assert_eq!(sandbox.run(&["policy", "validate", "imported.yml"]).status, 0);
    let other = sandbox.run(&["policy", "import", "other.yaml"]);
    assert_eq!(other.status, 2);
    assert!(
        other.stderr.contains("other.yaml: this is none of the policies that can be read"),
        "{}",
        other.stderr
    );
}

#[test]
fn policy_validate_shows_every_error_with_its_line() {
    let sandbox =
        Sandbox::repository(&[(".github/fromguard.yml", "version: 1\nmoed: enforce\nunknown: perhaps\n")]);
    let ran = sandbox.run(&["policy", "validate"]);
    assert_eq!(ran.status, 2);
    for place in [".github/fromguard.yml:2:1", ".github/fromguard.yml:3:10"] {
        assert!(ran.stdout.contains(place), "{}", ran.stdout);
    }
    sandbox.write(&[("good.yml", POLICY)]);
    let good = sandbox.run(&["policy", "validate", "good.yml"]);
    assert_eq!(good.status, 0);
    assert!(good.stdout.ends_with("good.yml is a valid policy\n"), "{}", good.stdout);
}

#[test]
fn wrong_input_is_one_clear_error() {
    let plain = Sandbox::empty();
    let repository = Sandbox::repository(&[("Dockerfile", "FROM a\n")]);
    let unrelated = Sandbox::repository(&[("Dockerfile", "FROM a\n")]);
    unrelated.git(&["checkout", "-q", "--orphan", "other"]);
    unrelated.write(&[("README", "another history\n")]);
    unrelated.commit();
    let fresh = Sandbox::empty();
    fresh.git(&["init", "-q", "-b", "main"]);
    plain.write(&[("binary.yml", "version: 1\0"), ("Dockerfile", "FROM a\n")]);
    let binary = plain.path().join("binary.yml");
    let binary = binary.to_str().unwrap();
    let two = Sandbox::repository(&[("Dockerfile", "FROM a\n")]);
    two.git(&["branch", "old"]);
    two.write(&[("Dockerfile", "FROM b\n")]);
    two.commit();
    let cases: [(&Sandbox, &[&str], &str); 17] = [
        (&plain, &["scan", "nowhere"], "nowhere does not exist"),
        (&plain, &["check", "nowhere"], "nowhere does not exist"),
        (&plain, &["check", "--base", "main"], "not in a git repository"),
        (&repository, &["check", "--base", "no-such"], "\"no-such\" names no commit"),
        (&unrelated, &["check", "--base", "main"], "no commit in common"),
        (&repository, &["check", "--policy", "no.yml"], "the policy no.yml cannot be read"),
        (&repository, &["check", "Dockerfile"], "Dockerfile is a file"),
        (&repository, &["policy", "validate"], ".github/fromguard.yml cannot be read"),
        (&repository, &["check", "--as-of", "tomorrow"], "is not a day such as 2027-01-31"),
        (&plain, &["check", "--policy", "binary.yml"], "binary.yml cannot be read: it is a binary file"),
        (&plain, &["rehearse", "--repo", "nowhere"], "nowhere does not exist"),
        (&plain, &["rehearse", "--repo", "."], ". is not in a git repository"),
        (&plain, &["rehearse", "--repo", "Dockerfile"], "it is a file; name the folder"),
        (&fresh, &["rehearse", "--repo", "."], "has no commit yet"),
        (&two, &["rehearse", "--repo", ".", "--base", "no-such"], "\"no-such\" names no commit"),
        (&two, &["rehearse", "--repo", "."], "are the same commit"),
        (
            &two,
            &["rehearse", "--repo", ".", "--base", "old", "--org-policy", binary],
            "cannot be read: it is a binary file",
        ),
    ];
    for (sandbox, arguments, message) in cases {
        let ran = sandbox.run(arguments);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(
            ran.stderr.starts_with("error: ") && ran.stderr.contains(message),
            "{arguments:?}: {}",
            ran.stderr
        );
    }
}

#[test]
fn usage_errors_exit_with_2_and_help_with_0() {
    let sandbox = Sandbox::empty();
    assert_eq!(sandbox.run(&[]).status, 2);
    assert_eq!(sandbox.run(&["scan", "--format", "xml"]).status, 2);
    let help = sandbox.run(&["--help"]);
    assert_eq!(help.status, 0);
    assert!(help.stdout.contains("fromguard check --base origin/main"), "{}", help.stdout);
    assert_eq!(sandbox.run(&["--version"]).stdout, format!("fromguard {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn colours_are_for_terminals_and_for_who_asks() {
    let sandbox =
        Sandbox::repository(&[(".github/fromguard.yml", POLICY), ("Dockerfile", "FROM evil.io/node:1\n")]);
    let coloured = |arguments: &[&str], environment: &[(&str, &str)]| {
        sandbox.run_with(arguments, environment).stdout.contains('\u{1b}')
    };
    assert!(!coloured(&["check"], &[]), "a pipe is no terminal");
    assert!(coloured(&["check", "--color", "always"], &[("NO_COLOR", "1")]));
    assert!(!coloured(&["check", "--color", "never"], &[]));
}
