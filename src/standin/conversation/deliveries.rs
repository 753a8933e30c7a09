//! Webhook deliveries: they wait until they are sent, and can be lost, repeated and reordered before.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::unknown;
use crate::standin::Shared;
use crate::standin::Standin;
use crate::standin::StandinError;
use crate::standin::lock;
use crate::standin::webhook;
use crate::standin::webhook::Delivered;
use crate::standin::webhook::Delivery;
use crate::standin::webhook::Target;

/// GitHub waits this long for a receiver.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(10);

impl Standin {
    /// Where deliveries go from now on.
    pub fn deliver_to(&self, url: &str) {
        lock(&self.shared.target).url = url.to_owned();
    }

    /// Where deliveries go.
    #[must_use]
    pub fn webhook_url(&self) -> String {
        lock(&self.shared.target).url.clone()
    }

    /// The deliveries that wait, in the order of their events.
    #[must_use]
    pub fn waiting_deliveries(&self) -> Vec<Delivery> {
        lock(&self.shared.deliveries).waiting.clone()
    }

    /// Loses, repeats or reorders the deliveries that wait.
    pub fn rearrange_deliveries(&self, rearrange: impl FnOnce(&mut Vec<Delivery>)) {
        rearrange(&mut lock(&self.shared.deliveries).waiting);
    }

    /// Lets a delivery that was made before wait again, with the same GUID, as the redelivery button does.
    ///
    /// # Errors
    /// When no such delivery was ever made.
    pub fn redeliver(&self, guid: &str) -> Result<(), StandinError> {
        let mut deliveries = lock(&self.shared.deliveries);
        let found = deliveries.log.iter().find(|delivery| delivery.guid == guid).cloned();
        deliveries.waiting.push(found.ok_or_else(|| unknown("delivery", guid))?);
        Ok(())
    }

    /// The headers of a delivery that is sent by other means: name and value.
    #[must_use]
    pub fn delivery_headers(&self, delivery: &Delivery) -> Vec<(String, String)> {
        let secret = self.webhook_secret();
        webhook::headers(&secret, self.shared.app.id, delivery)
    }

    /// Sends every waiting delivery, one after the other.
    ///
    /// # Errors
    /// When no webhook address is set. A receiver that does not answer is no error, but a `Delivered` without a status.
    pub async fn deliver_all(&self) -> Result<Vec<Delivered>, StandinError> {
        let (target, waiting) = self.take_waiting()?;
        let mut delivered = Vec::new();
        for delivery in waiting {
            delivered.push(deliver(Arc::clone(&self.shared), target.clone(), delivery).await);
        }
        Ok(delivered)
    }

    /// Sends every waiting delivery at once; the results come in the order in which they ended.
    ///
    /// # Errors
    /// As [`Standin::deliver_all`].
    pub async fn deliver_all_at_once(&self) -> Result<Vec<Delivered>, StandinError> {
        let (target, waiting) = self.take_waiting()?;
        let mut sending = JoinSet::new();
        for delivery in waiting {
            sending.spawn(deliver(Arc::clone(&self.shared), target.clone(), delivery));
        }
        Ok(sending.join_all().await)
    }

    fn take_waiting(&self) -> Result<(Target, Vec<Delivery>), StandinError> {
        let target = lock(&self.shared.target).clone();
        if target.url.is_empty() {
            return Err(StandinError::NoWebhook);
        }
        Ok((target, std::mem::take(&mut lock(&self.shared.deliveries).waiting)))
    }
}

async fn deliver(shared: Arc<Shared>, target: Target, delivery: Delivery) -> Delivered {
    let status = tokio::select! {
        sent = webhook::send(&target, shared.app.id, &delivery) => sent.ok(),
        () = shared.clock.sleep(DELIVERY_TIMEOUT) => None,
    };
    let at_ms = shared.clock.now_ms();
    lock(&shared.deliveries).attempted(delivery.clone(), at_ms, status);
    let what = match delivery.action.as_str() {
        "" => delivery.event,
        action => format!("{}.{action}", delivery.event),
    };
    Delivered { guid: delivery.guid, what, status }
}
