//! When a certificate ends.
//!
//! RFC 5280 §4.1.2.5: `notAfter`, a `UTCTime` or a `GeneralizedTime`. Nothing else of a certificate is read here; TLS judges it.

use crate::protocol::numeric_date::NumericDate;

/// The last moment of a certificate in DER; `None` when it is none.
pub fn not_after(der: &[u8]) -> Option<NumericDate> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (mut rest, _) = element(certificate, SEQUENCE)?;
    if let Some((_version, after)) = element(rest, VERSION) {
        rest = after;
    }
    let (_serial, rest) = element(rest, INTEGER)?;
    let (_algorithm, rest) = element(rest, SEQUENCE)?;
    let (_issuer, rest) = element(rest, SEQUENCE)?;
    let (validity, _) = element(rest, SEQUENCE)?;
    let (_not_before, rest) = element(validity, UTC_TIME).or_else(|| element(validity, GENERALIZED_TIME))?;
    if let Some((time, _)) = element(rest, UTC_TIME) {
        // Years are two digits, from 1950 to 2049.
        let year = number(time.get(..2)?)?;
        return moment(if year < 50 { 2000 + year } else { 1900 + year }, time.get(2..)?);
    }
    let (time, _) = element(rest, GENERALIZED_TIME)?;
    moment(number(time.get(..4)?)?, time.get(4..)?)
}

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// `[0] EXPLICIT`.
const VERSION: u8 = 0xA0;

/// The content of the element of this tag at the beginning, and what follows it (X.690 §8.1).
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first()?;
    if *first != tag {
        return None;
    }
    let (length, rest) = if *length < 0x80 {
        (usize::from(*length), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(*length & 0x7F))?;
        let length =
            digits.iter().try_fold(0_usize, |sum, digit| sum.checked_mul(256)?.checked_add(usize::from(*digit)))?;
        (length, rest)
    };
    rest.split_at_checked(length)
}

fn number(digits: &[u8]) -> Option<i64> {
    std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|digit| digit.is_ascii_digit()))?.parse().ok()
}

/// `MMDDHHMMSSZ` of a year.
fn moment(year: i64, rest: &[u8]) -> Option<NumericDate> {
    let (digits, zone) = rest.split_at_checked(10)?;
    let mut parts = digits.chunks(2).map(number);
    let [month, day, hour, minute, second] = std::array::from_fn(|_| parts.next().flatten());
    let (month, day, hour, minute, second) = (month?, day?, hour?, minute?, second?);
    if zone != b"Z" || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    Some(NumericDate::from_seconds(days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second))
}

/// Days since 1970 of a date in the Gregorian calendar; a year is counted from March, so that a leap day ends it.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    before + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_counted() {
        for (year, month, day, expected) in
            [(1970, 1, 1, 0), (1969, 12, 31, -1), (2000, 2, 29, 11_016), (2000, 3, 1, 11_017), (2026, 11, 29, 20_786)]
        {
            assert_eq!(days(year, month, day), expected, "{year}-{month}-{day}");
        }
        assert_eq!(moment(2023, b"1114221320Z").map(NumericDate::seconds), Some(1_700_000_000));
        for bad in [&b"1314221320Z"[..], b"1114221320", b"11142213Z", b"1100221320Z", b"x114221320Z"] {
            assert_eq!(moment(2023, bad), None);
        }
    }

    #[test]
    fn a_certificate_says_when_it_ends() {
        for year in [2031, 2077] {
            let mut wanted = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
            wanted.not_after = rcgen::date_time_ymd(year, 3, 4);
            let made = wanted.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
            let expected = days(i64::from(year), 3, 4) * 86_400;
            assert_eq!(not_after(made.der()).map(NumericDate::seconds), Some(expected));
            let der = made.der();
            for length in 0..der.len() {
                // However it is cut off, nothing breaks.
                let _ = not_after(&der[..length]);
            }
        }
        assert_eq!(not_after(b""), None);
        assert_eq!(not_after(&[0x30, 0xFF]), None);
    }
}
