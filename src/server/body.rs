//! Reading a body within limits: of its size, of the time that it takes, and of
//! the memory that all bodies take together.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;

/// GitHub sends no larger payload:
/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap>.
pub(super) const BODY_MAX_BYTES: usize = 25 * 1024 * 1024;

/// What all bodies may take together: whoever connects can send a body, and its
/// signature is known to be wrong only at its end.
pub(super) const IN_MEMORY_MAX_BYTES: usize = 8 * BODY_MAX_BYTES;

/// GitHub gives a delivery 10 s; GitHub Enterprise Server 30 s.
const BODY_MAX_TIME: Duration = Duration::from_secs(30);

/// What is reserved at once for a body that says how long it is; a usual one is 24 KB.
const RESERVED_MAX_BYTES: usize = 64 * 1024;

/// A whole body, and its share of the memory.
pub(super) struct WholeBody {
    pub(super) bytes: Vec<u8>,
    _share: OwnedSemaphorePermit,
}

/// Why there is no whole body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoBody {
    /// It is over [`BODY_MAX_BYTES`].
    TooLarge,
    /// It took longer than [`BODY_MAX_TIME`].
    TooSlow,
    /// It broke off.
    Broken,
    /// Too much is in memory already.
    Busy,
}

/// Reads a body that says it has `announced` bytes.
pub(super) async fn read(
    body: Body,
    announced: Option<usize>,
    memory: &Arc<Semaphore>,
) -> Result<WholeBody, NoBody> {
    if announced.is_some_and(|announced| announced > BODY_MAX_BYTES) {
        return Err(NoBody::TooLarge);
    }
    let reserved = announced.unwrap_or(0).min(RESERVED_MAX_BYTES);
    let mut share = share_of(memory, reserved)?;
    let mut bytes = Vec::with_capacity(reserved);
    let mut body = body;
    let collect = async {
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| NoBody::Broken)?;
            let Ok(data) = frame.into_data() else { continue };
            let size_bytes = bytes.len() + data.len();
            if size_bytes > BODY_MAX_BYTES {
                return Err(NoBody::TooLarge);
            }
            if size_bytes > share.num_permits() {
                share.merge(share_of(memory, size_bytes - share.num_permits())?);
            }
            bytes.extend_from_slice(&data);
        }
        Ok(())
    };
    tokio::time::timeout(BODY_MAX_TIME, collect).await.map_err(|_| NoBody::TooSlow)??;
    Ok(WholeBody { bytes, _share: share })
}

fn share_of(memory: &Arc<Semaphore>, size_bytes: usize) -> Result<OwnedSemaphorePermit, NoBody> {
    let size_bytes = u32::try_from(size_bytes).map_err(|_| NoBody::TooLarge)?;
    Arc::clone(memory).try_acquire_many_owned(size_bytes).map_err(|_| NoBody::Busy)
}
