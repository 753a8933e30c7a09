//! The HTTP server: the webhook receiver, health, metrics.
