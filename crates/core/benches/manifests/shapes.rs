//! Inputs of 1 MiB for each format: ordinary ones that are large, and ones that
//! could cost more than their length.

use std::fmt::Write as _;
use std::sync::Arc;

use fromguard_core::source::MAX_FILE_BYTES;
use fromguard_core::source::RepoPath;

use crate::DEPLOYMENT;
use crate::Files;

/// Every shape: the format and what it is full of.
pub(crate) const NAMES: &[&str] = &[
    "compose services",
    "compose aliases",
    "compose merges",
    "compose merge-lists",
    "compose variables",
    "compose nested-variables",
    "compose arguments",
    "compose inline",
    "compose inlines",
    "compose caches",
    "compose extends",
    "compose contexts",
    "github-actions jobs",
    "github-actions steps",
    "github-actions aliases",
    "github-actions merges",
    "github-actions axes",
    "github-actions matrix",
    "github-actions include",
    "github-actions expressions",
    "github-actions nested",
    "github-actions long-expression",
    "github-actions env",
    "github-actions outputs",
    "github-actions builds",
    "github-actions scripts",
    "gitlab-ci jobs",
    "gitlab-ci extends",
    "gitlab-ci wide-extends",
    "gitlab-ci references",
    "gitlab-ci nested-references",
    "gitlab-ci variables",
    "gitlab-ci chained-variables",
    "gitlab-ci matrix",
    "gitlab-ci scripts",
    "gitlab-ci merges",
    "gitlab-ci aliases",
    "helm values",
    "helm images",
    "helm ranges",
    "helm nested-ranges",
    "helm includes",
    "helm include-bomb",
    "helm printf",
    "helm templates",
    "helm with-values",
    "kubernetes workloads",
    "kubernetes aliases",
    "kubernetes merges",
    "kubernetes strings",
    "kubernetes templates",
    "kubernetes parameters",
    "kubernetes calls",
    "kustomize images",
    "kustomize patches",
    "kustomize resources",
    "kustomize chain",
    "kustomize images-of-workloads",
];

fn limit() -> usize {
    usize::try_from(MAX_FILE_BYTES).unwrap_or(usize::MAX)
}

/// `start` and as many lines as make 1 MiB.
fn filled(start: &str, line: impl Fn(usize) -> String) -> String {
    filled_to(limit(), start, line)
}

fn filled_to(limit: usize, start: &str, line: impl Fn(usize) -> String) -> String {
    let mut text = start.to_owned();
    for index in 0.. {
        let line = line(index);
        if text.len() + line.len() > limit {
            break;
        }
        text.push_str(&line);
    }
    text
}

/// A mapping of `count` entries, to be merged.
fn entries(count: usize) -> String {
    let mut text = String::new();
    for at in 0..count {
        let _ = writeln!(text, "  k{at}: {{image: v}}");
    }
    text
}

/// The files of a shape.
pub(crate) fn shape(name: &str) -> Files {
    let (format, what) = name.split_once(' ').unwrap_or((name, ""));
    let files = match format {
        "compose" => vec![("compose.yaml".to_owned(), compose(what))],
        "github-actions" => vec![(".github/workflows/ci.yml".to_owned(), github_actions(what))],
        "gitlab-ci" => vec![(".gitlab-ci.yml".to_owned(), gitlab_ci(what))],
        "helm" => helm(what),
        "kubernetes" => vec![("a.yaml".to_owned(), kubernetes(what))],
        _ => kustomize(what),
    };
    files.into_iter().map(|(path, text)| (RepoPath::new(&path), Arc::from(text))).collect()
}

fn compose(what: &str) -> String {
    match what {
        "services" => filled("services:\n", |at| format!("  s{at}: {{image: 'a/b:{at}'}}\n")),
        "aliases" => filled("services:\n  s: {image: x}\nx-0: &a0 [{image: x}]\n", |at| {
            format!("x-{0}: &a{0} [*a{at}, *a{at}]\n", at + 1)
        }),
        "merges" => filled(&format!("x-base: &base\n{}services:\n", entries(20_000)), |at| {
            format!("  s{at}: {{<<: *base}}\n")
        }),
        "merge-lists" => filled(&format!("x-base: &base\n{}services:\n", entries(1_000)), |at| {
            format!("  s{at}: {{<<: [{}*base]}}\n", "*base, ".repeat(20))
        }),
        "variables" => filled("services:\n", |at| format!("  s{at}: {{image: '${{A:-a}}/b:${{B}}'}}\n")),
        "nested-variables" => {
            format!("services:\n  s: {{image: '{}x{}'}}\n", "${A:-".repeat(170_000), "}".repeat(170_000))
        }
        "arguments" => filled("services:\n  s:\n    build:\n      context: .\n      args:\n", |at| {
            format!("        A{at}: 'v${{B:-{at}}}'\n")
        }),
        "inline" => {
            filled("services:\n  s:\n    build:\n      dockerfile_inline: |\n        ARG A=a\n", |at| {
                format!("        FROM $$A:${{B:-{at}}}\n")
            })
        }
        "inlines" => filled("services:\n", |at| {
            format!("  s{at}: {{build: {{dockerfile_inline: \"FROM a:{at}\\nRUN true\\n\"}}}}\n")
        }),
        "caches" => filled("services:\n  s:\n    build:\n      context: .\n      cache_from:\n", |at| {
            format!("      - type=registry,ref=a/b:{at}\n")
        }),
        "extends" => filled("services:\n  s0: {image: a}\n", |at| {
            format!("  s{}: {{extends: {{service: s{at}}}}}\n", at + 1)
        }),
        _ => filled("services:\n  s:\n    build:\n      context: .\n      additional_contexts:\n", |at| {
            format!("        c{at}: docker-image://a:{at}\n")
        }),
    }
}

