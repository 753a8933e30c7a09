#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use crate::formats::Format;
use crate::formats::kustomize::Kustomize;
use crate::formats::tests::check;
use crate::formats::tests::scan;
use crate::source::RepoPath;
use crate::source::Tree;

/// extraction.md, "Decisions", 2.
#[test]
fn a_base_that_every_overlay_rewrites_is_replaced() {
    check(
        "
=== base/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      initContainers: [{name: i, image: 'busybox:1'}]
#                                        ^^^^^^^^^ init-container docker.io/library/busybox:1
      containers:
      - {name: web, image: nginx}
#                          ^^^^^ container docker.io/library/nginx, replaced
      - {name: log, image: 'fluentd:1'}
#                           ^^^^^^^^^ container docker.io/library/fluentd:1
=== base/kustomization.yaml
resources: [deployment.yaml]
=== overlays/dev/kustomization.yaml
resources: [../../base]
images:
- name: nginx
  newTag: '1.25'
#          ^^^^ container docker.io/library/nginx:1.25 <- base/deployment.yaml: nginx
=== overlays/prod/kustomization.yml
bases: [../../base/]
images:
- name: nginx
  newName: ghcr.io/acme/nginx
#          ^^^^^^^^^^^^^^^^^^ container ghcr.io/acme/nginx@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa <- sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa <- base/deployment.yaml: nginx
  digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
- name: fluentd
  newTag: '2'
#          ^ container docker.io/library/fluentd:2 <- base/deployment.yaml: fluentd:1
- name: missing
  newTag: '3'
#          ^ container docker.io/library/missing:3, unreachable
",
    );
}

#[test]
fn an_overlay_rewrites_what_its_base_rewrote() {
    check(
        "
=== a/pod.yaml
apiVersion: v1
kind: Pod
spec: {containers: [{name: a, image: a}]}
#                                    ^ container docker.io/library/a, replaced
=== a/kustomization.yaml
resources: [pod.yaml]
images: [{name: a, newName: b}]
#                           ^ container docker.io/library/b, replaced <- a/pod.yaml: a
=== b/kustomization.yaml
resources: [../a]
images: [{name: b, newTag: '2'}]
#                           ^ container docker.io/library/b:2 <- a/kustomization.yaml: b
",
    );
}

#[test]
fn patches_put_images_in_place_of_others() {
    check(
        "
=== base/all.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{name: a, image: a}, {name: b, image: b}, {name: c, image: c}]}}}
#                                                      ^ container docker.io/library/a, replaced
#                                                                           ^ container docker.io/library/b, replaced
#                                                                                                ^ container docker.io/library/c
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: other}
spec: {template: {spec: {containers: [{name: a, image: x}]}}}
#                                                      ^ container docker.io/library/x, replaced
=== base/kustomization.yaml
resources: [all.yaml]
namePrefix: p-
=== overlay/kustomization.yaml
resources: [../base]
patches:
- patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec: {template: {spec: {containers: [{name: a, image: a:2}, {name: d, image: d}]}}}
#                                                          ^^^ container docker.io/library/a:2
#                                                                                 ^ container docker.io/library/d, replaced
- path: remove.yaml
- path: ops.json
  target: {kind: Deployment, name: p-o.*}
images: [{name: d, newTag: '4'}]
#                           ^ container docker.io/library/d:4 <- d
=== overlay/ops.json
[{\"op\": \"replace\", \"path\": \"/spec/template/spec/containers/0/image\", \"value\": \"x:2\"}]
#                                                                              ^^^ container docker.io/library/x:2
=== overlay/remove.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: p-web}
spec: {template: {spec: {containers: [{name: b, $patch: delete}]}}}
",
    );
}

#[test]
fn what_is_remote_is_said() {
    check(
        "
=== kustomization.yaml
resources:
- https://example.com/all.yaml
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ container unresolved (remote: what `https://example.com/all.yaml` holds is not fetched)
- github.com/acme/base?ref=v1
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^ container unresolved (remote: what `github.com/acme/base?ref=v1` holds is not fetched)
- gone.yaml
# unreadable: `gone.yaml` cannot be read: nothing stands there in the repository
helmCharts:
- name: redis
#       ^^^^^ container unresolved (remote: what `https://charts.example.com` holds is not fetched)
  repo: https://charts.example.com
  valuesInline: {image: {repository: acme/redis, tag: '7'}}
#                                    ^^^^^^^^^^ container docker.io/acme/redis:7 <- acme/redis* <- 7
images: [{name: acme/base, newTag: '2'}]
#                                   ^ container docker.io/acme/base:2
configMapGenerator: [{name: a, literals: [image=x]}]
",
    );
}

