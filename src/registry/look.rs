//! A look at an image that stands somewhere, without anybody who judges: what it stands
//! for, whether a pin beside its tag still holds, its publisher's badge. As the operator may:
//! what a policy lists under `contact` is not asked.

use fromguard_core::image::ImageRef;
use fromguard_core::image::normal_host;
use fromguard_core::trust::Badge;
use fromguard_core::trust::Found;
use fromguard_core::trust::Learnt;
use fromguard_core::trust::Look;
use fromguard_core::trust::namespace;

use super::error::Error;
use super::facts::Facts;
use super::inquiry::Asking;

impl Facts {
    /// Looks at an image.
    pub(super) async fn look(&self, image: &ImageRef) -> Look {
        let asking = Asking { contact: Vec::new(), private: true };
        let digest = match self.stands_for(image, &asking).await {
            Ok(digest) => Found::Is(digest),
            Err(Error::NotFound) => Found::Gone,
            Err(_) => Found::NotKnown,
        };
        let pin_holds = match (&image.digest, &image.tag) {
            (Some(pin), Some(_)) => match self.tag(image, &asking).await {
                Learnt::Known(fact) => Some(fact.value.digest == *pin || fact.value.children.contains(pin)),
                Learnt::NotAsked | Learnt::Unavailable(_) => None,
            },
            _ => None,
        };
        // Whether a pin holds is not known: neither is what that means for the tag.
        let digest = match (image.tag.is_some() && image.digest.is_some(), pin_holds) {
            (true, None) if matches!(digest, Found::Is(_)) => Found::NotKnown,
            _ => digest,
        };
        Look { digest, pin_holds, badge: self.look_at_badge(image).await }
    }

    async fn look_at_badge(&self, image: &ImageRef) -> Found<Badge> {
        let host = normal_host(&image.registry);
        let Some(namespace) = namespace(&host, &image.repository) else { return Found::NotKnown };
        match self.badge(namespace).await {
            Ok(kept) if kept.stale_because.is_none() => Found::Is(kept.value),
            Err(Error::NotFound) => Found::Gone,
            Ok(_) | Err(_) => Found::NotKnown,
        }
    }
}
