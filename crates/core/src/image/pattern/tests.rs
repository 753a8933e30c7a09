use super::*;

/// What is said of a text that is no pattern, and what to write.
fn refused(text: &str) -> (String, String) {
    let error = Pattern::parse(text).expect_err(text);
    (error.message, error.help.unwrap_or_default())
}

#[test]
fn every_text_that_is_no_pattern_prints_what_to_write() {
    for (text, help) in [
        // Rule 1: fully qualified, and able to match.
        (
            "node",
            "write `docker.io/library/node` for Docker Hub's, or `registry.example.com/node` with your registry's host",
        ),
        (
            "node:20-alpine",
            "write `docker.io/library/node:20-alpine` for Docker Hub's, or `registry.example.com/node:20-alpine` with your registry's host",
        ),
        (
            "registry.example.com",
            "write `registry.example.com/**` for the registry, or `docker.io/library/registry.example.com` for the image",
        ),
        (
            "localhost:5000",
            "write `localhost:5000/**` for the registry, or `docker.io/library/localhost:5000` for the image",
        ),
        ("*.example.com", "write `*.example.com/**` for every image on its subdomains"),
        (
            "acme/app",
            "write `docker.io/acme/app` for Docker Hub's, or `registry.example.com/acme/app` with your registry's host",
        ),
        (
            "docker.io/node",
            "write `docker.io/library/node` for the image, or `docker.io/node/**` for that owner's images",
        ),
        (
            "docker.io/node:20",
            "write `docker.io/library/node:20` for the image, or `docker.io/node/**` for that owner's images",
        ),
        (
            "docker.io/*",
            "write `docker.io/library/*` for the image, or `docker.io/**` for everybody's images",
        ),
        ("index.docker.io/library/node", "write `docker.io/library/node`"),
        ("ghcr.io/Acme/App", "write `ghcr.io/acme/app`"),
        ("registry.example.com./x", "write `registry.example.com/x`"),
        ("registry.example.com.:5000/x", "write `registry.example.com:5000/x`"),
        ("ghcr.io/acme", "write `ghcr.io/acme/**`"),
        ("us-docker.pkg.dev/acme/prod", "write `us-docker.pkg.dev/acme/prod/**`"),
        ("ghcr.io/acme/", "write `ghcr.io/acme/**` for everything under it"),
        ("https://ghcr.io/acme/x", "write `ghcr.io/acme/x`"),
        ("docker://ghcr.io/acme/x", "write `ghcr.io/acme/x`"),
        ("/acme/x", "write `registry.example.com/acme/x` with your registry's host"),
        ("", "write a registry and a path, as `registry.example.com/team/**`"),
        ("user@ghcr.io/acme/x", "write `ghcr.io/acme/x`"),
        ("régistry.example.com/x", "write a host with other letters in its `xn--` form"),
        // Rule 3: `*` inside a segment, `**` at the end.
        (
            "*",
            "name each registry, as `registry.example.com/**`; what no source names is decided by `unknown`",
        ),
        (
            "**",
            "name each registry, as `registry.example.com/**`; what no source names is decided by `unknown`",
        ),
        ("ghcr.io/acme/**/x", "write `*` inside one segment, or end the pattern in `/**`"),
        ("ghcr.io/acme**", "write `*` inside one segment, or end the pattern in `/**`"),
        ("ghcr.io/acme//x", "write one `/` between two segments"),
        ("ghcr.io/acme/{a,b}", "write one pattern for each alternative"),
        ("ghcr.io/acme/a?", "write one pattern for each alternative"),
        ("!ghcr.io/acme/x", "list what is refused under `block`"),
        ("ghcr.io/acme/x ghcr.io/acme/y", "write each pattern as an item of its own"),
        (
            "ghcr.io/acme/-x",
            "write lower-case letters and digits, with single `.`, `_`, `__` or dashes between them",
        ),
        (
            "ghcr.io/acme/x..*",
            "write lower-case letters and digits, with single `.`, `_`, `__` or dashes between them",
        ),
        // Rule 4: a host wildcard is a leading `*.`.
        ("*/acme/x", "write each host in full, or the domain that all of them are subdomains of"),
        ("*example.com/x", "write each host in full, or the domain that all of them are subdomains of"),
        ("a.*.com/x", "write each host in full, or the domain that all of them are subdomains of"),
        ("*.com/x", "write the domain that is yours, as `*.example.com`"),
        ("*.0.1/x", "write the domain that is yours, as `*.example.com`"),
        // Rule 6: a tag or a digest.
        ("ghcr.io/acme/x:", "write `ghcr.io/acme/x` for every tag"),
        ("ghcr.io/acme/x:**", "write `ghcr.io/acme/x` for every tag"),
        ("ghcr.io/acme/x:-a", "write letters, digits, `_`, `.`, `-` and the wildcard `*`"),
        ("ghcr.io/acme/x@sha256:abc", "write the digest in full, as `@sha256:` and 64 hex digits"),
        ("ghcr.io/acme:1/x", "write the port after the host, and the tag after the last segment"),
    ] {
        assert_eq!(refused(text).1, help, "{text}: {}", refused(text).0);
    }
    let both = format!("ghcr.io/acme/x:1@sha256:{}", "a".repeat(64));
    assert_eq!(
        refused(&both).1,
        format!("write `ghcr.io/acme/x@sha256:{}` or `ghcr.io/acme/x:1`", "a".repeat(64))
    );
    for text in ["my..host.com/x", "-a.com/x", "ghcr.io:x/acme/y", "ghcr.io:/acme/y", "[::1/x", "a_.b.com/x"]
    {
        assert!(Pattern::parse(text).is_err(), "{text}");
    }
    assert!(Pattern::parse(&format!("ghcr.io/{}", "a/".repeat(2000))).is_err());
    assert!(Pattern::parse(&format!("ghcr.io/acme/{}", "a".repeat(260))).is_err());
}

