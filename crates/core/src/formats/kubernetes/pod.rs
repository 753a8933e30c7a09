//! The shape of what runs images: the keys under which containers stand.

use crate::image::Role;

/// The role of the items of a list, by the key that it stands under:
/// `containers`, `initContainers`, `extraContainers`, and Argo's and Tekton's names.
pub(in crate::formats) fn list_role(key: &str) -> Option<Role> {
    match key {
        "containers" | "sidecars" | "steps" | "buildSteps" => Some(Role::Container),
        "initContainers" => Some(Role::InitContainer),
        "ephemeralContainers" => Some(Role::EphemeralContainer),
        _ => {
            let prefix = key.strip_suffix("Containers")?;
            let init = prefix.ends_with("Init") || prefix.ends_with("init");
            Some(if init { Role::InitContainer } else { Role::Container })
        }
    }
}

/// The role of a map that is one container by itself, by the key that it stands under.
pub(super) fn single_role(key: &str) -> Option<Role> {
    match key {
        "container" | "script" | "stepTemplate" | "sidecar" | "containerTemplate" => Some(Role::Container),
        "initContainer" => Some(Role::InitContainer),
        "containerDisk" | "kernelBoot" => Some(Role::ImageVolume),
        _ => None,
    }
}
