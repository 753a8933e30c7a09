//! The App's webhook: where it leads, whether a server of ours is there with the same secret, and
//! how GitHub's own deliveries fare.

use std::collections::BTreeSet;

use crate::doctor::Line;
use crate::doctor::Subject;
use crate::doctor::app::Settings;
use crate::doctor::time;
use crate::doctor::unasked;
use crate::github::Attempt;
use crate::github::Error;
use crate::github::inspect::HookConfig;
use crate::github::ping;
use crate::github::ping::Pinged;

pub(super) async fn examine(
    subject: &Subject,
    settings: &Settings,
    hook: Result<HookConfig, Error>,
    attempts: Result<Vec<Attempt>, Error>,
    said: Option<&Error>,
) -> Vec<Line> {
    let mut lines = Vec::new();
    let arrives = matches!(&attempts, Ok(attempts) if attempts.first().is_some_and(Attempt::arrived));
    match &hook {
        Ok(hook) => match hook.url.as_deref().filter(|url| !url.is_empty()) {
            Some(url) => {
                config(hook, url, settings, subject, &mut lines);
                pings(url, subject, arrives, &mut lines).await;
            }
            None => lines.push(no_webhook(settings)),
        },
        // The App is known, so that it is the webhook that is not there.
        Err(Error::NotFound { .. }) if said.is_none() => lines.push(no_webhook(settings)),
        Err(error) => lines.push(unasked("webhook", "The App's webhook", error, said, subject)),
    }
    lines.push(match attempts {
        Ok(attempts) => deliveries(&attempts, settings),
        Err(error) => unasked("deliveries", "GitHub's log of deliveries", &error, said, subject),
    });
    lines
}

fn no_webhook(settings: &Settings) -> Line {
    Line::fail(
        "webhook",
        "The App has no webhook: GitHub tells fromguard nothing.",
        format!(
            "Make the webhook active at {} and set its URL to https://YOUR.HOST/webhook.",
            settings.page()
        ),
    )
}

fn config(hook: &HookConfig, url: &str, settings: &Settings, subject: &Subject, lines: &mut Vec<Line>) {
    let page = settings.page();
    let before = lines.len();
    if !hook.has_secret() {
        lines.push(Line::fail(
            "webhook",
            "GitHub does not sign what it delivers: the App has no webhook secret, and all of it is refused.",
            format!("Set the secret at {page} to that of FROMGUARD_WEBHOOK_SECRET."),
        ));
    }
    if hook.content_type.as_deref() == Some("form") {
        lines.push(Line::fail(
            "webhook",
            "GitHub delivers forms, which are refused.",
            format!("Set the webhook's content type at {page} to application/json."),
        ));
    }
    if hook.is_insecure() {
        lines.push(Line::warn(
            "webhook",
            "GitHub does not look at the certificate of the server that it delivers to.",
            format!("Enable SSL verification at {page}."),
        ));
    }
    // Where GitHub itself is spoken to in the clear, it is a test or a network of its own.
    if url.starts_with("http://") && subject.github.api_url.starts_with("https://") {
        lines.push(Line::warn(
            "webhook",
            format!("GitHub delivers to {url} in the clear: everybody on the way reads names and titles."),
            format!("Give the server a certificate and write https: at {page}."),
        ));
    }
    if lines.len() == before {
        lines.push(Line::ok("webhook", format!("GitHub delivers to {url}, signed, as JSON.")));
    }
}

/// Sends a ping with every secret. `arrives` says whether GitHub gets through: then it is no
/// failure that this machine does not.
async fn pings(url: &str, subject: &Subject, arrives: bool, lines: &mut Vec<Line>) {
    let secrets = &subject.webhook_secrets;
    let before = lines.len();
    for (at, secret) in secrets.iter().enumerate() {
        let which = match secrets.len() {
            1 => "FROMGUARD_WEBHOOK_SECRET".to_owned(),
            several => format!("secret {} of {several} in FROMGUARD_WEBHOOK_SECRET", at + 1),
        };
        match ping::ping(url, secret, subject.github.app_id, subject.github.timeouts).await {
            Pinged::Answered(200..=299) => {}
            Pinged::Answered(401) => lines.push(Line::fail(
                "ping",
                format!("The server at {url} refuses a ping signed with {which} (401): it runs with another secret."),
                "Start it with the secret that is set here, or run doctor with the server's environment.",
            )),
            Pinged::Answered(status) => {
                lines.push(other_answer(url, status));
                break;
            }
            Pinged::Unreachable(why) => {
                lines.push(unreachable(url, &why, arrives));
                break;
            }
        }
    }
    if lines.len() == before {
        let secrets = match secrets.len() {
            1 => "the webhook secret is its own".to_owned(),
            several => format!("it knows each of the {several} webhook secrets"),
        };
        lines.push(Line::ok("ping", format!("A server answers a signed ping there: {secrets}.")));
    }
}