#[test]
fn what_to_write_is_itself_a_pattern() {
    for text in [
        "node",
        "acme/app",
        "docker.io/node:20",
        "docker.io/*",
        "ghcr.io/acme",
        "registry.example.com",
        "*.example.com",
        "ghcr.io/Acme/App",
        "us-docker.pkg.dev/a/b",
        "index.docker.io/x/y",
    ] {
        let help = refused(text).1;
        for written in help.split('`').skip(1).step_by(2) {
            assert!(Pattern::parse(written).is_ok(), "{text}: {written}");
        }
    }
}

#[test]
fn patterns_are_shown_in_normal_form() {
    for (text, shown) in [
        ("GHCR.io:443/acme/*", "ghcr.io/acme/*"),
        ("localhost/x:*", "localhost/x"),
        ("*.Example.com:0443/a/**", "*.example.com/a/**"),
        ("localhost:5000/x:1.*", "localhost:5000/x:1.*"),
        ("[0:0::1]:5000/x", "[::1]:5000/x"),
        ("k8s.gcr.io/pause", "k8s.gcr.io/pause"),
        ("ghcr.io/acme/**:latest", "ghcr.io/acme/**:latest"),
        ("docker.io/**", "docker.io/**"),
    ] {
        assert_eq!(Pattern::parse(text).expect(text).to_string(), shown);
    }
}

#[test]
fn the_rules_of_matching() {
    for (pattern, image, covered) in [
        ("ghcr.io/acme/x", "ghcr.io/acme/x:1", true),
        ("ghcr.io/acme/x", "ghcr.io/acme/x/y", false),
        ("ghcr.io/acme/*", "ghcr.io/acme/x", true),
        ("ghcr.io/acme/*", "ghcr.io/acme/x/y", false),
        ("ghcr.io/acme/*-dev", "ghcr.io/acme/x-dev", true),
        ("ghcr.io/acme/a*b*c", "ghcr.io/acme/abbc", true),
        ("ghcr.io/acme/a*b*c", "ghcr.io/acme/abcb", false),
        ("ghcr.io/acme/*/x", "ghcr.io/acme/b/x", true),
        ("ghcr.io/acme/*/x", "ghcr.io/acme/x", false),
        ("ghcr.io/acme/**", "ghcr.io/acme/x/y/z", true),
        ("ghcr.io/acme/**", "ghcr.io/acme2/x", false),
        ("ghcr.io/acme/a*/**", "ghcr.io/acme/ab/c", true),
        ("*.example.com/x", "a.example.com/x", true),
        ("*.example.com/x", "example.com/x", false),
        ("*.example.com/x", "aexample.com/x", false),
        ("*.example.com:5000/x", "a.example.com/x", false),
        ("*.example.com:5000/x", "a.example.com:5000/x", true),
        ("docker.io/library/node", "node", true),
        ("docker.io/library/node", "registry-1.docker.io/library/node", false),
    ] {
        let pattern = Pattern::parse(pattern).expect(pattern);
        let image = ImageRef::parse(image).expect(image);
        assert_eq!(pattern.covers_name(&image), covered, "{pattern} {image}");
    }
}