fn github_actions(what: &str) -> String {
    let job = "on: push\njobs:\n  a:\n    runs-on: x\n";
    match what {
        "jobs" => filled("on: push\njobs:\n", |at| {
            format!("  j{at}: {{runs-on: x, container: 'a:{at}', steps: [{{run: docker run b:{at}}}]}}\n")
        }),
        "steps" => filled(&format!("{job}    steps:\n"), |at| format!("    - uses: docker://a:{at}\n")),
        "aliases" => filled(&format!("{job}    container: a\nx0: &a0 [{{image: x}}]\n"), |at| {
            format!("x{0}: &a{0} [*a{at}, *a{at}]\n", at + 1)
        }),
        "merges" => filled(&format!("x: &base\n{}on: push\njobs:\n", entries(20_000)), |at| {
            format!("  j{at}: {{<<: *base}}\n")
        }),
        "axes" => {
            let image = "    container: a:${{ matrix.a0 }}-${{ matrix.a1 }}-${{ matrix.a2 }}\n";
            filled(&format!("{job}{image}    strategy:\n      matrix:\n"), |at| {
                format!("        a{at}: [1, 2, 3, 4]\n")
            })
        }
        "matrix" => {
            let image = "    container: a:${{ matrix.a }}-${{ matrix.b }}\n";
            let start =
                format!("{job}{image}    strategy:\n      matrix:\n        b: [1, 2, 3]\n        a:\n");
            filled(&start, |at| format!("        - v{at}\n"))
        }
        "include" => {
            let start = format!(
                "{job}    container: a:${{{{ matrix.a }}}}\n    strategy:\n      matrix:\n        a: [1, 2]\n        include:\n"
            );
            filled(&start, |at| format!("        - {{a: {at}, b: {at}}}\n"))
        }
        "expressions" => filled("on: push\nenv: {A: a}\njobs:\n", |at| {
            format!(
                "  j{at}: {{runs-on: x, container: \"${{{{ env.A }}}}:${{{{ github.ref && '1' || '{at}' }}}}\"}}\n"
            )
        }),
        "nested" => filled("on: push\njobs:\n", |at| {
            let (open, close) = ("format('{0}', ".repeat(12), ")".repeat(12));
            format!("  j{at}: {{runs-on: x, container: \"a:${{{{ {open}'1'{close} }}}}\"}}\n")
        }),
        "long-expression" => format!("{job}    container: ${{{{ '' {}}}}}\n", "|| '' ".repeat(170_000)),
        "env" => {
            let env = filled_to(limit() / 2, "on: push\nenv:\n  A0: a\n", |at| {
                format!("  A{}: ${{{{ env.A{at} }}}}\n", at + 1)
            });
            filled(&format!("{env}jobs:\n"), |at| {
                format!("  j{at}: {{runs-on: x, container: '${{{{ env.A{at} }}}}'}}\n")
            })
        }
        "outputs" => filled("on: push\njobs:\n  j0: {outputs: {o: a}}\n", |at| {
            format!(
                "  j{0}: {{needs: j{at}, outputs: {{o: '${{{{ needs.j{at}.outputs.o }}}}'}}, container: '${{{{ needs.j{at}.outputs.o }}}}'}}\n",
                at + 1
            )
        }),
        "builds" => filled(&format!("{job}    steps:\n"), |at| {
            format!(
                "    - {{uses: docker/build-push-action@v6, with: {{context: c{at}, build-args: 'A={at}'}}}}\n"
            )
        }),
        _ => filled(&format!("{job}    steps:\n    - run: |\n"), |at| format!("        docker run a:{at}\n")),
    }
}

