//! What a template says to everybody who reads its language, written into its source before it is compiled.
//!
//! Most of a page is that: its labels, the addresses of its files, the parts that all pages include. Settled, it is one run of text that
//! is copied; asked for while a page is made, each of some thirty texts is a function to be looked up and called.
//!
//! `{{ t('sign-in') }}` becomes the text, `{{ asset('logo.svg') }}` the address of the file, `{% include "part/head.html" %}` the part.
//! A text with arguments or under a name that is put together stays, as does all that is written in another way: what is left says the
//! same, only slower, and a test compares the two.

/// Parts include parts no deeper than this; what goes around in circles is left to MiniJinja, which refuses it.
const DEPTH: usize = 8;
/// What a part may not hold to become part of another: `raw` says that tags are none, the others belong to a file of its own.
const APART: [&str; 5] = ["raw", "extends", "block", "macro", "import"];

/// What is known when a template is compiled.
pub(super) trait Known {
    /// The HTML of a text that takes no arguments.
    fn text(&self, key: &str) -> Option<String>;
    /// The name under which a file is served.
    fn asset(&self, name: &str) -> Option<String>;
    /// The source of a template.
    fn source(&self, name: &str) -> Option<String>;
}

/// The source of an HTML template, with all in it that is known.
pub(super) fn settled(source: &str, known: &impl Known) -> String {
    if has_tag(source, &["raw"]) { source.to_owned() } else { written(source, known, DEPTH) }
}

fn written(source: &str, known: &impl Known, depth: usize) -> String {
    let mut settled = String::with_capacity(source.len());
    let mut rest = source;
    while let Some((before, (open, inner, close), after)) = next_tag(rest) {
        settled.push_str(before);
        rest = after;
        if open == "{{"
            && let Some(text) = value(inner, known)
        {
            settled.push_str(&text);
        } else if open == "{%"
            && let Some(part) = part(inner, known, depth)
        {
            // As MiniJinja does with the line of a tag and the last line of a file.
            settled.truncate(settled.trim_end_matches([' ', '\t']).len());
            settled.push_str(&part);
            rest = rest.strip_prefix('\n').unwrap_or(rest);
        } else {
            settled.extend([open, inner, close]);
        }
    }
    settled + rest
}

/// What stands before the next tag, the tag, and what comes after it.
fn next_tag(source: &str) -> Option<(&str, (&str, &str, &str), &str)> {
    let tags = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")];
    let found = tags.iter().filter_map(|tag| Some((source.find(tag.0)?, tag)));
    let (start, (open, close)) = found.min_by_key(|(start, _)| *start)?;
    let (before, tag) = source.split_at(start);
    let (inner, after) = tag.strip_prefix(open)?.split_once(close)?;
    Some((before, (open, inner, close), after))
}

/// The text or file that an expression asks for, and nothing else.
fn value(expression: &str, known: &impl Known) -> Option<String> {
    let (function, argument) = expression.trim().strip_suffix(')')?.split_once('(')?;
    let argument = literal(argument)?;
    match function {
        // A text may quote what looks like a tag.
        "t" => known.text(argument).filter(|text| !text.contains('{')),
        "asset" => known.asset(argument).map(|name| format!("{{{{ frame.base }}}}/assets/{name}")),
        _ => None,
    }
}

/// The part that a tag includes.
fn part(tag: &str, known: &impl Known, depth: usize) -> Option<String> {
    let name = literal(tag.trim().strip_prefix("include ")?)?;
    let source = known.source(name).filter(|source| depth > 0 && !has_tag(source, &APART))?;
    let part = written(source.strip_suffix('\n').unwrap_or(&source), known, depth - 1);
    // What a part sets is its own.
    Some(if has_tag(&part, &["set"]) { format!("{{% with %}}{part}{{% endwith %}}") } else { part })
}

/// A name in quotes.
fn literal(quoted: &str) -> Option<&str> {
    let quoted = quoted.trim();
    let inner = |quote| quoted.strip_prefix(quote)?.strip_suffix(quote);
    let is_name = |name: &&str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte));
    inner('\'').or_else(|| inner('"')).filter(is_name)
}

/// Whether a source has one of these tags.
fn has_tag(source: &str, names: &[&str]) -> bool {
    let tags = source.split("{%").skip(1).map(|tag| tag.trim_start_matches(['-', '+']).trim_start());
    let mut first_words = tags.filter_map(|tag| tag.split(|character: char| !character.is_alphanumeric()).next());
    first_words.any(|word| names.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Few;

    impl Known for Few {
        fn text(&self, key: &str) -> Option<String> {
            match key {
                "hello" => Some("Hello <b>you</b>".into()),
                "braces" => Some("{{ x }}".into()),
                _ => None,
            }
        }

        fn asset(&self, name: &str) -> Option<String> {
            (name == "logo.svg").then(|| "logo-1.svg".into())
        }

        fn source(&self, name: &str) -> Option<String> {
            let source = match name {
                "part/a.html" => "<a>{{ t('hello') }}</a>\n",
                "part/sets.html" => "{% set x = 1 %}\n{{ x }}\n",
                "part/circle.html" => "({% include 'part/circle.html' %})",
                "part/raw.html" => "{% raw %}{{ t('hello') }}{% endraw %}",
                _ => return None,
            };
            Some(source.into())
        }
    }

    #[test]
    fn what_is_known_is_written_and_the_rest_stays() {
        for (source, expected) in [
            ("<p>{{ t('hello') }}</p>", "<p>Hello <b>you</b></p>"),
            ("{{t(\"hello\")}}", "Hello <b>you</b>"),
            ("{{ asset('logo.svg') }}", "{{ frame.base }}/assets/logo-1.svg"),
            ("{{ asset('none.svg') }}{{ t('none') }}", "{{ asset('none.svg') }}{{ t('none') }}"),
            ("{{ t('braces') }}", "{{ t('braces') }}"),
            ("{{ t('hello', name=x) }}", "{{ t('hello', name=x) }}"),
            ("{{ t('hel' ~ lo) }}", "{{ t('hel' ~ lo) }}"),
            ("{{ t('hello') | upper }}", "{{ t('hello') | upper }}"),
            ("{# {{ t('hello') }} #}", "{# {{ t('hello') }} #}"),
            ("{% raw %}{{ t('hello') }}{% endraw %}", "{% raw %}{{ t('hello') }}{% endraw %}"),
            ("  {% include \"part/a.html\" %}\n  b", "<a>Hello <b>you</b></a>  b"),
            ("{% include 'part/none.html' %}", "{% include 'part/none.html' %}"),
            ("{% include 'part/raw.html' %}", "{% include 'part/raw.html' %}"),
            ("{% include name %}", "{% include name %}"),
            ("{% include 'part/sets.html' %}", "{% with %}{% set x = 1 %}\n{{ x }}{% endwith %}"),
            ("{{ open", "{{ open"),
            ("{ {% if x %}{", "{ {% if x %}{"),
        ] {
            assert_eq!(settled(source, &Few), expected, "{source}");
        }
        assert!(settled("{% include 'part/circle.html' %}", &Few).ends_with(&")".repeat(DEPTH)));
    }
}
