//! The reference grammar: whatever the text, it is judged, and the normal form
//! of a reference is its own normal form.

use fromguard_core::image::Digest;
use fromguard_core::image::ImageRef;
use fromguard_core::image::Target;
use fromguard_core::image::normal_host;

/// See the module.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let parsed = ImageRef::parse(&text);
    assert_eq!(matches!(Target::parse(&text), Target::Image(_)), parsed.is_ok());
    let _ = Digest::parse(&text);
    let image = match parsed {
        Ok(image) => image,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let written = image.to_string();
    assert_eq!(ImageRef::parse(&written).as_ref(), Ok(&image), "{written}");
    assert!(written.is_ascii() && !written.contains(char::is_whitespace), "{written}");
    assert!(written.starts_with(&image.name()));
    // What was written stands in the normal form, but for names of the default registry.
    let bare = |host| text.strip_prefix(host);
    let rest = bare("index.docker.io/").or_else(|| bare("docker.io/")).unwrap_or(&text);
    assert!(written.ends_with(rest), "{written}");
    let named = ImageRef { tag: None, digest: None, ..image.clone() };
    assert_eq!(ImageRef::parse(&image.name()), Ok(named));
    let host = normal_host(&image.registry);
    assert_eq!(normal_host(&host), host, "a normal host is its own normal form");
}
