//! The environment of `serve`, read once. Nothing else reads environment variables.
