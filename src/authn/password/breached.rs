//! An operator's own list of stolen passwords, asked offline.
//!
//! S-028, PROTOCOL A1. The file is a Bloom filter over SHA-1 hashes, which is how such lists are published (one hash in hexadecimal on
//! a line, perhaps with `:COUNT` behind it); `symbolon password-list build` makes it. One password in ten thousand that was never stolen
//! is taken for one that was. Nothing about a password leaves this machine, and no file is held in memory: a look-up reads fourteen bytes.

use std::fs::File;
use std::io::{self, BufRead, Read as _, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use unicode_normalization::UnicodeNormalization as _;

use crate::protocol::secret::Secret;

/// What a file begins with: a name, then its layout's version.
const MAGIC: &[u8; 12] = b"SYMBLOOM\x01\0\0\0";
/// Magic, then bits and passwords as little-endian 64-bit numbers.
const HEADER: usize = 28;
/// Bits of the filter for each password, and bits that are set for each: one in ten thousand is found by mistake.
const BITS_EACH: u64 = 20;
const MARKS: u64 = 14;
/// The longest line that is read: a hash, a colon, a count.
const LONGEST_LINE: u64 = 100;

/// The file of an operator; opened anew for each look-up, so that it can be replaced or come back.
#[derive(Clone, Debug)]
pub struct BreachedList(PathBuf);

/// What a look-up found.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Lookup {
    /// It is (almost certainly) a stolen one.
    Listed,
    /// It is none of the list.
    NotListed,
    /// The list cannot be read.
    Unreadable,
}

/// What becomes of a password while the list cannot be read.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum WhenUnreadable {
    /// It is taken as if it were not on the list.
    Open,
    /// It is refused.
    Closed,
}

/// Why a list cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// A file.
    #[error("the list cannot be read or written")]
    Io(#[from] io::Error),
    /// A line of the source.
    #[error("line {0} is no SHA-1 hash: it takes 40 hexadecimal digits, alone or with :COUNT behind them")]
    Line(u64),
    /// A list without a line.
    #[error("the source holds no hash")]
    Empty,
    /// Not a file of this program.
    #[error("it was not made by `symbolon password-list build`, or is cut off")]
    NotAList,
    /// A list that this machine cannot hold while it is made.
    #[error("the list is too large for the memory of this machine; leave rare ones out with --at-least")]
    TooLarge,
}

impl BreachedList {
    /// The list in the file at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Whether `password` is on it.
    pub fn look_up(&self, password: &Secret) -> Lookup {
        match self.holds(&sha1(password)) {
            Ok(true) => Lookup::Listed,
            Ok(false) => Lookup::NotListed,
            Err(error) => {
                tracing::error!(file = %self.0.display(), %error, "the list of stolen passwords cannot be read");
                Lookup::Unreadable
            }
        }
    }

    /// How many passwords it is made of.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn count(&self) -> Result<u64, ListError> {
        Ok(self.open()?.2)
    }

    fn holds(&self, hash: &[u8; 20]) -> Result<bool, ListError> {
        let (file, bits, _) = self.open()?;
        for position in positions(hash, bits) {
            let mut byte = [0];
            file.read_exact_at(&mut byte, HEADER as u64 + position / 8)?;
            if byte[0] & (1 << (position % 8)) == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn open(&self) -> Result<(File, u64, u64), ListError> {
        let mut file = File::open(&self.0)?;
        let mut header = [0; HEADER];
        file.read_exact(&mut header).map_err(|_| ListError::NotAList)?;
        let (magic, numbers) = header.split_at(MAGIC.len());
        let (bits, count) = numbers.split_at(8);
        let number = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).map_err(|_| ListError::NotAList);
        let (bits, count) = (number(bits)?, number(count)?);
        if magic != MAGIC || bits == 0 || file.metadata()?.len() != HEADER as u64 + bits.div_ceil(8) {
            return Err(ListError::NotAList);
        }
        Ok((file, bits, count))
    }
}

/// Makes a list of the hashes in the file `source` that were seen `at_least` so often; returns how many.
///
/// # Errors
/// [`ListError`]; `to` is then left unfinished, and is no list.
pub fn build(source: &Path, to: &mut impl Write, at_least: u64) -> Result<u64, ListError> {
    let mut count = 0_u64;
    each(source, at_least, |_| count += 1)?;
    if count == 0 {
        return Err(ListError::Empty);
    }
    let bits = count.checked_mul(BITS_EACH).ok_or(ListError::TooLarge)?;
    let size = usize::try_from(bits.div_ceil(8)).map_err(|_| ListError::TooLarge)?;
    let mut filter = Vec::new();
    filter.try_reserve_exact(size).map_err(|_| ListError::TooLarge)?;
    filter.resize(size, 0_u8);
    each(source, at_least, |hash| {
        for position in positions(hash, bits) {
            if let Some(byte) = usize::try_from(position / 8).ok().and_then(|at| filter.get_mut(at)) {
                *byte |= 1 << (position % 8);
            }
        }
    })?;
    to.write_all(MAGIC)?;
    to.write_all(&bits.to_le_bytes())?;
    to.write_all(&count.to_le_bytes())?;
    to.write_all(&filter)?;
    Ok(count)
}

