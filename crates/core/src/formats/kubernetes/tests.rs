use crate::formats::tests::check;
use crate::formats::tests::scan;

#[test]
fn every_container_of_a_pod() {
    check(
        r#"
=== pod.yaml
apiVersion: v1
kind: Pod
metadata:
  name: a
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"image":"old"}]}}'
spec:
  initContainers:
  - name: i
    image: busybox:1.36
#          ^^^^^^^^^^^^ init-container docker.io/library/busybox:1.36
  containers:
  - {name: a, image: "ghcr.io/acme/a@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}
#                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ container ghcr.io/acme/a@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
  - name: b
    image: >-
      nginx
#     ^^^^^ container docker.io/library/nginx
    env: [{name: image, value: "x:1"}]
  ephemeralContainers:
  - image: 'alpine:3'
#           ^^^^^^^^ ephemeral-container docker.io/library/alpine:3
    name: debug
  volumes:
  - name: v
    image:
      reference: quay.io/acme/data:1
#                ^^^^^^^^^^^^^^^^^^^ image-volume quay.io/acme/data:1
      pullPolicy: Always
status:
  containerStatuses: [{image: "old:1", name: a}]
"#,
    );
}

#[test]
fn every_workload_holds_pods() {
    check(
        "
=== all.yml
apiVersion: apps/v1
kind: Deployment
spec: {template: {spec: {containers: [{image: a}]}}}
#                                             ^ container docker.io/library/a
---
apiVersion: batch/v1
kind: CronJob
spec: {jobTemplate: {spec: {template: {spec: {containers: [{image: b}]}}}}}
#                                                                  ^ container docker.io/library/b
---
apiVersion: v1
kind: PodTemplate
template: {spec: {containers: [{image: c}]}}
#                                      ^ container docker.io/library/c
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ReplicationController
  spec: {template: {spec: {containers: [{image: d}]}}}
#                                               ^ container docker.io/library/d
- apiVersion: apps/v1
  kind: StatefulSet
  spec: {template: {spec: {containers: [{image: e}]}}}
#                                               ^ container docker.io/library/e
---
- apiVersion: v1
  kind: Pod
  spec: {containers: [{image: f}]}
#                             ^ container docker.io/library/f
",
    );
}

