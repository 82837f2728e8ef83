//! The letters of text messages: what fits into one of 160.
//!
//! 3GPP TS 23.038 §6.2.1: the default alphabet has seven bits a letter; some letters take two places. A message with any other
//! letter has room for 70.

/// The default alphabet without its escape, as far as it is not ASCII.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Letters behind an escape: two places.
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// The places of one message.
pub const PLACES: usize = 160;

/// How many places `text` takes; `None` when it has a letter that is not in the alphabet.
pub fn places(text: &str) -> Option<usize> {
    text.chars().map(place).sum()
}

fn place(letter: char) -> Option<usize> {
    if BASIC.contains(letter) {
        Some(1)
    } else if EXTENDED.contains(letter) {
        Some(2)
    } else {
        None
    }
}

/// `text` in the letters of the alphabet and, where it begins long, shortened to one message. What must arrive whole stands at its
/// end: the last paragraph (the code for the browser) and a line with a link. A script of other letters stays as it is.
pub fn fit(text: &str) -> String {
    let written = spelt(text);
    if places(&written).is_none_or(|places| places <= PLACES) {
        return written;
    }
    let (words, tail) = split(&written);
    let Some(room) = places(tail).and_then(|taken| PLACES.checked_sub(taken + 3)) else { return written };
    let mut kept = String::new();
    let mut taken = 0;
    for letter in words.chars() {
        taken += place(letter).unwrap_or(1);
        if taken > room {
            break;
        }
        kept.push(letter);
    }
    // Not in the middle of a word.
    let kept = kept.rsplit_once(' ').map_or(kept.as_str(), |(whole, _)| whole);
    format!("{kept}...{tail}")
}

/// `text` in the letters of the alphabet, as long as it is.
pub fn spelt(text: &str) -> String {
    text.chars().flat_map(spell).collect()
}

/// The words, and what must arrive whole.
fn split(text: &str) -> (&str, &str) {
    let end = text.find("\n\n").unwrap_or(text.len());
    let link = ["\nhttps://", "\nhttp://"].iter().filter_map(|start| text.find(start)).min().unwrap_or(text.len());
    text.split_at(end.min(link))
}

/// Typographic letters as the alphabet has them; everything else as it is.
fn spell(letter: char) -> impl Iterator<Item = char> {
    let spelt = match letter {
        '’' | '‘' | '‚' => "'",
        '“' | '”' | '„' | '«' | '»' => "\"",
        '–' | '—' | '‑' => "-",
        '…' => "...",
        '\u{a0}' | '\u{202f}' | '\u{2009}' => " ",
        'ẞ' => "ß",
        _ => "",
    };
    let own = spelt.is_empty().then_some(letter);
    spelt.chars().chain(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_take_one_place_two_or_have_none() {
        for (text, taken) in [
            ("", Some(0)),
            ("Hello @host #123456", Some(19)),
            ("äöüßÄÖÜ", Some(7)),
            ("€", Some(2)),
            ("[a]", Some(5)),
            ("é", Some(1)),
            ("ê", None),
            ("’", None),
            ("привет", None),
        ] {
            assert_eq!(places(text), taken, "{text}");
        }
    }

    #[test]
    fn a_long_message_loses_words_and_never_its_end() {
        let end = "\n\n@login.example.com #123456";
        let long = format!("123456 is your code for {}.{end}", "the very long name of an “app” ".repeat(8));
        let fitted = fit(&long);
        assert!(places(&fitted).unwrap() <= PLACES && fitted.ends_with(end), "{fitted}");
        assert!(fitted.starts_with("123456 is your code for the very long name"), "{fitted}");
        let link = format!("\nhttps://login.example.com/recover?token={}", "x".repeat(43));
        let fitted = fit(&format!("{}{link}", "Words and ".repeat(12)));
        assert!(places(&fitted).unwrap() <= PLACES && fitted.ends_with(&link), "{fitted}");
    }

    #[test]
    fn typographic_letters_are_spelt_and_other_scripts_are_left_alone() {
        assert_eq!(fit("It’s “you” – …"), "It's \"you\" - ...");
        let other = "ваш код ".repeat(30);
        assert_eq!(fit(&other), other);
    }
}
