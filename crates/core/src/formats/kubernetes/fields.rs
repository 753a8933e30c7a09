//! What is known of kinds beyond the shape of pods: fields of custom resources that
//! hold an image by themselves, and fields that look like one and are something else.

use crate::image::ImageRef;

/// One of these words stands in every text that names an image.
pub(super) const SIGNS: &[&str] = &["image", "Image", "bundle", "package", "HelmRelease"];

/// What a kind is called: the group of `apiVersion` without its version, and `kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind<'n> {
    pub(super) group: &'n str,
    pub(super) name: &'n str,
}

impl<'n> Kind<'n> {
    pub(super) fn new(api_version: &'n str, name: &'n str) -> Kind<'n> {
        Kind { group: api_version.split_once('/').map_or("", |(group, _)| group), name }
    }

    /// Kubernetes' own kinds: their images stand in containers and volumes only.
    pub(super) fn is_builtin(self) -> bool {
        !self.group.contains('.') || self.group.ends_with(".k8s.io") && !self.group.ends_with(".x-k8s.io")
    }

    /// Whether a domain is that of the group, or ends it.
    fn of(self, domain: &str) -> bool {
        self.group.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// Describes types, forbids images or says where updates are looked for: nothing
    /// in it is run.
    pub(super) fn runs_nothing(self) -> bool {
        self.name == "CustomResourceDefinition"
            || self.name == "CompositeResourceDefinition"
            || ["image.toolkit.fluxcd.io", "templates.gatekeeper.sh", "constraints.gatekeeper.sh"]
                .iter()
                .any(|domain| self.of(domain))
            // Skaffold's and Garden's `image` is what they build.
            || self.group == "skaffold"
            || self.of("garden.io")
            || self.of("policy.sigstore.dev")
    }

    /// Whether a text under `image` outside of containers may be an image: those of
    /// machines are not.
    pub(super) fn has_loose_images(self) -> bool {
        !self.is_builtin()
            && !["cluster.x-k8s.io", "kops.k8s.io", "machine.openshift.io", "karpenter.sh", "kyverno.io"]
                .iter()
                .any(|domain| self.of(domain))
    }

    /// Whether it holds values of a chart.
    pub(super) fn holds_values(self) -> bool {
        self.name == "Values" || self.name == "HelmRelease"
    }

    /// Whether what stands under a key of this kind is no input: what a build puts
    /// out, what a policy compares with, what was observed.
    pub(super) fn hides(self, key: &str) -> bool {
        match key {
            "metadata" | "openAPIV3Schema" | "labels" | "annotations" | "matchLabels" => true,
            "output" | "outputs" | "destination" | "destinations" => !self.is_builtin(),
            "match" | "exclude" | "pattern" | "anyPattern" | "validate" | "verifyImages" | "deny"
            | "preconditions" | "conditions" => self.of("kyverno.io"),
            _ => false,
        }
    }

    /// Whether a field of this kind holds an image however it is written.
    pub(super) fn is_image(self, key: &str) -> bool {
        FIELDS.iter().any(|(domain, field)| *field == key && self.of(domain))
    }
}

/// Fields that hold an image by themselves: the group, or the domain that it ends
/// with, and the key.
const FIELDS: &[(&str, &str)] = &[
    ("agent.open-cluster-management.io", "image"),
    ("apps.kruise.io", "image"),
    ("argoproj.io", "image"),
    ("acid.zalan.do", "dockerImage"),
    ("camel.apache.org", "image"),
    ("ceph.rook.io", "image"),
    ("databases.spotahome.com", "image"),
    ("grafana.com", "image"),
    ("jaegertracing.io", "image"),
    ("k8s.elastic.co", "image"),
    ("k8s.mariadb.com", "image"),
    ("kafka.strimzi.io", "image"),
    ("kind.x-k8s.io", "image"),
    ("keda.sh", "image"),
    ("mariadb.com", "image"),
    ("monitoring.coreos.com", "image"),
    ("opensearch.opster.io", "image"),
    ("opentelemetry.io", "image"),
    ("operators.coreos.com", "image"),
    ("percona.com", "image"),
    ("pkg.crossplane.io", "package"),
    ("postgres-operator.crunchydata.com", "image"),
    ("postgresql.cnpg.io", "imageName"),
    ("postgresql.cnpg.io", "image"),
    ("rabbitmq.com", "image"),
    ("redis.redis.opstreelabs.in", "image"),
    ("sparkoperator.k8s.io", "image"),
    ("tekton.dev", "bundle"),
    ("k3d.io", "image"),
];

/// Whether a key may hold an image by its name: `image`, `baseImage`, `imageName`, and
/// not the name of one that is made.
pub(super) fn is_image_key(key: &str) -> bool {
    let Some(prefix) = key.strip_suffix("Image").or_else(|| (key == "image").then_some("")) else {
        return key == "imageName";
    };
    !["new", "output", "target", "destination", "dest", "push", "result", "built", "os", "vm", "disk"]
        .contains(&prefix)
}

/// Whether a text that may be an image is one: it names a tag, a digest or a host.
/// `ubuntu-22.04` may be a machine's, `logo.png` a picture.
pub(super) fn is_certain_reference(text: &str) -> bool {
    if text.contains("://") {
        return false;
    }
    let Ok(image) = ImageRef::parse(text) else { return false };
    let host = text.split_once('/').is_some_and(|(host, _)| host.contains(['.', ':']));
    image.tag.is_some() || image.digest.is_some() || host
}
