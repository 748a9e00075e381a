//! A claim with a value that is configured, of a type that is named.

use crate::json::push_string;
use std::{fmt, str::FromStr};
use tower_jwks::ConfigError;

/// The types that a configured claim can have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimType {
    /// `string`: a JSON string.
    #[default]
    String,
    /// `int`: a JSON number, 32 bits.
    Int,
    /// `long`: a JSON number, 64 bits.
    Long,
    /// `float`: a JSON number.
    Float,
    /// `bool`: `true` or `false`.
    Bool,
    /// `date`: a JSON string, `2026-01-31` or an RFC 3339 date and time.
    Date,
}

impl FromStr for ClaimType {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, ConfigError> {
        Ok(match name {
            "string" => Self::String,
            "int" => Self::Int,
            "long" => Self::Long,
            "float" => Self::Float,
            "bool" => Self::Bool,
            "date" => Self::Date,
            _ => {
                return Err(ConfigError::new(
                    "type",
                    format!("{name:?} is not string, int, long, float, bool or date"),
                ));
            }
        })
    }
}

/// The value of a claim that is configured, with its type.
///
/// ```
/// use tower_backend_jwt::{ClaimType, CustomClaim};
///
/// assert_eq!(CustomClaim::parse(ClaimType::Int, "7")?, CustomClaim::from(7));
/// assert_eq!(CustomClaim::parse(ClaimType::String, "7")?, CustomClaim::from("7"));
/// assert!(CustomClaim::parse(ClaimType::Bool, "1").is_err());
/// # Ok::<(), tower_jwks::ConfigError>(())
/// ```
///
/// Its `Debug` does not show the value.
#[derive(Clone, PartialEq, Eq)]
pub struct CustomClaim {
    /// Rendered once, here.
    json: Box<str>,
}

impl CustomClaim {
    /// Reads a value from text, as its type has it.
    ///
    /// # Errors
    ///
    /// It is not a value of that type.
    pub fn parse(kind: ClaimType, text: &str) -> Result<Self, ConfigError> {
        let not = |what: &'static str| ConfigError::new("value", format!("is not {what}"));
        match kind {
            ClaimType::String => Ok(text.into()),
            ClaimType::Int => text
                .parse::<i32>()
                .map(Self::from)
                .map_err(|_| not("an int, 32 bits")),
            ClaimType::Long => text
                .parse::<i64>()
                .map(Self::from)
                .map_err(|_| not("a long, 64 bits")),
            ClaimType::Float => text
                .parse::<f64>()
                .map_err(|_| not("a float"))
                .and_then(Self::try_from),
            // Other spellings of a truth value are read as true by one half of WSO2's gateway and
            // as false by the other.
            ClaimType::Bool => text
                .parse::<bool>()
                .map(Self::from)
                .map_err(|_| not("true or false")),
            ClaimType::Date if is_date(text) || is_date_time(text) => Ok(text.into()),
            ClaimType::Date => Err(not("a date: 2026-01-31, or 2026-01-31T12:00:00Z")),
        }
    }

    pub(crate) fn json(&self) -> &str {
        &self.json
    }
}

impl fmt::Debug for CustomClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomClaim").finish_non_exhaustive()
    }
}

impl From<&str> for CustomClaim {
    fn from(text: &str) -> Self {
        let mut json = String::with_capacity(text.len() + 2);
        push_string(&mut json, text);
        Self { json: json.into() }
    }
}

impl From<i32> for CustomClaim {
    fn from(number: i32) -> Self {
        i64::from(number).into()
    }
}

impl From<i64> for CustomClaim {
    fn from(number: i64) -> Self {
        Self {
            json: number.to_string().into(),
        }
    }
}

impl From<bool> for CustomClaim {
    fn from(value: bool) -> Self {
        Self {
            json: value.to_string().into(),
        }
    }
}

/// Fails for infinities and NaN, which JSON does not have.
impl TryFrom<f64> for CustomClaim {
    type Error = ConfigError;

    fn try_from(number: f64) -> Result<Self, ConfigError> {
        if !number.is_finite() {
            return Err(ConfigError::new("value", "is not a finite number"));
        }
        let json = serde_json::to_string(&number).expect("a finite number always serializes");
        Ok(Self { json: json.into() })
    }
}

/// `2026-01-31`: full-date of RFC 3339.
fn is_date(text: &str) -> bool {
    let [year, month, day] = text.splitn(3, '-').collect::<Vec<_>>()[..] else {
        return false;
    };
    let (Some(year), Some(month), Some(day)) = (digits(year, 4), digits(month, 2), digits(day, 2))
    else {
        return false;
    };
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// `2026-01-31T12:00:00.5+01:00`: date-time of RFC 3339.
fn is_date_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once(['T', 't']) else {
        return false;
    };
    let (clock, offset) = match time.strip_suffix(['Z', 'z']) {
        Some(clock) => (clock, None),
        None => match time.rfind(['+', '-']) {
            Some(sign) => (&time[..sign], Some(&time[sign + 1..])),
            None => return false,
        },
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let fields = |text: &str, last: [u32; 3]| {
        let fields: Vec<&str> = text.split(':').collect();
        let within = |(field, last): (&&str, &u32)| digits(field, 2).is_some_and(|n| n <= *last);
        (fields.len(), fields.iter().zip(&last).all(within))
    };
    is_date(date)
        // A leap second is a second.
        && fields(clock, [23, 59, 60]) == (3, true)
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
        && offset.is_none_or(|offset| fields(offset, [23, 59, 0]) == (2, true))
}

fn digits(text: &str, count: usize) -> Option<u32> {
    (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_as_its_type_is_in_json() {
        for (kind, text, json) in [
            (ClaimType::String, "a \"b\"", r#""a \"b\"""#),
            (ClaimType::Int, "-5", "-5"),
            (
                ClaimType::Long,
                "9223372036854775807",
                "9223372036854775807",
            ),
            (ClaimType::Float, "1.50", "1.5"),
            (ClaimType::Bool, "true", "true"),
            (ClaimType::Date, "2024-02-29", r#""2024-02-29""#),
            (
                ClaimType::Date,
                "2026-01-31T23:59:60.5+01:00",
                r#""2026-01-31T23:59:60.5+01:00""#,
            ),
        ] {
            assert_eq!(CustomClaim::parse(kind, text).unwrap().json(), json);
        }
    }

    #[test]
    fn a_value_that_is_not_of_its_type_is_refused() {
        for (kind, text) in [
            (ClaimType::Int, "2147483648"),
            (ClaimType::Int, "1.0"),
            (ClaimType::Int, ""),
            (ClaimType::Long, "9223372036854775808"),
            (ClaimType::Float, "inf"),
            (ClaimType::Float, "NaN"),
            (ClaimType::Float, "1e400"),
            (ClaimType::Bool, "1"),
            (ClaimType::Bool, "TRUE"),
            (ClaimType::Date, "2023-02-29"),
            (ClaimType::Date, "2023-13-01"),
            (ClaimType::Date, "31.01.2026"),
            (ClaimType::Date, "2026-01-31T24:00:00Z"),
            (ClaimType::Date, "2026-01-31T12:00Z"),
            (ClaimType::Date, "2026-01-31T12:00:00"),
            (ClaimType::Date, "2026-01-31T12:00:00.Z"),
        ] {
            assert!(CustomClaim::parse(kind, text).is_err(), "{kind:?} {text}");
        }
    }
}