/// Calls `visit` with each hash.
fn each(source: &Path, at_least: u64, mut visit: impl FnMut(&[u8; 20])) -> Result<(), ListError> {
    let mut lines = io::BufReader::with_capacity(1 << 20, File::open(source)?);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        let (hash, seen) = parse(text).ok_or(ListError::Line(number))?;
        if seen >= at_least {
            visit(&hash);
        }
    }
    Ok(())
}

fn parse(line: &[u8]) -> Option<([u8; 20], u64)> {
    let text = std::str::from_utf8(line).ok()?;
    let (digits, seen) = match text.split_once(':') {
        Some((digits, seen)) => (digits, seen.trim().parse().ok()?),
        None => (text, u64::MAX),
    };
    if digits.len() != 40 {
        return None;
    }
    let mut hash = [0; 20];
    for (byte, pair) in hash.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some((hash, seen))
}

/// Where a hash leaves its marks: it is random, so two of its numbers give all of them (Kirsch and Mitzenmacher).
fn positions(hash: &[u8; 20], bits: u64) -> impl Iterator<Item = u64> {
    let number = |from: usize| {
        let bytes = hash.get(from..from + 8).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
        u64::from_le_bytes(bytes)
    };
    let (first, step) = (number(0), number(8) | 1);
    (0..MARKS).map(move |mark| first.wrapping_add(step.wrapping_mul(mark)) % bits)
}

fn sha1(password: &Secret) -> [u8; 20] {
    let normal = zeroize::Zeroizing::new(password.expose().nfc().collect::<String>());
    let mut hash = [0; 20];
    hash.copy_from_slice(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, normal.as_bytes()).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn hexadecimal(password: &str) -> String {
        sha1(&Secret::from(password)).iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02X}");
            text
        })
    }

    fn list(folder: &Path, source: &str, at_least: u64) -> Result<BreachedList, ListError> {
        let (text, path) = (folder.join("source.txt"), folder.join("list"));
        std::fs::write(&text, source)?;
        build(&text, &mut File::create(&path)?, at_least)?;
        Ok(BreachedList::new(path))
    }

    #[test]
    fn what_is_listed_is_found_and_little_else() {
        let folder = tempfile::tempdir().unwrap();
        let stolen: Vec<String> = (0..2_000).map(|number| format!("stolen {number}")).collect();
        let lines: Vec<String> = stolen.iter().map(|password| format!("{}:3\r\n", hexadecimal(password))).collect();
        let source = lines.concat();
        let list = list(folder.path(), &source, 2).unwrap();
        assert_eq!(list.count().unwrap(), 2_000);
        assert!(stolen.iter().all(|password| list.look_up(&Secret::from(password.as_str())) == Lookup::Listed));
        let mistakes = (0..20_000)
            .filter(|number| list.look_up(&Secret::from(format!("own {number}").as_str())) != Lookup::NotListed)
            .count();
        assert!(mistakes <= 12, "{mistakes} of 20000 were found by mistake");
    }

    #[test]
    fn rare_ones_may_be_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let source = format!("{}:1\n\n{}:900\n{}\n", hexadecimal("rare"), hexadecimal("frequent"), hexadecimal("bare"));
        let list = list(folder.path(), &source, 100).unwrap();
        let found = ["rare", "frequent", "bare"].map(|password| list.look_up(&Secret::from(password)));
        assert_eq!(found, [Lookup::NotListed, Lookup::Listed, Lookup::Listed]);
    }

    #[test]
    fn what_is_no_list_is_not_taken_for_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        let look_up = || BreachedList::new(&path).look_up(&Secret::from("x"));
        assert_eq!(look_up(), Lookup::Unreadable);
        for bytes in [&b""[..], b"SYMBLOOM", &[0; 200], b"SYMBLOOM\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(look_up(), Lookup::Unreadable);
        }
        assert!(matches!(list(folder.path(), "", 0), Err(ListError::Empty)));
        let hash = hexadecimal("x");
        for (source, line) in [
            ("x", 1),
            (&*format!("{hash}\n{hash}0"), 2),
            (&format!("{hash}:many"), 1),
            (&format!("{hash}:1:2"), 1),
            (&"0".repeat(1_000), 1),
            (&"ü".repeat(20), 1),
        ] {
            assert!(matches!(list(folder.path(), source, 0), Err(ListError::Line(at)) if at == line), "{source}");
        }
        let whole = list(folder.path(), &hash, 0).unwrap();
        assert_eq!(whole.look_up(&Secret::from("x")), Lookup::Listed);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(whole.look_up(&Secret::from("x")), Lookup::Unreadable, "cut off");
    }
}