fn gitlab_ci(what: &str) -> String {
    match what {
        "jobs" => filled("", |at| format!("j{at}: {{image: 'a:{at}', script: [x]}}\n")),
        "extends" => {
            filled(".j0: {image: a}\n", |at| format!(".j{0}: {{extends: .j{at}, script: [x]}}\n", at + 1))
        }
        "wide-extends" => {
            let mut base = String::from(".base:\n  image: a\n  variables:\n");
            for at in 0..2_000 {
                let _ = writeln!(base, "    V{at}: v");
            }
            filled(&base, |at| format!("j{at}: {{extends: [.base, .base], script: [x]}}\n"))
        }
        "references" => filled(".j0: {image: a, script: [x]}\n", |at| {
            format!(
                ".j{0}: {{image: !reference [.j{at}, image], script: [!reference [.j{at}, script]]}}\n",
                at + 1
            )
        }),
        "nested-references" => filled(".j0: {script: [x]}\n", |at| {
            format!(
                ".j{0}: {{script: [!reference [.j{at}, script], !reference [.j{at}, script]]}}\nk{0}: {{image: a, script: [!reference [.j{0}, script]]}}\n",
                at + 1
            )
        }),
        "variables" => {
            let start = filled_to(limit() / 2, "variables:\n", |at| format!("  V{at}: v{at}\n"));
            filled(&start, |at| format!("j{at}: {{image: 'a:$V{at}', script: [x]}}\n"))
        }
        "chained-variables" => {
            let start =
                filled_to(limit() / 2, "variables:\n  V0: a\n", |at| format!("  V{}: $V{at}\n", at + 1));
            filled(&start, |at| format!("j{at}: {{image: '$V{at}', script: [x]}}\n"))
        }
        "matrix" => filled("j:\n  image: a:$A\n  script: [x]\n  parallel:\n    matrix:\n", |at| {
            format!("    - A: [v{at}, w{at}]\n")
        }),
        "scripts" => filled("j:\n  script:\n", |at| format!("  - docker run a:{at}\n")),
        "merges" => filled(&format!(".base: &base\n{}", entries(20_000)), |at| {
            format!("j{at}: {{<<: *base, script: [x]}}\n")
        }),
        _ => filled("j: {image: a, script: [x]}\n.a0: &a0 [{image: x}]\n", |at| {
            format!(".a{0}: &a{0} [*a{at}, *a{at}]\n", at + 1)
        }),
    }
}

fn helm(what: &str) -> Vec<(String, String)> {
    let pod = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n";
    let values = "image: {repository: a/b, tag: '1'}\nlist: [a, b, c, d, e, f, g, h, i, j]\n";
    let image = "  - image: {{ .Values.image.repository }}:{{ .Values.image.tag }}\n";
    let mut helpers = String::new();
    let (values, template) = match what {
        "values" => (
            filled(values, |at| format!("k{at}: {{image: {{repository: a{at}, tag: t}}}}\n")),
            format!("{pod}{image}"),
        ),
        "images" => (values.to_owned(), filled(pod, |_| image.to_owned())),
        "ranges" => (
            values.to_owned(),
            filled(pod, |_| "  {{- range .Values.list }}\n  - image: {{ . }}\n  {{- end }}\n".to_owned()),
        ),
        "nested-ranges" => {
            let (open, close) = ("{{ range $.Values.list }}".repeat(8), "{{ end }}".repeat(8));
            (values.to_owned(), filled(pod, |_| format!("  {open}\n  - image: a:{{{{ . }}}}\n  {close}\n")))
        }
        "includes" => {
            helpers.push_str(
                "{{ define \"image\" }}{{ .Values.image.repository }}:{{ .Values.image.tag }}{{ end }}\n",
            );
            (values.to_owned(), filled(pod, |_| "  - image: {{ include \"image\" . }}\n".to_owned()))
        }
        "include-bomb" => {
            helpers = filled("{{ define \"i0\" }}a{{ end }}\n", |at| {
                format!(
                    "{{{{ define \"i{0}\" }}}}{{{{ include \"i{at}\" . }}}}{{{{ include \"i{at}\" . }}}}{{{{ end }}}}\n",
                    at + 1
                )
            });
            (values.to_owned(), format!("{pod}  - image: {{{{ include \"i60\" . }}}}\n"))
        }
        "printf" => (
            values.to_owned(),
            filled(pod, |_| {
                "  - image: {{ printf \"%s:%s\" (printf \"%s\" .Values.image.repository) (.Values.image.tag | default \"x\" | quote) }}\n".to_owned()
            }),
        ),
        "with-values" => (
            filled_to(limit() / 2, values, |at| format!("k{at}: {{image: {{repository: a{at}, tag: t}}}}\n")),
            filled_to(limit() / 2, pod, |at| {
                format!(
                    "  {{{{ with .Values.k{at} }}}}\n  - image: {{{{ .image.repository }}}}:{{{{ .image.tag }}}}\n  {{{{ end }}}}\n"
                )
            }),
        ),
        _ => {
            let count = 1_000;
            let mut files = vec![
                (
                    "c/Chart.yaml".to_owned(),
                    "apiVersion: v2\nname: c\nversion: '1'\nappVersion: '2'\n".to_owned(),
                ),
                ("c/values.yaml".to_owned(), values.to_owned()),
                (
                    "c/templates/_helpers.tpl".to_owned(),
                    "{{ define \"tag\" }}{{ .Values.image.tag }}{{ end }}\n".to_owned(),
                ),
            ];
            files.extend((0..count).map(|at| {
                let line = "  - image: {{ .Values.image.repository }}:{{ include \"tag\" . }}\n";
                (format!("c/templates/t{at}.yaml"), filled_to(limit() / count, pod, |_| line.to_owned()))
            }));
            return files;
        }
    };
    vec![
        ("c/Chart.yaml".to_owned(), "apiVersion: v2\nname: c\nversion: '1'\nappVersion: '2'\n".to_owned()),
        ("c/values.yaml".to_owned(), values),
        ("c/templates/_helpers.tpl".to_owned(), helpers),
        ("c/templates/pod.yaml".to_owned(), template),
    ]
}

