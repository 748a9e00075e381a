//! Times in words.

use tower_jwks::UnixTime;

/// `3d 2h`: as much as people want to know.
pub(crate) fn span(seconds: u64) -> String {
    let units = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    let first = units.iter().position(|(unit, _)| seconds >= *unit);
    let first = first.unwrap_or(units.len() - 1);
    let mut rest = seconds;
    let mut words = Vec::new();
    for (unit, name) in units.iter().skip(first).take(2) {
        let count = rest / unit;
        rest %= unit;
        if count > 0 || words.is_empty() {
            words.push(format!("{count}{name}"));
        }
    }
    words.join(" ")
}

/// `in 35m`, or `now`.
pub(crate) fn until(at: UnixTime, now: UnixTime) -> String {
    match at.saturating_since(now).as_secs() {
        0 => "now".to_owned(),
        seconds => format!("in {}", span(seconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_two_units_at_most() {
        for (seconds, words) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (61, "1m 1s"),
            (3600, "1h"),
            (3661, "1h 1m"),
            (86_400 + 59, "1d"),
            (90_000, "1d 1h"),
            (400 * 86_400, "400d"),
        ] {
            assert_eq!(span(seconds), words);
        }
    }

    #[test]
    fn what_is_past_is_now() {
        let now = UnixTime::from_secs(100);
        assert_eq!(until(UnixTime::from_secs(40), now), "now");
        assert_eq!(until(now, now), "now");
        assert_eq!(until(UnixTime::from_secs(130), now), "in 30s");
    }
}
