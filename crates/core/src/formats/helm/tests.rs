#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use crate::formats::Claim;
use crate::formats::Format;
use crate::formats::helm::Helm;
use crate::formats::tests::check;
use crate::formats::tests::scan;
use crate::scan::Scan;
use crate::source::Content;
use crate::source::ProblemCode;
use crate::source::RepoPath;
use crate::source::Unreadable;

#[test]
fn files_are_claimed_by_their_names() {
    let claim = |path: &str| Helm.claims(&RepoPath::new(path));
    for path in ["values.yaml", "a/values.yml"] {
        assert_eq!(claim(path), Claim::Yes, "{path}");
    }
    for path in [
        "Chart.yaml",
        "values-prod.yaml",
        "values.prod.yml",
        "ci/kind-values.yaml",
        "env/app.values.yaml",
        "env/values/prod.yaml",
        "templates/a.yaml",
        "a/templates/b/_c.tpl",
    ] {
        assert_eq!(claim(path), Claim::Maybe, "{path}");
    }
    for path in ["values.json", "templates/NOTES.txt", "a.tpl", "myvalues.yaml", "values/README.md"] {
        assert_eq!(claim(path), Claim::No, "{path}");
    }
}

#[test]
fn files_of_a_chart_depend_on_each_other() {
    let depends =
        |candidate: &str, changed: &str| Helm.may_depend(&RepoPath::new(candidate), &RepoPath::new(changed));
    for (candidate, changed) in [
        ("c/values.yaml", "c/Chart.yaml"),
        ("c/values.yaml", "c/templates/a/b.yaml"),
        ("c/templates/a.yaml", "c/values.yaml"),
        ("c/templates/a.yaml", "c/env/prod/values.yaml"),
        ("c/templates/a.yaml", "c/templates/_helpers.tpl"),
        ("c/values-prod.yaml", "c/values.yaml"),
        ("c/values.yaml", "c/charts/d/Chart.yaml"),
        ("c/charts/d/templates/a.yaml", "c/values.yaml"),
        ("templates/a.yaml", "values.yaml"),
        ("values.yaml", "charts/d/values.yaml"),
        ("c/Chart.yaml", "c/templates/a.yaml"),
    ] {
        assert!(depends(candidate, changed), "{candidate} {changed}");
    }
    for (candidate, changed) in [
        ("c/values.yaml", "d/Chart.yaml"),
        ("c/templates/a.yaml", "d/templates/_helpers.tpl"),
        ("c/templates/a.yaml", "c/README.md"),
        ("c/Chart.yaml", "d/values.yaml"),
        ("charts/c/values.yaml", "charts/d/values.yaml"),
    ] {
        assert!(!depends(candidate, changed), "{candidate} {changed}");
    }
}

#[test]
fn what_never_ends_is_stopped_and_said() {
    let doubling = "{{ $x = printf \"%s%s\" $x $x }}\n".repeat(40);
    let deep = "{{ $d = dict \"a\" $d }}\n".repeat(2000);
    let template = format!(
        "{{{{ define \"r\" }}}}{{{{ include \"r\" (list .) }}}}{{{{ include \"r\" (list .) }}}}{{{{ end }}}}\n\
         {{{{ $x := \"a\" }}}}{doubling}{{{{ $d := dict }}}}{deep}\
         image: {{{{ $x }}}}\nimage: {{{{ $d.a }}}}\nimage: {{{{ include \"r\" . }}}}\n"
    );
    let (_, scanned) = scan(&format!("=== c/Chart.yaml\nname: c\n=== c/templates/a.yaml\n{template}"));
    let codes: Vec<ProblemCode> = scanned.problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [ProblemCode::Limit]);
}

#[test]
fn a_values_map_is_found_with_what_its_template_makes_of_it() {
    check(
        r#"
=== chart/Chart.yaml
name: web
appVersion: "1.2.3"
=== chart/values.yaml
image:
  registry: ghcr.io
  repository: acme/web
#             ^^^^^^^^ container ghcr.io/acme/web:v1.2.3 <- ghcr.io* <- chart/Chart.yaml: 1.2.3 <- chart/templates/deployment.yaml: {{ .Values.image.registry }}/{{ .Values.image.repository }}:v{{ .Values.image.tag | default .Chart.AppVersion }}
  tag: ""
  pullPolicy: Always
=== chart/templates/deployment.yaml
spec:
  containers:
    - name: web
      image: "{{ .Values.image.registry }}/{{ .Values.image.repository }}:v{{ .Values.image.tag | default .Chart.AppVersion }}"
"#,
    );
}