fn kubernetes(what: &str) -> String {
    let object = "apiVersion: v1\nkind: Pod\n";
    match what {
        "workloads" => filled("", |_| format!("---\n{DEPLOYMENT}")),
        "aliases" => filled(&format!("{object}a0: &a0 [{{image: x}}]\n"), |at| {
            format!("a{0}: &a{0} [*a{at}, *a{at}]\n", at + 1)
        }),
        "merges" => filled(&format!("{object}base: &base\n{}containers:\n", entries(20_000)), |_| {
            "- {<<: *base}\n".to_owned()
        }),
        "strings" => filled("apiVersion: v1\nkind: ConfigMap\ndata:\n", |at| {
            format!(
                "  a{at}: |\n    apiVersion: v1\n    kind: Pod\n    spec: {{containers: [{{image: x}}]}}\n"
            )
        }),
        "templates" => filled(&format!("{object}spec:\n  containers:\n"), |at| {
            format!("  {{{{ if {at} }}}}\n  - image: {{{{ a }}}}\n  {{{{ end }}}}\n")
        }),
        "parameters" => filled(
            "apiVersion: tekton.dev/v1\nkind: Task\nspec:\n  params: [{name: p, default: q}]\n  steps:\n",
            |_| "  - image: a/$(params.p):$(params.p)\n".to_owned(),
        ),
        _ => filled(
            "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec:\n  templates:\n  - name: t\n    inputs: {parameters: [{name: p}]}\n    container: {image: '{{inputs.parameters.p}}'}\n  - name: main\n    steps:\n",
            |at| format!("    - - {{template: t, arguments: {{parameters: [{{name: p, value: a{at}}}]}}}}\n"),
        ),
    }
}

fn kustomize(what: &str) -> Vec<(String, String)> {
    let root = "kustomization.yaml".to_owned();
    let workloads = |limit: usize| filled_to(limit, "", |_| format!("---\n{DEPLOYMENT}"));
    match what {
        "images" => vec![(root, filled("images:\n", |at| format!("- {{name: a{at}, newTag: '1'}}\n")))],
        "patches" => vec![
            (
                root,
                filled("resources: [a.yaml]\npatches:\n", |at| {
                    format!(
                        "- target: {{kind: Deployment}}\n  patch: |\n    - {{op: replace, path: /spec/template/spec/containers/0/image, value: 'a:{at}'}}\n"
                    )
                }),
            ),
            ("a.yaml".to_owned(), workloads(32 * 1024)),
        ],
        "resources" => {
            let count = 500;
            let mut files = vec![(root, {
                let mut text = String::from("resources:\n");
                for at in 0..count {
                    let _ = writeln!(text, "- r{at}.yaml");
                }
                text
            })];
            files.extend((0..count).map(|at| (format!("r{at}.yaml"), workloads(limit() / count))));
            files
        }
        "chain" => (0..500)
            .map(|at| {
                let start = if at == 0 {
                    "images:\n".to_owned()
                } else {
                    format!("resources: [../k{}]\nimages:\n", at - 1)
                };
                let text = filled_to(limit() / 500, &start, |image| {
                    format!("- {{name: n{image}, newTag: '{at}'}}\n")
                });
                (format!("k{at}/kustomization.yaml"), text)
            })
            .collect(),
        _ => vec![
            (
                root,
                filled_to(limit() / 2, "resources: [a.yaml]\nimages:\n", |at| {
                    format!("- {{name: a{at}, newTag: '1'}}\n")
                }),
            ),
            ("a.yaml".to_owned(), workloads(limit() / 2)),
        ],
    }
}
