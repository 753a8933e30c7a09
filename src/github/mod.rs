//! GitHub: App authentication, the API client, webhooks, fetching a change and
//! publishing a report. GitHub's JSON stops here.

pub mod event;
pub mod signature;
