//! `products/` of endoflife.date: for each product with images the end of its release
//! cycles. Products say themselves which images stand for them (`pkg:docker/…`); the
//! rest is mapped here by hand, never guessed from a name.

use std::collections::BTreeMap;

use anyhow::Context;
use anyhow::Result;
use fromguard_core::yaml;
use fromguard_core::yaml::Limits;
use fromguard_core::yaml::Node;

use super::Checkout;

/// Products that name no image, and the official images that are them. Their tags
/// begin with the release cycle.
const MAPPED: [(&str, &str); 38] = [
    ("almalinux", "almalinux"),
    ("alpine-linux", "alpine"),
    ("apache-cassandra", "cassandra"),
    ("apache-http-server", "httpd"),
    ("apache-maven", "maven"),
    ("arangodb", "arangodb"),
    ("azul-zulu", "azul-zulu"),
    ("centos", "centos"),
    ("debian", "debian"),
    ("eclipse-jetty", "jetty"),
    ("eclipse-temurin", "eclipse-temurin"),
    ("elasticsearch", "elasticsearch"),
    ("elixir", "elixir"),
    ("erlang", "erlang"),
    ("fedora", "fedora"),
    ("gradle", "gradle"),
    ("haproxy", "haproxy"),
    ("ibm-semeru", "ibm-semeru-runtimes"),
    ("influxdb", "influxdb"),
    ("joomla", "joomla"),
    ("jruby", "jruby"),
    ("julia", "julia"),
    ("kibana", "kibana"),
    ("logstash", "logstash"),
    ("mediawiki", "mediawiki"),
    ("mongodb", "mongo"),
    ("neo4j", "neo4j"),
    ("nextcloud", "nextcloud"),
    ("nginx", "nginx"),
    ("perl", "perl"),
    ("php", "php"),
    ("rabbitmq", "rabbitmq"),
    ("redmine", "redmine"),
    ("rocky-linux", "rockylinux"),
    ("sapmachine", "sapmachine"),
    ("solr", "solr"),
    ("tomcat", "tomcat"),
    ("ubuntu", "ubuntu"),
];

/// Distributions whose releases are tagged by code name too: `debian:buster`, `ubuntu:focal`.
const CODENAMED: [&str; 2] = ["debian", "ubuntu"];

/// What stands before an image that a product names itself.
const DOCKER_PURL: &str = "pkg:docker/";

/// The text of `end-of-life.json`.
pub(super) fn catalogue(checkout: &Checkout) -> Result<String> {
    let mut lines = BTreeMap::new();
    for file in checkout.names("products")? {
        let Some(name) = file.strip_suffix(".md") else { continue };
        let mapped = MAPPED.iter().find(|(product, _)| *product == name).map(|(_, image)| *image);
        let text = checkout.file(&format!("products/{file}"))?;
        if mapped.is_none() && !text.contains(DOCKER_PURL) {
            continue;
        }
        lines.extend(product(name, mapped, &text)?.map(|line| (name.to_owned(), line)));
    }
    for (name, _) in MAPPED {
        lines.get(name).with_context(|| format!("there is no product {name}"))?;
    }
    let lines: Vec<String> = lines.into_values().collect();
    Ok(format!("{{\n{},\n\"products\": {{\n{}\n}}\n}}\n", checkout.origin(), lines.join(",\n")))
}

/// One product as one line; `None` when no image stands for it.
fn product(name: &str, mapped: Option<&str>, text: &str) -> Result<Option<String>> {
    let front = text.strip_prefix("---").and_then(|rest| rest.split("\n---").next());
    let front = front.with_context(|| format!("{name} has no front matter"))?;
    let read = yaml::read(front, Limits::default());
    let document = read.documents.first().with_context(|| format!("{name} is not YAML"))?;
    let root = document.root();
    let label = root.get("title").and_then(text_of).with_context(|| format!("{name} has no title"))?;
    let mut images: Vec<String> = mapped.map(|image| format!("library/{image}")).into_iter().collect();
    for identifier in items(root.get("identifiers")) {
        let Some(image) =
            identifier.get("purl").and_then(text_of).and_then(|purl| purl.strip_prefix(DOCKER_PURL))
        else {
            continue;
        };
        // What is on another registry says so behind a `?`.
        if image.matches('/').count() == 1
            && !image.contains('?')
            && !images.iter().any(|known| known == image)
        {
            images.push(image.to_owned());
        }
    }
    if images.is_empty() {
        return Ok(None);
    }
    let mut cycles = Vec::new();
    for release in items(root.get("releases")) {
        let Some(cycle) = release.get("releaseCycle").and_then(text_of) else { continue };
        let eol = match release.get("eol").and_then(text_of) {
            None | Some("false") => "false".to_owned(),
            Some("true") => "true".to_owned(),
            Some(day) => format!("{day:?}"),
        };
        let codename = release.get("codename").and_then(text_of).filter(|_| CODENAMED.contains(&name));
        let codename = codename.and_then(|codename| codename.split_whitespace().next());
        for tag in std::iter::once(cycle.to_owned()).chain(codename.map(str::to_lowercase)) {
            cycles.push(format!("[{tag:?}, {eol}]"));
        }
    }
    let images: Vec<String> = images.iter().map(|image| format!("{image:?}")).collect();
    let (images, cycles) = (images.join(", "), cycles.join(", "));
    Ok(Some(format!("{name:?}: {{\"label\": {label:?}, \"images\": [{images}], \"cycles\": [{cycles}]}}")))
}

fn items(node: Option<Node<'_>>) -> impl Iterator<Item = Node<'_>> {
    node.and_then(Node::sequence).into_iter().flat_map(|sequence| sequence.items())
}

fn text_of(node: Node<'_>) -> Option<&str> {
    node.scalar().map(|scalar| scalar.text)
}
