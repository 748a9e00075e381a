//! The registered claims (RFC 7519 section 4.1), read strictly: absent, malformed and a value are
//! three things, and malformed is refused.

use crate::{
    json::{self, Object, Span},
    refusal::{Refusal, RefusalReason},
};
use serde::de::DeserializeOwned;
use std::{borrow::Cow, time::Duration};
use tower_jwks::UnixTime;

/// The claims that the checks are about.
pub(crate) const TYPED: [&str; 6] = ["iss", "aud", "exp", "nbf", "iat", "jti"];

/// Values, as JSON, of claims that name the kind of a token, for kinds that are no access tokens.
const OTHER_KINDS: [&str; 5] = [
    r#""ID""#,
    r#""Refresh""#,
    r#""Offline""#,
    r#""Logout""#,
    r#""id""#,
];

/// The last second of the year 9999: what is later was not counted in seconds.
const LAST: u64 = 253_402_300_799;

/// The registered claims of a token: times, and where in its claims the texts are.
#[derive(Debug)]
pub(crate) struct Registered {
    /// `None` if there is no such claim.
    pub(crate) audiences: Option<Box<[Span]>>,
    pub(crate) expires_at: UnixTime,
    pub(crate) not_before: Option<UnixTime>,
    pub(crate) issued_at: Option<UnixTime>,
    pub(crate) jti: Option<Span>,
}

impl Registered {
    pub(crate) fn read(claims: &mut Object) -> Result<Self, Refusal> {
        let (mut audiences, mut jti) = (None, None);
        let (mut expires_at, mut not_before, mut issued_at) = (None, None, None);
        for (name, span) in claims.spans() {
            let value = || claims.at(span);
            match name {
                "aud" => audiences = Some(span),
                "jti" => jti = Some(span),
                // Fractions are cut so that no token lives longer for them, and none is younger than it is to a
                // revocation.
                "exp" => expires_at = Some(numeric_date("exp", value(), f64::floor)?),
                "nbf" => not_before = Some(numeric_date("nbf", value(), f64::ceil)?),
                "iat" => issued_at = Some(numeric_date("iat", value(), f64::floor)?),
                // The subject may be mapped to another name; whatever its name, it is a text.
                "sub" => {
                    text("sub", value())?;
                }
                "cnf" => return Err(Refusal::new(RefusalReason::SenderConstrained)),
                // Only an ID token has these (OpenID Connect Core 3.1.3.6, 3.3.2.11), and only a
                // security event token has that (RFC 8417 section 2.2).
                "at_hash" | "c_hash" | "s_hash" | "events" => {
                    return Err(Refusal::new(RefusalReason::WrongType)
                        .with_detail(format!("it has {name}")));
                }
                // What the token's own issuer says it is, in the words of Keycloak and of Cognito.
                "typ" | "token_use" if OTHER_KINDS.contains(&value()) => {
                    return Err(Refusal::new(RefusalReason::WrongType)
                        .with_detail(format!("its {name} says so")));
                }
                _ => {}
            }
        }
        Ok(Self {
            audiences: match audiences {
                Some(value) => Some(audience(claims, value)?),
                None => None,
            },
            expires_at: expires_at.ok_or_else(|| missing("exp"))?,
            not_before,
            issued_at,
            jti: optional_text(claims, "jti", jti)?,
        })
    }

    /// Whether the token is valid at `now`, within `leeway` both ways.
    pub(crate) fn check_times(&self, now: UnixTime, leeway: Duration) -> Result<(), Refusal> {
        let reason = if self.expires_at.saturating_add(leeway) <= now {
            RefusalReason::Expired
        } else if self
            .not_before
            .is_some_and(|start| start > now.saturating_add(leeway))
        {
            RefusalReason::NotYetValid
        } else if self
            .issued_at
            .is_some_and(|issued| issued > now.saturating_add(leeway))
        {
            RefusalReason::IssuedInFuture
        } else if [self.not_before, self.issued_at]
            .into_iter()
            .flatten()
            .any(|start| start > self.expires_at)
        {
            return Err(malformed("exp"));
        } else {
            return Ok(());
        };
        Err(Refusal::new(reason))
    }
}

/// A claim that is a text, and not an empty one.
pub(crate) fn text<'a>(name: &str, value: &'a str) -> Result<Cow<'a, str>, Refusal> {
    json::text(value)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| malformed(name))
}

/// Where the text of a claim is that is a text, and not an empty one, if it is there.
pub(crate) fn optional_text(
    claims: &mut Object,
    name: &str,
    value: Option<Span>,
) -> Result<Option<Span>, Refusal> {
    let Some(value) = value else {
        return Ok(None);
    };
    let text = claims.text(value).filter(|text| !text.is_empty());
    text.map(Some).ok_or_else(|| malformed(name))
}

