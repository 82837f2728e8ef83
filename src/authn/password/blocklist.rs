//! Passwords that everybody tries first.
//!
//! NIST SP 800-63B-4 §3.1.1.2: a list of values known to be commonly used. It is the list of `@zxcvbn-ts/language-common` (MIT; the
//! notice is in `common_passwords.LICENSE`), about 49 000 in lower case, sorted by its bytes and searched where it lies in the
//! program: it takes no memory until somebody asks, and no time at the start.

use unicode_normalization::UnicodeNormalization as _;

const LIST: &str = include_str!("common_passwords.txt");

/// True for a password of the list, whatever its case.
pub(super) fn is_common(password: &str) -> bool {
    let lowered: String = password.nfc().collect::<String>().to_lowercase();
    let (mut low, mut high) = (0, LIST.len());
    while low < high {
        let middle = low.midpoint(high);
        let (start, line) = line_at(middle);
        match line.as_bytes().cmp(lowered.as_bytes()) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = start + line.len() + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    false
}

/// The line that the byte at `position` is in, and where it begins.
fn line_at(position: usize) -> (usize, &'static str) {
    let bytes = LIST.as_bytes();
    let before = bytes.get(..position).unwrap_or_default();
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let rest = bytes.get(start..).unwrap_or_default();
    let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    (start, LIST.get(start..start + length).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_long() {
        let lines: Vec<&str> = LIST.lines().collect();
        assert!(lines.len() >= 20_000, "{}", lines.len());
        assert!(lines.windows(2).all(|pair| pair[0].as_bytes() < pair[1].as_bytes()));
        assert!(lines.iter().all(|line| !line.is_empty() && line.to_lowercase() == **line));
    }

    #[test]
    fn each_line_is_found_and_its_neighbours_are_not() {
        for line in LIST.lines().step_by(97).chain(LIST.lines().next()).chain(LIST.lines().last()) {
            assert!(is_common(line), "{line}");
            assert!(is_common(&line.to_uppercase()), "{line}");
            let longer = format!("{line}\u{1}");
            assert!(!is_common(&longer), "{longer}");
        }
        for other in ["", "\n", "correct horse battery staple", "~~~~~~~~~~", "\u{10ffff}"] {
            assert!(!is_common(other), "{other:?}");
        }
    }
}