#[test]
fn shared_registries_need_an_owner() {
    for text in [
        "docker.io/**",
        "docker.io/*/node",
        "ghcr.io/ac*/x",
        "quay.io/**",
        "gcr.io/*/x",
        "eu.gcr.io/**",
        "mirror.gcr.io/**",
        "europe-docker.pkg.dev/**",
        "public.ecr.aws/**",
        "registry.gitlab.com/**",
        "registry-1.docker.io/**",
        "registry.hub.docker.com/**",
        "nvcr.io/**",
        "fra.ocir.io/**",
        "registry.fly.io/**",
        "registry.fly.io/*",
        "registry.digitalocean.com/**",
        "ttl.sh/*",
        "ghcr.io:8443/**",
        "docker.cloudsmith.io/**",
        "*.docker.io/acme/**",
        "*.gcr.io/acme/**",
        "*.docker.pkg.dev/acme/**",
        "*.azurecr.io/base/**",
        "*.dkr.ecr.eu-west-1.amazonaws.com/x",
        "*.eu.azurecr.io/x",
        "*.jfrog.io/x",
        "*.cloudsmith.io/x",
        "*.ecr.aws/acme/**",
        "*.gitlab.com/acme/**",
        "*.docker.com/acme/**",
    ] {
        let error = Pattern::parse(text).expect(text).check_not_broad().expect_err(text);
        assert!(error.help.is_some_and(|help| help.contains("i-trust-everyone")), "{text}");
    }
    for text in [
        "docker.io/library/*",
        "docker.io/acme/**",
        "ghcr.io/acme/*",
        "acme.azurecr.io/**",
        "registry.fly.io/app",
        "123.dkr.ecr.eu-west-1.amazonaws.com/**",
        "registry.example.com/**",
        "*.example.com/**",
        "*.mydocker.io/**",
        "evil-docker.io/**",
        "acme.jfrog.io/docker/**",
        "eu.gcr.io/project/**",
        "europe-docker.pkg.dev/p/r/**",
    ] {
        assert_eq!(Pattern::parse(text).expect(text).check_not_broad(), Ok(()), "{text}");
    }
}

#[test]
fn globs_do_not_go_wild() {
    let glob = "*a".repeat(120);
    assert!(!glob_matches(&glob, &"a".repeat(119)));
    assert!(glob_matches(&glob, &"a".repeat(255)));
    assert!(glob_matches("*", "") && glob_matches("", "") && !glob_matches("", "a"));
}

/// Held against every text of up to six letters.
#[test]
fn globs_overlap_when_some_text_matches_both() {
    let texts_of = |letters: &[char], longest: usize| {
        let mut texts = vec![String::new()];
        let mut last = texts.clone();
        for _ in 0..longest {
            last = last
                .iter()
                .flat_map(|text| letters.iter().map(move |letter| format!("{text}{letter}")))
                .collect();
            texts.extend(last.iter().cloned());
        }
        texts
    };
    let texts = texts_of(&['a', 'b'], 6);
    let globs: Vec<Pattern> = texts_of(&['a', 'b', '*'], 3)
        .iter()
        .filter(|glob| !glob.is_empty() && !glob.contains("**"))
        .map(|glob| Pattern::parse(&format!("example.com/{glob}/x")).expect(glob))
        .collect();
    for one in &globs {
        for two in &globs {
            let common = texts.iter().any(|text| {
                one.segments()[0].matches(text) && two.segments()[0].matches(text) && !text.is_empty()
            });
            assert_eq!(one.overlaps(two), common, "{one} {two}");
        }
    }
}
