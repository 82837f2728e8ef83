//! The known word nearest to a mistyped one.
//!
//! Edit distance with transpositions (optimal string alignment).

/// The known word nearest to `word`, when it is near enough to be meant: a third of its letters may differ.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase().replace('-', "_");
    let (distance, nearest) = known.map(|known| (distance(&word, known), known)).min()?;
    let allowed = (word.chars().count().max(nearest.chars().count()) / 3).max(1);
    (distance <= allowed).then_some(nearest)
}

fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // Three rows: the one being filled, the one before it, and the one before that for transpositions.
    let mut older = vec![0; b.len() + 1];
    let mut old: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX - 1);
            let replaced = at(&old, j) + usize::from(x != y);
            let mut best = replaced.min(at(&old, j + 1) + 1).min(at(&row, j) + 1);
            let before =
                |letters: &[char], index: usize| index.checked_sub(1).and_then(|index| letters.get(index).copied());
            if before(&a, i) == Some(*y) && before(&b, j) == Some(*x) {
                best = best.min(at(&older, j - 1) + 1);
            }
            row.push(best);
        }
        older = std::mem::replace(&mut old, row);
    }
    old.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("listen", "listen", 0),
            ("lisetn", "listen", 1),
            ("kitten", "sitting", 3),
            ("ca", "ac", 1),
            ("ümlaut", "umlaut", 1),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }

    #[test]
    fn only_near_words_are_offered() {
        let known = ["issuer", "server", "database", "tokens", "access_lifetime"];
        for (word, expected) in [
            ("isuer", Some("issuer")),
            ("token", Some("tokens")),
            ("Access-Lifetime", Some("access_lifetime")),
            ("access_lifetme", Some("access_lifetime")),
            ("smtp", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known.into_iter()), expected, "{word}");
        }
        assert_eq!(nearest("issuer", std::iter::empty()), None);
    }
}
