//! Who stands behind an image: the bundled catalogues. Knows no policy.