fn other_answer(url: &str, status: u16) -> Line {
    let remedy = match status {
        503 => "It is not set up, or its database is down: look at its log and at /readyz.",
        502 | 504 => "The proxy there does not reach fromguard serve: start it, or mend the proxy.",
        300..=399 => {
            "GitHub follows no redirect: write the address that it leads to into the App's settings."
        }
        404 | 405 => "The address must end in /webhook, and a proxy before the server must pass that on.",
        _ => "See whether it is fromguard serve that answers there, and what its log says.",
    };
    Line::fail("ping", format!("The server at {url} answers a signed ping with {status}."), remedy)
}

fn unreachable(url: &str, why: &str, arrives: bool) -> Line {
    let message = format!("{url} cannot be reached from this machine: {why}.");
    if arrives {
        let remedy = "Nothing, if only GitHub is to reach it, whose last delivery arrived. Else run doctor where the \
                      server runs.";
        return Line::warn("ping", message, remedy);
    }
    let remedy = "Start fromguard serve, or mend the address and what stands before the server: name, firewall, \
                  proxy, certificate.";
    Line::fail("ping", message, remedy)
}

/// How the newest deliveries went, the newest first.
fn deliveries(attempts: &[Attempt], settings: &Settings) -> Line {
    let Some(newest) = attempts.first() else {
        return Line::warn(
            "deliveries",
            "GitHub has delivered nothing in the last days.",
            "Open a pull request where the App is installed, and run doctor again.",
        );
    };
    let at = format!("GitHub's last delivery ({}, {})", newest.event, time(newest.at_ms));
    let log = settings.deliveries();
    if !newest.arrived() {
        let (how, remedy) = match newest.status_code {
            401 => (
                "was refused (401): GitHub signs with another secret than the server knows".to_owned(),
                format!(
                    "Set the webhook secret at {} and FROMGUARD_WEBHOOK_SECRET of the server to the same.",
                    settings.page()
                ),
            ),
            // GitHub's log shows its own 502 and 504 where no answer came.
            status @ (0 | 502 | 504) => (
                format!("got no answer ({status})"),
                format!("Start the server, or let GitHub reach it; {log} shows what GitHub saw."),
            ),
            503 => (
                "was put off (503): the server is not set up, too busy, or without its database".to_owned(),
                "Look at the server's log and at /readyz.".to_owned(),
            ),
            status => (
                format!("was refused ({status})"),
                format!("See at {log} what was answered, and whether it was fromguard."),
            ),
        };
        return Line::fail("deliveries", format!("{at} {how}."), remedy);
    }
    let came: BTreeSet<&str> = attempts.iter().filter(|it| it.arrived()).map(|it| it.guid.as_str()).collect();
    let all: BTreeSet<&str> = attempts.iter().map(|it| it.guid.as_str()).collect();
    match all.len() - came.len() {
        0 if all.len() == 1 => Line::ok("deliveries", format!("{at} arrived.")),
        0 => Line::ok("deliveries", format!("{at} arrived, and so did the {} before it.", all.len() - 1)),
        lost => Line::warn(
            "deliveries",
            format!("{at} arrived; {lost} of the last {} did not.", all.len()),
            format!("Nothing: serve asks for them again within minutes while it runs. {log} shows them."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    fn judged(statuses: &[(&str, u16)]) -> (Level, String) {
        let attempt = |(guid, status): &(&str, u16)| Attempt {
            id: 1,
            guid: (*guid).to_owned(),
            at_ms: 0,
            status_code: *status,
            event: "push".to_owned(),
        };
        let attempts: Vec<Attempt> = statuses.iter().map(attempt).collect();
        let line = deliveries(&attempts, &Settings::of(None, "https://api.github.com"));
        (line.level, line.message)
    }

    #[test]
    fn a_delivery_that_arrived_later_is_not_lost() {
        let mended = judged(&[("b", 202), ("a", 202), ("a", 502)]);
        assert_eq!(mended.0, Level::Ok, "{}", mended.1);
        let lost = judged(&[("b", 202), ("a", 502), ("a", 502)]);
        assert_eq!(lost.0, Level::Warn);
        assert!(lost.1.ends_with("1 of the last 2 did not."), "{}", lost.1);
    }

    #[test]
    fn the_newest_decides_whether_deliveries_fail_now() {
        for (status, why) in [(401, "another secret"), (504, "no answer"), (503, "put off"), (404, "(404)")] {
            let (level, message) = judged(&[("b", status), ("a", 202)]);
            assert_eq!(level, Level::Fail);
            assert!(message.contains(why), "{message}");
        }
    }
}
