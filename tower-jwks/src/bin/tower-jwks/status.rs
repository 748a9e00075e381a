//! `tower-jwks status`.

use crate::{
    arguments::Failure,
    report::Report,
    ring::{Ring, now},
    words,
};
use serde_json::{Value, json};
use tower_jwks::{KeyRingStatus, KeyState, NextState, RingKeyStatus, UnixTime};

pub(crate) async fn run(ring: &Ring) -> Result<Report, Failure> {
    let status = ring.open().await?.status();
    Ok(Report {
        alarm: alarm(&status, now()),
        text: text(ring, &status, now()),
        json: in_json(ring, &status)?,
    })
}

/// That nothing signs, if nothing does, and until when.
pub(crate) fn alarm(status: &KeyRingStatus, now: UnixTime) -> Option<String> {
    if status.signs {
        return None;
    }
    let until = match next_signer(status) {
        Some((kid, at)) => format!("{kid} is to sign {}", words::until(at, now)),
        None => "and no key is to, until one of the processes has made one".to_owned(),
    };
    Some(format!("NOTHING SIGNS NOW: {until}"))
}

/// The key that is decided to sign next, and when.
pub(crate) fn next_signer(status: &KeyRingStatus) -> Option<(&str, UnixTime)> {
    let pending = status
        .keys
        .iter()
        .filter(|key| key.state == KeyState::Pending);
    let dated = pending.filter_map(|key| Some((key.kid.as_str(), key.next.as_ref()?.at?)));
    dated.min_by_key(|(_, at)| *at)
}

fn text(ring: &Ring, status: &KeyRingStatus, now: UnixTime) -> String {
    let epoch = status.epoch.unwrap_or_default();
    let mut lines = vec![format!(
        "{} keys in {}, epoch {epoch}{}",
        status.algorithm,
        ring.name(),
        match status.max_age {
            Some(age) => format!("; verifiers may keep them for {}", words::span(age)),
            None => String::new(),
        }
    )];
    let mut rows = vec![["KID", "STATE", "SINCE", "AGE", "NEXT"].map(str::to_owned)];
    rows.extend(status.keys.iter().map(|key| row(key, now)));
    let widths: [usize; 5] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    });
    for row in rows {
        let cells = row.iter().zip(widths);
        let line: String = cells
            .map(|(cell, width)| format!("{cell:width$}  "))
            .collect();
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

fn row(key: &RingKeyStatus, now: UnixTime) -> [String; 5] {
    let ago = |at: UnixTime| match now.saturating_since(at).as_secs() {
        0 => "now".to_owned(),
        seconds => format!("{} ago", words::span(seconds)),
    };
    [
        key.kid.clone(),
        key.state.to_string(),
        key.since.map_or_else(|| "-".to_owned(), ago),
        key.age.map_or_else(|| "-".to_owned(), words::span),
        key.next
            .as_ref()
            .map_or_else(String::new, |next| next_in_words(next, now)),
    ]
}

/// `active in 35m: …`
pub(crate) fn next_in_words(next: &NextState, now: UnixTime) -> String {
    let when = match next.at {
        // What is past is when it could have been at the earliest.
        Some(at) if at > now => format!(" {}", words::until(at, now)),
        _ => String::new(),
    };
    format!("{}{when}: {}", next.state, next.why)
}

fn in_json(ring: &Ring, status: &KeyRingStatus) -> Result<Value, Failure> {
    let mut json = serde_json::to_value(status).map_err(|error| ring.failed(error))?;
    json["directory"] = json!(ring.name());
    let keys = json["keys"].as_array_mut().into_iter().flatten();
    for key in keys.filter_map(Value::as_object_mut) {
        // They are of a process that signs and publishes.
        key.remove("tokens_signed");
        key.remove("fetchers");
    }
    Ok(json)
}