#[test]
fn components_change_what_stands_beside_them() {
    check(
        "
=== app/kustomization.yaml
resources: [pod.yaml]
components: [../tagged]
=== app/pod.yaml
apiVersion: v1
kind: Pod
spec: {containers: [{name: a, image: a}]}
#                                    ^ container docker.io/library/a, replaced
=== tagged/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
images: [{name: a, newTag: '1'}]
#                           ^ container docker.io/library/a:1
",
    );
}

#[test]
fn objects_of_flux_in_files_of_this_name_are_manifests() {
    check(
        "
=== kustomization.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
spec: {images: [{name: a, newName: ghcr.io/acme/a}]}
#                                  ^^^^^^^^^^^^^^ container ghcr.io/acme/a <- ghcr.io/acme/a*
",
    );
}

#[test]
fn kustomizations_of_each_other_end() {
    let (_, scanned) =
        scan("=== a/kustomization.yaml\nresources: [../b]\n=== b/kustomization.yaml\nresources: [../a]\n");
    let messages: Vec<&str> = scanned.problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(messages, [] as [&str; 0]);
    let mut many = String::new();
    for level in 0..5 {
        many += &format!(
            "=== k{level}/kustomization.yaml\nresources: [../k{0}, ../k{0}, ../k{0}, ../k{0}]\n",
            level + 1
        );
    }
    let (_, scanned) = scan(&format!("{many}=== k5/kustomization.yaml\nresources: []\n"));
    assert!(scanned.problems.iter().any(|problem| problem.message.contains("are not built")));
}

/// A changed base is judged by what its overlays make of it, though they did not change.
#[test]
fn a_changed_base_has_its_overlays_read() {
    let files = [
        ("base/pod.yaml", "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a, image: a}]}\n"),
        ("base/kustomization.yaml", "resources: [pod.yaml]\n"),
        ("prod/kustomization.yaml", "resources: [../base]\nimages: [{name: a, newTag: '2'}]\n"),
        ("other/pod.yaml", "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: other}]}\n"),
    ];
    let path = crate::source::RepoPath::new;
    for changed in ["base/pod.yaml", "prod/kustomization.yaml"] {
        let mut scan = crate::scan::Scan::new([path(changed)]);
        scan.affected_by([path(changed)]);
        assert!(scan.wants_tree());
        scan.feed_tree(std::sync::Arc::new(files.iter().map(|(name, _)| path(name)).collect()));
        loop {
            let wanted = scan.wanted();
            if wanted.is_empty() {
                break;
            }
            for wanted in wanted {
                let (_, text) = files.iter().find(|(name, _)| path(name) == wanted).unwrap();
                scan.feed(&wanted, crate::source::Content::Text((*text).into()));
            }
        }
        let scanned = scan.finish();
        let found: Vec<(&str, bool)> =
            scanned.uses.iter().map(|usage| (usage.file.as_str(), usage.replaced)).collect();
        assert_eq!(found, [("base/pod.yaml", true), ("prod/kustomization.yaml", false)], "{changed}");
    }
}

/// What no kustomization stands around is a part of none.
#[test]
fn only_files_around_which_one_stands_matter() {
    let tree: Tree =
        ["apps/web/kustomization.yaml", "apps/web/base/pod.yaml", "other/pod.yaml", "package.json"]
            .map(RepoPath::new)
            .into_iter()
            .collect();
    for path in ["apps/web/base/pod.yaml", "apps/web/patch.json", "other/kustomization.yml"] {
        assert!(Kustomize.may_matter(&RepoPath::new(path), &tree), "{path}");
    }
    for path in ["other/pod.yaml", "apps/pod.yaml", "package.json"] {
        assert!(!Kustomize.may_matter(&RepoPath::new(path), &tree), "{path}");
    }
}
