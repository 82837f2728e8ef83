//! What a passkey is called at first: its maker's name, by the AAGUID of its authenticator.
//!
//! W3C Web Authentication Level 3 §6.5.1 (AAGUID), §6.5.4 (attestation object). Without an attestation nobody vouches for it, and nothing
//! depends on it: it is a name, which its owner may change.

/// AAGUIDs of authenticators that many people have (passkeydeveloper/passkey-authenticator-aaguids).
const MAKERS: &[(&str, &str)] = &[
    ("fbfc30074e154ecc8c0b6e020557d7bd", "iCloud Keychain"),
    ("dd4ec289e01d41c9bb8970fa845d4bf2", "iCloud Keychain"),
    ("ea9b8d664d011d213ce4b6b48cb575d4", "Google Password Manager"),
    ("adce000235bcc60a648b0b25f1f05503", "Chrome on Mac"),
    ("08987058cadc4b81b6e130de50dcbe96", "Windows Hello"),
    ("9ddd1817af5a4672a2b93e3dd95000a9", "Windows Hello"),
    ("6028b017b1d44c02b4b3afcdafc96bb2", "Windows Hello"),
    ("53414d53554e47000000000000000000", "Samsung Pass"),
    ("bada5566a7aa401fbd9645619a55120d", "1Password"),
    ("d548826e79b4db40a3d811116f7e8349", "Bitwarden"),
    ("531126d6e717415c93203d9aa6981239", "Dashlane"),
    ("50726f746f6e5061737350726f746f6e", "Proton Pass"),
    ("fdb141b25d84443e8a354698c205a502", "KeePassXC"),
    ("0ea242b443c44a1b8b17dd6d0b6baec6", "Keeper"),
    ("b84e404815dc4dd08640f4f60813c8af", "NordPass"),
];

/// The name for a page that cannot tell.
const UNKNOWN: &str = "Passkey";
/// Where the AAGUID stands in authenticator data: after the hash, the flags and the counter.
const OFFSET: usize = 37;
/// Where the flags stand: after the hash.
const FLAGS: usize = 32;
/// The flag BE.
const BACKUP_ELIGIBLE: u8 = 0x08;

/// The name of who made an authenticator, from its attestation object.
pub(super) fn name(attestation_object: &[u8]) -> String {
    let aaguid = authenticator_data(attestation_object).and_then(|data| data.get(OFFSET..OFFSET + 16));
    let hex: String =
        aaguid.unwrap_or_default().iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(digit).collect();
    let maker = MAKERS.iter().find(|(known, _)| *known == hex);
    maker.map_or(UNKNOWN, |(_, name)| name).to_owned()
}

fn digit(number: u8) -> Option<char> {
    char::from_digit(u32::from(number), 16)
}

/// Whether a credential may be kept in more places than one: the flag BE of authenticator data (§6.1).
pub(super) fn is_backup_eligible(attestation_object: &[u8]) -> bool {
    let flags = authenticator_data(attestation_object).and_then(|data| data.get(FLAGS));
    flags.is_some_and(|flags| flags & BACKUP_ELIGIBLE != 0)
}

/// The byte string behind the key `authData` of the CBOR map.
fn authenticator_data(object: &[u8]) -> Option<&[u8]> {
    const KEY: &[u8] = b"\x68authData";
    let start = object.windows(KEY.len()).position(|window| window == KEY)? + KEY.len();
    match object.get(start..)? {
        [0x58, length, data @ ..] => data.get(..usize::from(*length)),
        [0x59, high, low, data @ ..] => data.get(..usize::from(u16::from_be_bytes([*high, *low]))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maker_is_known_by_its_number() {
        let object = |aaguid: [u8; 16]| {
            let data = [vec![0; OFFSET], aaguid.to_vec(), vec![0; 20]].concat();
            [b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec(), vec![73], data].concat()
        };
        let icloud = [0xfb, 0xfc, 0x30, 0x07, 0x4e, 0x15, 0x4e, 0xcc, 0x8c, 0x0b, 0x6e, 0x02, 0x05, 0x57, 0xd7, 0xbd];
        assert_eq!(name(&object(icloud)), "iCloud Keychain");
        assert_eq!(name(&object([0; 16])), UNKNOWN);
        let flagged = |flags: u8| {
            let data = [vec![0; FLAGS], vec![flags], vec![0; 40]].concat();
            [b"\x68authData\x58".to_vec(), vec![73], data].concat()
        };
        assert!(is_backup_eligible(&flagged(0x4D)) && !is_backup_eligible(&flagged(0x45)));
        for broken in [&b""[..], b"\x68authData", b"\x68authData\x58\xff", b"\x68authData\x58\x02ab"] {
            assert_eq!(name(broken), UNKNOWN);
            assert!(!is_backup_eligible(broken));
        }
        for (number, _) in MAKERS {
            assert_eq!(number.bytes().filter(u8::is_ascii_hexdigit).count(), 32, "{number}");
        }
    }
}
