//! `Forwarded`: who asked whom, as each proxy on the way writes it down.
//!
//! RFC 7239 §4, §6: a list of elements, each a list of pairs; `for` names an address (IPv6 in brackets and quotes, perhaps with a
//! port), `unknown`, or a name that the proxy made up. Only addresses are of use here.

use std::net::IpAddr;

/// The address of each element, in the order in which they stand; `None` where an element names none, or is damaged.
pub(super) fn addresses(header: &str) -> Vec<Option<IpAddr>> {
    split(header, ',').into_iter().map(element).collect()
}

fn element(element: &str) -> Option<IpAddr> {
    let mut found = None;
    for pair in split(element, ';') {
        let (name, value) = pair.split_once('=')?;
        if name.trim().eq_ignore_ascii_case("for") {
            // Each parameter occurs once at most (§4).
            if found.is_some() {
                return None;
            }
            found = Some(node(value.trim())?);
        }
    }
    found
}

/// `192.0.2.43`, `"192.0.2.43:47011"`, `"[2001:db8:cafe::17]:4711"` (§6).
fn node(value: &str) -> Option<IpAddr> {
    let value = match value.strip_prefix('"') {
        // Nothing that an address is written with needs an escape.
        Some(quoted) => quoted.strip_suffix('"').filter(|text| !text.contains(['"', '\\']))?,
        None => value,
    };
    if let Some(bracketed) = value.strip_prefix('[') {
        let (address, rest) = bracketed.split_once(']')?;
        let is_whole = rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port);
        return address.parse::<std::net::Ipv6Addr>().ok().filter(|_| is_whole).map(IpAddr::V6);
    }
    let address = match value.split_once(':') {
        Some((address, port)) if is_port(port) => address,
        Some(_) => return None,
        None => value,
    };
    address.parse::<std::net::Ipv4Addr>().ok().map(IpAddr::V4)
}

/// A number, or a name that hides one (`_port`).
fn is_port(port: &str) -> bool {
    let is_number = !port.is_empty() && port.len() <= 5 && port.bytes().all(|digit| digit.is_ascii_digit());
    is_number || (port.starts_with('_') && port.len() > 1)
}

/// Splits at a separator outside of quotes; empty pieces of a list are no elements (RFC 9110 §5.6.1).
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut pieces, mut start, mut is_quoted, mut is_escaped) = (Vec::new(), 0, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if letter == separator && !is_quoted => {
                pieces.push(text.get(start..at).unwrap_or_default());
                start = at + letter.len_utf8();
            }
            _ => {}
        }
    }
    pieces.push(text.get(start..).unwrap_or_default());
    pieces.into_iter().map(str::trim).filter(|piece| !piece.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_specification_are_read() {
        for (header, expected) in [
            ("for=\"_gazonk\"", &[None][..]),
            ("For=\"[2001:db8:cafe::17]:4711\"", &[Some("2001:db8:cafe::17")]),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", &[Some("192.0.2.60")]),
            ("for=192.0.2.43, for=198.51.100.17", &[Some("192.0.2.43"), Some("198.51.100.17")]),
            ("for=192.0.2.43, for=\"[2001:db8:cafe::17]\"", &[Some("192.0.2.43"), Some("2001:db8:cafe::17")]),
            ("for=\"192.0.2.43:47011\"", &[Some("192.0.2.43")]),
            ("for=unknown", &[None]),
            (
                "for=192.0.2.43,for=\"[2001:db8:cafe::17]\",for=unknown",
                &[Some("192.0.2.43"), Some("2001:db8:cafe::17"), None],
            ),
            ("proto=https;host=\"a,b;for=1.1.1.1\"", &[None]),
            ("host=\"x\\\",for=1.1.1.1\";for=192.0.2.1", &[Some("192.0.2.1")]),
            ("", &[]),
            (" , ,", &[]),
            ("for", &[None]),
            ("for=192.0.2.1;for=192.0.2.2", &[None]),
            ("for=[2001:db8::1]x", &[None]),
            ("for=2001:db8::1", &[None]),
            ("for=\"192.0.2.1", &[None]),
            ("for=192.0.2.1:123456", &[None]),
            ("for=☂", &[None]),
        ] {
            let expected: Vec<Option<IpAddr>> =
                expected.iter().map(|address| address.map(|text| text.parse().unwrap())).collect();
            assert_eq!(addresses(header), expected, "{header}");
        }
    }
}