#[test]
fn json_is_read_with_its_places() {
    check(
        r#"
=== pod.json
{
	"apiVersion": "v1", "kind": "Pod",
	"metadata": {"name": "a", "labels": {"x": "\ud83d\ude00 \/"}},
	"spec": {"containers": [{"name": "a", "image": "nginx:1.25"}]}
#                                                ^^^^^^^^^^ container docker.io/library/nginx:1.25
}
=== data.json
{"name": "x", "image": "logo.png", "kind": "k"}
=== broken.json
{"kind": "x", "image": "y", "apiVersion"
# syntax: this document cannot be read: unclosed bracket '{'
=== other.json
{"items": ["apiVersion", "kind", "image"
"#,
    );
}

#[test]
fn one_broken_document_hides_no_other() {
    check(
        "
=== a.yaml
apiVersion: v1
kind: Pod
spec: {containers: [{image: a}]}
#                           ^ container docker.io/library/a
---
apiVersion: v1
kind: Pod
spec: {containers: [{image: b}}
# syntax: this document cannot be read: mismatched bracket '[' closed by '}'
---
apiVersion: v1
kind: Pod
spec: {containers: [{image: c}]}
#                           ^ container docker.io/library/c
=== b.yaml
image: [
=== c.yaml
name: image
kind: a
",
    );
}

#[test]
fn anchors_and_merge_keys_lead_to_their_text() {
    check(
        "
=== a.yaml
apiVersion: v1
kind: Pod
x: &image nginx:1
common: &common
  image: redis:7
#        ^^^^^^^ container docker.io/library/redis:7
spec:
  initContainers: &all
  - image: alpine:3
#          ^^^^^^^^ container docker.io/library/alpine:3
#          ^^^^^^^^ init-container docker.io/library/alpine:3
  containers:
  - name: a
    image: *image
#          ^^^^^^ container docker.io/library/nginx:1 <- nginx:1*
  - <<: *common
    name: b
  other:
    containers: *all
",
    );
}

#[test]
fn aliases_of_aliases_end() {
    let mut text = String::from("apiVersion: v1\nkind: Pod\na0: &a0 [{image: x}]\n");
    for level in 1..60 {
        text += &format!("a{level}: &a{level} [*a{0}, *a{0}, *a{0}, *a{0}]\n", level - 1);
    }
    let (_, scanned) = scan(&format!("=== a.yaml\n{text}containers: *a59\n"));
    assert_eq!((scanned.uses.len(), scanned.problems.len()), (1, 0));
    let chain: String =
        (1..500).map(|level| format!("  b{level}: &b{level} {{c: *b{}}}\n", level - 1)).collect();
    let (_, scanned) = scan(&format!(
        "=== a.yaml\napiVersion: v1\nkind: Pod\nmetadata:\n  b0: &b0 {{image: x}}\n{chain}spec: *b499\n"
    ));
    assert_eq!(scanned.problems.len(), 1);
}

#[test]
fn schemas_are_no_workloads() {
    check(
        "
=== crd.yaml
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
spec:
  versions:
  - schema:
      openAPIV3Schema:
        properties:
          containers: {items: {properties: {image: {type: string, default: nginx}}}}
          image: {type: string}
",
    );
}

#[test]
fn templates_leave_what_is_certain() {
    check(
        r#"
=== deploy.yaml
{{- if .Values.enabled }}
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .name }}}
spec:
  template:
    spec:
      {{- with .init }}
      initContainers: {{ toYaml . | nindent 8 }}
      {{- end }}
      containers:
      - name: a
        image: nginx:1
#              ^^^^^^^ container docker.io/library/nginx:1
      - name: b
        image: {{ .Values.image }}
#              ^^^^^^^^^^^^^^^^^^^ container unresolved (`{{ .Values.image }}` holds a template's marker, which is filled in before the build)
      - name: c
        image: "ghcr.io/acme/c:{{ .tag }}"
#               ^^^^^^^^^^^^^^^^^^^^^^^^^ container unresolved (`ghcr.io/acme/c:{{ .tag }}` holds a template's marker, which is filled in before the build)
      - name: d
        image: @IMAGE@
#              ^^^^^^^ container unresolved (`@IMAGE@` holds a template's marker, which is filled in before the build)
      - name: e
        image: ghcr.io/acme/e:${TAG}
#              ^^^^^^^^^^^^^^^^^^^^^ container partial ghcr.io/acme/e (`${TAG}` is filled in before this runs, and nothing here says with what)
{{- end }}
"#,
    );
}

#[test]
fn manifests_in_a_config_map_are_read_as_such() {
    check(
        r#"
=== map.yaml
apiVersion: v1
kind: ConfigMap
data:
  plain: "image: x"
  pod.yaml: |
    apiVersion: v1
    kind: Pod
    spec:
      containers:
      - image: nginx:1
#              ^^^^^^^ container docker.io/library/nginx:1 <- apiVersion: v1
  pod.json: '{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"image": "it''s", "name": "b"}, {"image": "redis:7"}]}}'
#                                                                                   ^^^^^ container invalid "it's" <- {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"image": "it''s", "name": "b"}, {"image": "redis:7"}]}}
#                                                                                                                    ^^^^^^^ container docker.io/library/redis:7 <- {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"image": "it''s", "name": "b"}, {"image": "redis:7"}]}}
"#,
    );
}

#[test]
fn argo_workflows_fill_in_their_parameters() {
    check(
        r#"
=== workflow.yaml
apiVersion: argoproj.io/v1alpha1
kind: Workflow
spec:
  entrypoint: main
  arguments:
    parameters:
    - {name: base, value: "docker.io/library/python"}
    - {name: tag, value: "3", enum: ["3", "4"]}
  templates:
  - name: main
    steps:
    - - name: one
        template: run
        arguments: {parameters: [{name: image, value: "{{item}}:1"}]}
        withItems: [alpine, debian]
    - - name: two
        template: run
        arguments: {parameters: [{name: image, value: "{{workflow.parameters.base}}:{{workflow.parameters.tag}}"}]}
  - name: run
    inputs: {parameters: [{name: image, default: busybox}]}
    container: {image: "{{inputs.parameters.image}}"}
#                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^ container docker.io/library/alpine:1 | docker.io/library/busybox | docker.io/library/debian:1 | docker.io/library/python:3 | docker.io/library/python:4 <- busybox* <- alpine <- {{item}}:1 <- debian <- docker.io/library/python <- 3 <- {{workflow.parameters.base}}:{{workflow.parameters.tag}} <- 3 <- 4
  - name: script
    script: {image: "python:{{inputs.parameters.none}}", source: "print()"}
#                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ container unresolved (`python:{{inputs.parameters.none}}` holds a template's marker, which is filled in before the build)
    sidecars: [{name: s, image: nginx}]
#                               ^^^^^ container docker.io/library/nginx
  - name: set
    containerSet: {containers: [{name: c, image: "golang:1"}]}
#                                                 ^^^^^^^^ container docker.io/library/golang:1
    initContainers: [{name: i, image: alpine}]
#                                     ^^^^^^ init-container docker.io/library/alpine
  - name: resource
    resource:
      action: create
      manifest: |
        apiVersion: v1
        kind: Pod
        spec: {containers: [{image: perl:5}]}
#                                   ^^^^^^ container docker.io/library/perl:5 <- apiVersion: v1
---
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
spec:
  workflowSpec:
    templates: [{name: a, container: {image: alpine}}]
#                                            ^^^^^^ container docker.io/library/alpine
"#,
    );
}

#[test]
fn argo_cd_rewrites_and_gives_values() {
    check(
        r#"
=== application.yaml
apiVersion: argoproj.io/v1alpha1
kind: Application
spec:
  source:
    kustomize:
      images:
      - nginx=ghcr.io/acme/nginx:1
#             ^^^^^^^^^^^^^^^^^^^^ container ghcr.io/acme/nginx:1
      - redis:7
#       ^^^^^^^ container docker.io/library/redis:7
    helm:
      values: |
        image:
          repository: ghcr.io/acme/app
#                     ^^^^^^^^^^^^^^^^ container ghcr.io/acme/app:2 <- ghcr.io/acme/app* <- 2 <- image:
          tag: "2"
      valuesObject:
        sidecar: {image: "busybox:1"}
#                         ^^^^^^^^^ container docker.io/library/busybox:1
"#,
    );
}

#[test]
fn tekton_fills_in_its_parameters() {
    check(
        r#"
=== task.yaml
apiVersion: tekton.dev/v1
kind: Task
spec:
  params:
  - {name: image, default: "golang:1"}
  - {name: open}
  stepTemplate: {image: "alpine:3"}
#                        ^^^^^^^^ container docker.io/library/alpine:3
  steps:
  - image: $(params.image)
#          ^^^^^^^^^^^^^^^ container docker.io/library/golang:1 <- golang:1*
  - image: ghcr.io/acme/x:$(params["open"])
#          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ container partial ghcr.io/acme/x (`params.open` has no default)
  - image: $(steps.a.results.image)
#          ^^^^^^^^^^^^^^^^^^^^^^^^ container unresolved (`$(steps.a.results.image)` is filled in before this runs, and nothing here says with what)
  sidecars: [{image: "docker:dind"}]
#                     ^^^^^^^^^^^ container docker.io/library/docker:dind
---
apiVersion: tekton.dev/v1
kind: PipelineRun
spec:
  params: [{name: base, value: "ghcr.io/acme"}]
  pipelineSpec:
    params: [{name: base, default: "quay.io/acme"}]
    tasks:
    - name: a
      params: [{name: image, value: "$(params.base)/a:1"}]
      taskSpec:
        params: [{name: image, default: "a:0"}]
        steps: [{image: $(params.image)}]
#                       ^^^^^^^^^^^^^^^ container docker.io/library/a:0 | ghcr.io/acme/a:1 | quay.io/acme/a:1 <- a:0* <- quay.io/acme <- $(params.base)/a:1 <- ghcr.io/acme
    - name: b
      taskRef:
        resolver: bundles
        params: [{name: bundle, value: "gcr.io/tekton/git:1"}, {name: name, value: git}]
#                                       ^^^^^^^^^^^^^^^^^^^ container gcr.io/tekton/git:1
    - {name: c, taskRef: {name: c, bundle: "gcr.io/tekton/c:1"}}
#                                           ^^^^^^^^^^^^^^^^^ container gcr.io/tekton/c:1
"#,
    );
}

#[test]
fn custom_resources_hold_pods_and_images() {
    check(
        r#"
=== many.yaml
apiVersion: serving.knative.dev/v1
kind: Service
spec: {template: {spec: {containers: [{image: a}]}}}
#                                             ^ container docker.io/library/a
---
apiVersion: kubevirt.io/v1
kind: VirtualMachine
spec: {template: {spec: {volumes: [{name: d, containerDisk: {image: "quay.io/x/fedora:1"}}]}}}
#                                                                    ^^^^^^^^^^^^^^^^^^ image-volume quay.io/x/fedora:1
---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
spec: {image: quay.io/prometheus/prometheus, thanos: {image: thanos}}
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ container quay.io/prometheus/prometheus
#                                                            ^^^^^^ container docker.io/library/thanos
---
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
spec: {imageName: ghcr.io/cloudnative-pg/postgresql:16}
#                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ container ghcr.io/cloudnative-pg/postgresql:16
---
apiVersion: pkg.crossplane.io/v1
kind: Provider
spec: {package: "xpkg.upbound.io/upbound/provider-aws:v1"}
#                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ container xpkg.upbound.io/upbound/provider-aws:v1
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
spec:
  values:
    image: {registry: ghcr.io, repository: acme/app, tag: 1.2.3}
#                                          ^^^^^^^^ container ghcr.io/acme/app:1.2.3 <- ghcr.io* <- acme/app <- 1.2.3
    proxy: {image: {repository: quay.io/acme/proxy}}
#                               ^^^^^^^^^^^^^^^^^^ container partial quay.io/acme/proxy (the tag is left to what reads this) <- quay.io/acme/proxy*
    redis: {enabled: true, repository: quay.io/acme/redis, tag: 8.6.2}
#                                      ^^^^^^^^^^^^^^^^^^ container quay.io/acme/redis:8.6.2 <- quay.io/acme/redis* <- 8.6.2
    source: {repository: "https://example.com/git", tag: v1}
    logo: {image: logo.png}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
spec: {images: [{name: nginx, newName: ghcr.io/acme/nginx, newTag: "1"}]}
#                                      ^^^^^^^^^^^^^^^^^^ container ghcr.io/acme/nginx:1 <- ghcr.io/acme/nginx* <- 1
---
apiVersion: example.com/v1
kind: Anything
spec:
  sidecarImage: busybox:1
#               ^^^^^^^^^ container docker.io/library/busybox:1
  extraInitContainers: [{image: i}]
#                               ^ init-container docker.io/library/i
  output: {image: "out:1"}
  newImage: "out:2"
"#,
    );
}

#[test]
fn functions_of_kustomize_stand_in_annotations() {
    check(
        "
=== transformer.yaml
apiVersion: example.com/v1
kind: Example
metadata:
  name: a
  annotations:
    config.kubernetes.io/function: |
      container:
        image: gcr.io/acme/function:v1
#              ^^^^^^^^^^^^^^^^^^^^^^^ container gcr.io/acme/function:v1 <- container:
",
    );
}

#[test]
fn openshift_templates_and_builds() {
    check(
        r#"
=== template.yaml
apiVersion: template.openshift.io/v1
kind: Template
parameters: [{name: TAG, value: "7"}, {name: NONE}]
objects:
- apiVersion: v1
  kind: Pod
  spec: {containers: [{image: "redis:${TAG}"}, {image: "${NONE}"}]}
#                              ^^^^^^^^^^^^ container docker.io/library/redis:7 <- 7
#                                                       ^^^^^^^ container unresolved (`NONE` has no default)
- apiVersion: build.openshift.io/v1
  kind: BuildConfig
  spec:
    output: {to: {kind: DockerImage, name: "quay.io/acme/out:1"}}
    strategy: {dockerStrategy: {from: {kind: DockerImage, name: "quay.io/acme/base:1"}}}
#                                                                ^^^^^^^^^^^^^^^^^^^ container quay.io/acme/base:1
"#,
    );
}

#[test]
fn what_only_looks_like_an_image() {
    check(
        r#"
=== others.yaml
apiVersion: skaffold/v4beta1
kind: Config
build: {artifacts: [{image: "gcr.io/acme/out"}]}
---
apiVersion: kyverno.io/v1
kind: ClusterPolicy
spec:
  rules:
  - match: {any: []}
    validate: {pattern: {spec: {containers: [{image: "!*:latest"}]}}}
  - mutate: {patchStrategicMerge: {spec: {containers: [{name: proxy, image: "proxy:1"}]}}}
#                                                                            ^^^^^^^ container docker.io/library/proxy:1
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageRepository
spec: {image: ghcr.io/acme/app}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1
kind: OpenStackMachineTemplate
spec: {template: {spec: {image: "ubuntu:22.04"}}}
---
apiVersion: v1
kind: Service
spec: {image: "x:1"}
---
apiVersion: v1
kind: Pod
spec: {containers: [{image: "ko://github.com/acme/app"}]}
=== openapi.yaml
openapi: 3.0.0
components: {schemas: {Pod: {properties: {apiVersion: {}, kind: {}, containers: [{image: x}]}}}}
"#,
    );
}

#[test]
fn escapes_hide_nothing() {
    check(
        r#"
=== a.yaml
"\x61piVersion": v1
"k\u0069nd": Pod
spec: {"contain\x65rs": [{"im\x61ge": "evil"}]}
#                                      ^^^^ container docker.io/library/evil
"#,
    );
}

#[test]
fn windows_line_ends_and_a_byte_order_mark() {
    let text = "\u{feff}apiVersion: v1\r\nkind: Pod\r\nspec:\r\n  containers:\r\n  - image: nginx:1\r\n    name: é\r\n  - image: redis\r\n";
    let mut scan = crate::scan::Scan::new([crate::source::RepoPath::new("a.yaml")]);
    for path in scan.wanted() {
        scan.feed(&path, crate::source::Content::Text(text.into()));
    }
    let raws: Vec<String> = scan.finish().uses.into_iter().map(|usage| usage.raw).collect();
    assert_eq!(raws, ["nginx:1", "redis"]);
}

/// The word `image` stands nowhere in it.
#[test]
fn a_helm_release_names_an_image_by_its_repository() {
    check(
        "
=== release.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
spec:
  chart: {spec: {chart: podinfo, version: '1'}}
  values:
    redis: {repository: quay.io/acme/redis, tag: 8.6.2}
#                       ^^^^^^^^^^^^^^^^^^ container quay.io/acme/redis:8.6.2 <- quay.io/acme/redis* <- 8.6.2
",
    );
}

/// A definition of a type is passed over without hiding what stands beside it.
#[test]
fn definitions_of_types_hide_nothing() {
    check(
        "
=== bundle.yaml
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
spec:
  image: no
---
apiVersion: v1
kind: Pod
spec: {containers: [{image: a}]}
#                           ^ container docker.io/library/a
--- # the last
kind: CustomResourceDefinition
apiVersion: apiextensions.k8s.io/v1
spec: {image: [}
",
    );
}

/// Values of a chart name images by their repositories, whoever gives them.
#[test]
fn values_of_an_argo_application_are_read_as_a_chart_does() {
    check(
        "
=== app.yaml
apiVersion: argoproj.io/v1alpha1
kind: Application
spec:
  source:
    helm:
      valuesObject:
        image: {registry: ghcr.io, repository: acme/app, tag: '1'}
#                                              ^^^^^^^^ container ghcr.io/acme/app:1 <- ghcr.io* <- acme/app <- 1
        exporter: {repository: acme/exporter, tag: '2'}
#                              ^^^^^^^^^^^^^ container docker.io/acme/exporter:2 <- acme/exporter* <- 2
",
    );
}
