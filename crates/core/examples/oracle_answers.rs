//! Answers the questions of `tests/oracle`: one JSON document a line in, one
//! out, so that this reader can be compared with BuildKit's.

use std::io::BufRead;
use std::io::Write;

use fromguard_core::formats;
use fromguard_core::formats::Files;
use fromguard_core::image::ImageRef;
use fromguard_core::image::Role;
use fromguard_core::image::Target;
use fromguard_core::source::RepoPath;
use fromguard_core::source::SourceFile;
use serde_json::Value;
use serde_json::json;

fn main() -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let question: Value = serde_json::from_str(&line?).map_err(std::io::Error::other)?;
        let answer = match (question["dockerfile"].as_str(), question["ref"].as_str()) {
            (Some(text), _) => dockerfile(text),
            (None, Some(text)) => match ImageRef::parse(text) {
                Ok(image) => json!({"ref": image.to_string()}),
                Err(error) => json!({"error": error.to_string()}),
            },
            _ => json!(null),
        };
        writeln!(out, "{answer}")?;
    }
    out.flush()
}

/// Every use, with the reference that BuildKit would ask a registry for.
fn dockerfile(text: &str) -> Value {
    let path = RepoPath::new("Dockerfile");
    let Some(format) = formats::format_for(&path) else { return json!(null) };
    let file = SourceFile::new(path, text);
    let nothing = |_: &RepoPath| None;
    let found = format.extract(&file, &mut Files::new(&nothing));
    let uses: Vec<Value> = found
        .uses
        .iter()
        .filter(|usage| usage.role != Role::Frontend)
        .flat_map(|usage| {
            usage.targets.iter().map(|target| {
                let image = match target {
                    Target::Image(image) if image.tag.is_none() && image.digest.is_none() => {
                        Some(format!("{image}:latest"))
                    }
                    Target::Image(image) => Some(image.to_string()),
                    _ => None,
                };
                json!({
                    "role": usage.role.as_str(),
                    "reachable": usage.reachable,
                    "status": target.status(),
                    "image": image,
                })
            })
        })
        .collect();
    let frontend: Vec<&str> = found
        .uses
        .iter()
        .filter(|usage| usage.role == Role::Frontend)
        .map(|usage| usage.raw.as_str())
        .collect();
    let problems: Vec<String> = found
        .problems
        .iter()
        .map(|problem| format!("{}: {}", problem.code.as_str(), problem.message))
        .collect();
    json!({"uses": uses, "frontend": frontend.first(), "problems": problems})
}