/// One string, and not an empty one, or an array of nothing but strings.
fn audience(claims: &mut Object, value: Span) -> Result<Box<[Span]>, Refusal> {
    if claims.at(value) == "\"\"" {
        return Err(malformed("aud"));
    }
    let audiences = claims.texts(value).ok_or_else(|| malformed("aud"))?;
    Ok(audiences.into())
}

/// A NumericDate (RFC 7519 section 2): a number, of seconds, that fits.
fn numeric_date(name: &str, value: &str, round: fn(f64) -> f64) -> Result<UnixTime, Refusal> {
    let seconds = match value.parse::<u64>() {
        Ok(seconds) => Some(seconds),
        // A fraction or an exponent. A string or a literal is no number, and a negative one is no
        // time that a token could have.
        Err(_) if value.starts_with(|first: char| first.is_ascii_digit()) => read::<f64>(value)
            .map(round)
            .filter(|seconds| (0.0..=LAST as f64).contains(seconds))
            .map(|seconds| seconds as u64),
        Err(_) => None,
    };
    seconds
        .filter(|seconds| *seconds <= LAST)
        .map(UnixTime::from_secs)
        .ok_or_else(|| malformed(name))
}

pub(crate) fn read<T: DeserializeOwned>(value: &str) -> Option<T> {
    serde_json::from_str(value).ok()
}

/// Names of claims are not secret; they come from another party, and are escaped.
pub(crate) fn malformed(name: &str) -> Refusal {
    Refusal::new(RefusalReason::MalformedClaim).with_detail(format!("{name:?}"))
}

pub(crate) fn missing(name: &str) -> Refusal {
    Refusal::new(RefusalReason::MissingClaim).with_detail(format!("{name:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numeric_date_is_a_number_of_seconds_that_fits() {
        let date = |value| {
            numeric_date("exp", value, f64::floor)
                .map(UnixTime::as_secs)
                .ok()
        };
        assert_eq!(date("0"), Some(0));
        assert_eq!(date("1700000000"), Some(1_700_000_000));
        assert_eq!(date("1700000000.9"), Some(1_700_000_000));
        assert_eq!(date("1.7e9"), Some(1_700_000_000));
        assert_eq!(date("4294967296"), Some(4_294_967_296));
        assert_eq!(date("253402300799"), Some(LAST));
        for value in [
            "-1",
            "-0.5",
            "1e300",
            "1700000000000",
            "9223372036854775808",
            "18446744073709551617",
            "\"1700000000\"",
            "true",
            "null",
            "[1700000000]",
            "{}",
        ] {
            assert_eq!(date(value), None, "{value}");
        }
    }

    #[test]
    fn a_fraction_never_makes_a_token_valid_longer() {
        let claims = br#"{"exp":10.9,"nbf":5.1,"iat":5.1}"#.to_vec();
        let registered = Registered::read(&mut Object::parse(claims).unwrap()).unwrap();
        assert_eq!(registered.expires_at.as_secs(), 10);
        assert_eq!(registered.not_before.unwrap().as_secs(), 6);
        assert_eq!(registered.issued_at.unwrap().as_secs(), 5);
    }

    #[test]
    fn leeway_goes_both_ways_and_ends_exactly_where_it_says() {
        let times = |exp, nbf, iat| Registered {
            audiences: None,
            expires_at: UnixTime::from_secs(exp),
            not_before: Some(UnixTime::from_secs(nbf)),
            issued_at: Some(UnixTime::from_secs(iat)),
            jti: None,
        };
        let leeway = Duration::from_secs(60);
        let at = |registered: &Registered, now| {
            registered
                .check_times(UnixTime::from_secs(now), leeway)
                .map_err(|refusal| refusal.reason())
        };
        let token = times(1000, 500, 400);
        assert_eq!(at(&token, 1059), Ok(()));
        assert_eq!(at(&token, 1060), Err(RefusalReason::Expired));
        assert_eq!(at(&token, 440), Ok(()));
        assert_eq!(at(&token, 439), Err(RefusalReason::NotYetValid));
        assert_eq!(
            at(&times(1000, 0, 500), 439),
            Err(RefusalReason::IssuedInFuture)
        );
        assert_eq!(
            at(&times(100, 0, 150), 100),
            Err(RefusalReason::MalformedClaim)
        );
        let forever = times(u64::MAX, 0, 0);
        assert!(
            forever
                .check_times(UnixTime::from_secs(1), Duration::MAX)
                .is_ok()
        );
    }
}