#[test]
fn helpers_are_followed() {
    check(
        r#"
=== chart/Chart.yaml
name: web
appVersion: 2.0
=== chart/values.yaml
global:
  imageRegistry: mirror.example.com
web:
  image:
    registry: docker.io
    repository: acme/web
#               ^^^^^^^^ container mirror.example.com/acme/web:1.1 <- mirror.example.com* <- 1.10 <- chart/templates/_helpers.tpl: {{- define "chart.image" -}} <- chart/templates/web.yaml: {{ include "chart.image" (dict "image" .Values.web.image "global" .Values.global "chart" .Chart) | quote }}
    tag: 1.10
worker:
  image:
    registry: docker.io
    repository: acme/worker
#               ^^^^^^^^^^^ container mirror.example.com/acme/worker@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa <- mirror.example.com* <- sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa <- chart/templates/_helpers.tpl: {{- define "chart.image" -}} <- chart/templates/worker.yaml: {{ template "chart.image" (dict "image" .Values.worker.image "global" .Values.global "chart" .Chart) }}
    digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
=== chart/templates/_helpers.tpl
{{/* The image of a component. */}}
{{- define "chart.image" -}}
{{- $registry := .global.imageRegistry | default .image.registry -}}
{{- if .image.digest -}}
{{- printf "%s/%s@%s" $registry .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s/%s:%s" $registry .image.repository (.image.tag | default .chart.AppVersion | toString) -}}
{{- end -}}
{{- end -}}
=== chart/templates/web.yaml
      image: {{ include "chart.image" (dict "image" .Values.web.image "global" .Values.global "chart" .Chart) | quote }}
=== chart/templates/worker.yaml
      image: {{ template "chart.image" (dict "image" .Values.worker.image "global" .Values.global "chart" .Chart) }}
"#,
    );
}

#[test]
fn literals_and_what_cannot_be_followed_are_found_in_templates() {
    check(
        r##"
=== chart/Chart.yaml
name: web
=== chart/values.yaml
proxy:
  enabled: false
  version: "1.8"
initRepo: busybox
=== chart/templates/deployment.yaml
{{- if .Values.proxy.enabled }}
        - image: "envoyproxy/envoy:v{{ .Values.proxy.version }}" # the proxy
#                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ container docker.io/envoyproxy/envoy:v1.8 <- chart/values.yaml: 1.8
{{- end }}
        - image: busybox:1.36
#                ^^^^^^^^^^^^ container docker.io/library/busybox:1.36
          imagePullPolicy: Always
        # image: commented:1
        - {name: x, image: alpine:3, args: []}
#                          ^^^^^^^^ container docker.io/library/alpine:3
        - image: {{ .Values.initRepo }}
#                ^^^^^^^^^^^^^^^^^^^^^^ container docker.io/library/busybox <- chart/values.yaml: busybox*
        - image: {{ .Release.Name }}/app
#                ^^^^^^^^^^^^^^^^^^^^^^^ container unresolved (`.Release` is known at its installation)
        - image: {{ include "other.image" . }}
#                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ container unresolved (the template `other.image` is not in this repository)
        - image: acme/{{ .Values.missing }}
#                ^^^^^^^^^^^^^^^^^^^^^^^^^^ container unresolved (`missing` is not set)
        - image: acme/app:{{ .Values.missing.tag }}
#                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ container partial docker.io/acme/app (`missing` is not set)
        - image: >-
            {{ .Values.initRepo }}:1
#           ^^^^^^^^^^^^^^^^^^^^^^^^ container docker.io/library/busybox:1 <- chart/values.yaml: busybox*
        - baseImage: acme/base:1
#                    ^^^^^^^^^^^ container docker.io/acme/base:1
        - image:
            repository: x
      imagePullSecrets:
        - name: x
=== chart/templates/NOTES.txt
image: nginx
=== chart/README.md
image: nginx
"##,
    );
}

#[test]
fn each_environment_adds_members() {
    check(
        r#"
=== chart/Chart.yaml
name: web
=== chart/values.yaml
image:
  repository: acme/web
#             ^^^^^^^^ container docker.io/acme/web:1 <- 1 <- chart/templates/a.yaml: {{ .Values.image.repository }}:{{ .Values.image.tag }}
  tag: "1"
side: {repo: acme/side, version: "2"}
=== chart/values-prod.yaml
image:
  tag: "3"
#       ^ container docker.io/acme/web:3 <- chart/values.yaml: acme/web <- chart/templates/a.yaml: {{ .Values.image.repository }}:{{ .Values.image.tag }}
side:
  repo: prod.example.com/side
=== chart/ci/other-values.yaml
image:
  repository: acme/web-ci
#             ^^^^^^^^^^^ container docker.io/acme/web-ci:1 <- chart/values.yaml: 1 <- chart/templates/a.yaml: {{ .Values.image.repository }}:{{ .Values.image.tag }}
=== chart/ci/tags-values.yaml
other: {tag: "1"}
=== chart/templates/a.yaml
image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
---
image: "{{ .Values.side.repo }}:{{ .Values.side.version }}"
#       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ container docker.io/acme/side:2 | prod.example.com/side:2 <- chart/values.yaml: acme/side* <- chart/values.yaml: 2 <- chart/values-prod.yaml: prod.example.com/side
"#,
    );
}

#[test]
fn values_of_charts_that_are_not_here_are_read() {
    check(
        r#"
=== env/prod/values.yaml
image:
  name: acme/web
#       ^^^^^^^^ container docker.io/acme/web:1 <- 1
  tag: "1"
initImage: busybox:1.36
#          ^^^^^^^^^^^^ container docker.io/library/busybox:1.36
sidecar:
  image: envoy
#        ^^^^^ container docker.io/library/envoy:v1 <- v1
  tag: v1
exporter:
  repository: acme/exporter
#             ^^^^^^^^^^^^^ container partial docker.io/acme/exporter (no tag is set, and the chart decides it)
  tag: ""
chart:
  repository: https://charts.example.com
  tag: "1"
image2: {pullPolicy: Always}
imagePullSecrets: [{name: x}]
containers:
  - name: a
    image: acme/a:1
#          ^^^^^^^^ container docker.io/acme/a:1
logoImage: /static/logo.png
vmImage: true
emptyImage: ""
templatedImage: "{{ .Values.x }}/a:1"
#                ^^^^^^^^^^^^^^^^^^^ container unresolved (`{{ .Values.x }}/a:1` holds a template's marker, which is filled in before the build)
=== k8s/app-values.yaml
apiVersion: v1
kind: ConfigMap
data: {image: x}
"#,
    );
}

#[test]
fn values_of_subcharts() {
    check(
        r#"
=== umbrella/Chart.yaml
name: umbrella
appVersion: "9"
dependencies:
  - name: db
    alias: database
    version: 1.x
  - name: redis
    version: 2.x
    repository: https://charts.example.com
=== umbrella/values.yaml
database:
  image:
    tag: "16"
#         ^^ container docker.io/acme/db:16 <- umbrella/charts/db/values.yaml: acme/db <- umbrella/charts/db/templates/db.yaml: {{ printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
redis:
  image:
    repository: acme/redis
#               ^^^^^^^^^^ container partial docker.io/acme/redis (no tag is set, and the chart decides it)
=== umbrella/charts/db/Chart.yaml
name: db
appVersion: "15"
=== umbrella/charts/db/values.yaml
image:
  repository: acme/db
#             ^^^^^^^ container docker.io/acme/db:15 <- umbrella/charts/db/Chart.yaml: 15 <- umbrella/charts/db/templates/db.yaml: {{ printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
  tag: ""
=== umbrella/charts/db/templates/db.yaml
image: {{ printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
"#,
    );
}

#[test]
fn the_image_of_bitnamis_library() {
    check(
        r#"
=== chart/Chart.yaml
name: redis
dependencies: [{name: common, repository: "oci://registry-1.docker.io/bitnamicharts", version: 2.x.x}]
=== chart/values.yaml
global:
  imageRegistry: ""
image:
  registry: docker.io
  repository: bitnami/redis
#             ^^^^^^^^^^^^^ container docker.io/bitnami/redis:7.2 <- docker.io* <- 7.2 <- chart/templates/_helpers.tpl: {{- define "redis.image" -}} <- chart/templates/sts.yaml: {{ include "redis.image" . }}
  tag: 7.2
  digest: ""
=== chart/templates/_helpers.tpl
{{- define "redis.image" -}}
{{ include "common.images.image" (dict "imageRoot" .Values.image "global" .Values.global) }}
{{- end -}}
=== chart/templates/sts.yaml
          image: {{ include "redis.image" . }}
          volumes: {{ include "redis.volumes" . }}
"#,
    );
}

#[test]
fn helpers_that_hold_containers() {
    check(
        r#"
=== chart/Chart.yaml
name: g
appVersion: "1"
=== chart/values.yaml
image: {repository: acme/g, tag: "", sha: ""}
#                   ^^^^^^ container docker.io/acme/g:1 <- chart/Chart.yaml: 1 <- chart/templates/_pod.tpl: {{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
reloader: {repo: acme/reloader, tag: v2}
extra: []
=== chart/templates/_pod.tpl
{{- define "g.pod" -}}
containers:
  {{- range .Values.extra }}
  - image: {{ .image }}
  {{- end }}
  {{- if .Values.image.sha }}
  - image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}@sha256:{{ .Values.image.sha }}"
  {{- else }}
  - image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
  {{- end }}
  {{- with .Values.reloader }}
  - image: {{ .repo }}:{{ .tag }}
#          ^^^^^^^^^^^^^^^^^^^^^^ container docker.io/acme/reloader:v2 <- chart/values.yaml: acme/reloader* <- chart/values.yaml: v2
  {{- end }}
{{- end }}
=== chart/templates/deployment.yaml
{{ include "g.pod" . | nindent 6 }}
"#,
    );
}

#[test]
fn broken_files() {
    check(
        r#"
=== chart/Chart.yaml
name: web
=== chart/values.yaml
image: {repository: a
# syntax: this is not YAML: unclosed bracket '{'
=== chart/templates/a.yaml
image: a:1
#      ^^^ container docker.io/library/a:1
image: {{ .Values.x
# syntax: `{{` is not closed; nothing after it is read
image: b:1
=== chart/templates/b.yaml
{{ end }}{{ end }}
image: c:1
#      ^^^ container docker.io/library/c:1
{{ if }}
image: d:1
#      ^^^ container docker.io/library/d:1
=== templates/deployment.yaml
image: not-a-chart:1
"#,
    );
}

#[test]
fn what_nothing_calls_is_looked_into_too() {
    check(
        r#"
=== library/Chart.yaml
name: library
type: library
=== library/templates/_pod.tpl
{{- define "library.pod" -}}
- image: busybox:1.36
#        ^^^^^^^^^^^^ container docker.io/library/busybox:1.36
- image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
{{- end -}}
"#,
    );
}

#[test]
fn a_chart_in_a_folder_of_that_name() {
    check(
        r#"
=== templates/web/Chart.yaml
name: web
=== templates/web/values.yaml
image: {repository: acme/web, tag: v1.2@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}
#                   ^^^^^^^^ container docker.io/acme/web:v1.2@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa <- v1.2@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa <- templates/web/templates/a.yaml: {{ .Values.image.repository }}:{{ .Values.image.tag }}
=== templates/web/templates/a.yaml
args: ["--image={{ .Values.image.repository }}:{{ .Values.image.tag }}", "--x={{ .Values.image.repository }}"]
"#,
    );
}

#[test]
fn a_chart_at_the_root_and_a_library_beside_it() {
    check(
        r#"
=== Chart.yaml
name: root
dependencies: [{name: lib, repository: "file://./lib", version: 1.x}]
=== values.yaml
web: &web {image: {repository: acme/web, tag: "1"}}
#                              ^^^^^^^^ container mirror.example.com/acme/web:1 <- 1 <- lib/templates/_image.tpl: {{ define "lib.image" }}* <- templates/a.yaml: {{ include "lib.image" .Values.web.image }}
again: *web
=== lib/Chart.yaml
name: lib
=== lib/templates/_image.tpl
{{ define "lib.image" }}mirror.example.com/{{ .repository }}:{{ .tag }}{{ end }}
=== templates/a.yaml
image: {{ include "lib.image" .Values.web.image }}
"#,
    );
}

#[test]
fn what_depends_on_the_cluster_is_not_known() {
    check(
        r#"
=== chart/Chart.yaml
name: web
=== chart/values.yaml
image: {repository: acme/web, tag: "1"}
#                   ^^^^^^^^ container partial docker.io/acme/web (`.Release` is known at its installation) <- 1 <- chart/templates/a.yaml: {{ .Values.image.repository }}:{{ .Values.image.tag }}-{{ .Release.Revision }}
other: acme/other
=== chart/templates/a.yaml
{{- if .Capabilities.APIVersions.Has "x/v1" }}
image: either:1
#      ^^^^^^^^ container docker.io/library/either:1
{{- else }}
image: or:1
#      ^^^^ container docker.io/library/or:1
{{- end }}
{{ $tag := "1" }}{{ if semverCompare ">1" .Capabilities.KubeVersion.Version }}{{ $tag = "2" }}{{ end }}
image: {{ .Values.other }}:{{ $tag }}
#      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ container partial docker.io/acme/other (it depends on a condition that is not known) <- chart/values.yaml: acme/other*
image: {{ .Values.other }}:{{ if .Release.IsUpgrade }}a{{ else }}b{{ end }}
#      ^^^^^^^^^^^^^^^^^^^^ container partial docker.io/acme/other (it depends on a condition that is not known) <- chart/values.yaml: acme/other*
image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}-{{ .Release.Revision }}"
image: {{ .Values.other | sha256sum }}
#      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ container unresolved (what `sha256sum` makes is not followed) <- chart/values.yaml: acme/other
image: {{ range .Release.List }}x{{ end }}
#     ^ container unresolved (it depends on a condition that is not known)
"#,
    );
}

/// Templates may call it, and what it holds is nowhere else.
#[test]
fn a_template_that_cannot_be_read_is_said_once() {
    let texts = [
        ("c/Chart.yaml", "name: c\n"),
        ("c/charts/d/Chart.yaml", "name: d\n"),
        ("c/values.yaml", "image: {repository: a/b, tag: '1'}\n"),
    ];
    let helpers = RepoPath::new("c/charts/d/templates/_helpers.tpl");
    let paths = texts.iter().map(|(path, _)| RepoPath::new(path)).chain([helpers.clone()]);
    let mut scan = Scan::of_tree(paths.collect());
    for path in scan.wanted() {
        let text = texts.iter().find(|(name, _)| *name == path.as_str());
        let content =
            text.map_or(Content::Unreadable(Unreadable::Binary), |(_, text)| Content::Text((*text).into()));
        scan.feed(&path, content);
    }
    let problems = scan.finish().problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!((&problems[0].at.file, problems[0].code), (&helpers, ProblemCode::Unreadable));
}

#[test]
fn what_is_more_than_is_read_of_a_chart_is_said() {
    let limits = |fixture: &str| {
        let (_, scanned) = scan(fixture);
        let limits = scanned.problems.iter().filter(|problem| problem.code == ProblemCode::Limit);
        limits.map(|problem| problem.at.file.as_str().to_owned()).collect::<Vec<_>>()
    };
    let mut environments =
        "=== c/Chart.yaml\nname: c\n=== c/templates/a.yaml\nimage: {{ .Values.a }}\n".to_owned();
    for at in 100..165 {
        environments.push_str(&format!("=== c/values-{at}.yaml\na: {{image: 'a:{at}'}}\n"));
    }
    assert_eq!(limits(&environments), ["c/values-164.yaml"]);
    let mut nested = String::new();
    let mut folder = "c".to_owned();
    for _ in 0..6 {
        nested.push_str(&format!("=== {folder}/Chart.yaml\nname: c\n"));
        folder.push_str("/charts/c");
    }
    assert_eq!(limits(&nested), ["c/charts/c/charts/c/charts/c/charts/c/Chart.yaml"]);
    let mut calls = "=== c/Chart.yaml\nname: c\n=== c/templates/a.yaml\nimage: a\n{{ include \"t0\" (dict \"i\" \"a\") }}\n".to_owned();
    calls.push_str("=== c/templates/_t.tpl\n");
    for at in 0..25 {
        calls.push_str(&format!(
            "{{{{ define \"t{at}\" }}}}{{{{ include \"t{}\" . }}}}{{{{ end }}}}\n",
            at + 1
        ));
    }
    calls.push_str("{{ define \"t25\" }}image: {{ .i }}{{ end }}\n");
    assert_eq!(limits(&calls), ["c/templates/_t.tpl"]);
}

/// A values file is rendered with its chart once, whatever asks for it.
#[test]
fn every_values_file_has_its_say_in_a_template() {
    check(
        r#"
=== c/Chart.yaml
name: c
=== c/templates/a.yaml
image: "acme/proxy:{{ .Values.version }}"
#       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ container docker.io/acme/proxy:1 | docker.io/acme/proxy:2 <- c/values.yaml: 1 <- c/values-x.yaml: 2
=== c/values-x.yaml
version: "2"
=== c/values.yaml
version: "1"
"#,
    );
}
