//! Durations as people write them: `90s`, `15m`, `12h`, `30d`, `1h30m`.
//!
//! A bare number is refused: nobody remembers whether it meant seconds or minutes.

use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Ten years: beyond it a setting is a mistake, and sums with moments stay far from their end.
const MAX: u64 = 10 * 365 * 24 * 60 * 60;

/// Why a text is no duration.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("\"{0}\" is not a duration: write a number and a unit, as in 90s, 15m, 12h, 30d or 1h30m, up to 3650d")]
pub struct NotADuration(String);

/// Reads a duration; units go from days to seconds, each at most once.
///
/// # Errors
/// [`NotADuration`], with examples of what would be one.
pub fn parse(text: &str) -> Result<Duration, NotADuration> {
    seconds(text.trim()).map(Duration::from_secs).ok_or_else(|| NotADuration(text.chars().take(40).collect()))
}

fn seconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0_u64;
    let mut smallest = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let unit = match tail.chars().next()? {
            's' => 1,
            'm' => 60,
            'h' => 60 * 60,
            'd' => 24 * 60 * 60,
            _ => return None,
        };
        if unit >= smallest {
            return None;
        }
        smallest = unit;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        rest = tail.get(1..)?;
    }
    (smallest != u64::MAX && total <= MAX).then_some(total)
}

/// Writes a duration as [`parse`] reads it.
pub fn format(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [(24 * 60 * 60, 'd'), (60 * 60, 'h'), (60, 'm'), (1, 's')];
    let (size, unit) =
        units.into_iter().find(|(size, _)| seconds > 0 && seconds.is_multiple_of(*size)).unwrap_or((1, 's'));
    format!("{}{unit}", seconds / size)
}

/// A duration in the JSON schema of the settings.
pub struct Written;

impl JsonSchema for Written {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$", "examples": ["90s", "15m", "1h30m", "30d"]})
    }
}

/// A duration that may be left out.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Given(
    /// The duration.
    #[serde(with = "crate::config::duration")]
    #[schemars(with = "Written")]
    pub Duration,
);

pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*duration))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Number(f64),
    }
    let text = match Written::deserialize(deserializer)? {
        Written::Text(text) => text,
        Written::Number(number) => number.to_string(),
    };
    parse(&text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        for (text, expected) in [
            ("0s", Some(0)),
            ("90s", Some(90)),
            ("15m", Some(900)),
            ("12h", Some(43_200)),
            ("30d", Some(2_592_000)),
            ("1h30m", Some(5_400)),
            ("1d2h3m4s", Some(93_784)),
            (" 15m ", Some(900)),
            ("3650d", Some(MAX)),
            ("", None),
            ("15", None),
            ("m", None),
            ("15 m", None),
            ("15M", None),
            ("15min", None),
            ("-15m", None),
            ("+15m", None),
            ("1.5h", None),
            ("30m1h", None),
            ("1m1m", None),
            ("5ms", None),
            ("3651d", None),
            ("99999999999999999999s", None),
            ("18446744073709551615d", None),
            ("１５m", None),
            ("15m\0", None),
            ("∞", None),
        ] {
            assert_eq!(parse(text).ok().map(|duration| duration.as_secs()), expected, "{text}");
        }
        assert!(parse(&"9".repeat(1 << 16)).unwrap_err().to_string().len() < 200);
    }

    #[test]
    fn what_is_written_is_read_again() {
        for seconds in [0, 1, 59, 60, 90, 3600, 86_400, 93_784] {
            let duration = Duration::from_secs(seconds);
            assert_eq!(parse(&format(duration)), Ok(duration));
        }
        assert_eq!(format(Duration::from_mins(15)), "15m");
    }
}
