//! Pictures that a phone reads.
//!
//! ISO/IEC 18004; PNG (ISO/IEC 15948) of one bit a pixel, in blocks that are not compressed: a picture of this size is a few kilobytes, and
//! needs no library for pictures.

use qrcode::render::svg;
use qrcode::{Color, EcLevel, QrCode};

/// Modules of quiet around the code.
const QUIET: usize = 4;
/// Pixels of a module in the PNG.
const SCALE: usize = 6;
/// The most bytes of a stored block of deflate (RFC 1951 §3.2.4).
const BLOCK: usize = 65_535;

/// A code in a picture.
pub struct Picture(QrCode);

impl Picture {
    /// The picture of `text`; `None` when it holds more than any code can.
    pub fn of(text: &str) -> Option<Self> {
        QrCode::with_error_correction_level(text, EcLevel::M).ok().map(Self)
    }

    /// An SVG element for a page: no prologue, and sizes that a style sheet may change.
    pub fn svg(&self) -> String {
        let whole = self.0.render::<svg::Color<'_>>().min_dimensions(240, 240).quiet_zone(true).build();
        whole.find("<svg").map_or(whole.clone(), |start| whole.split_at(start).1.to_owned())
    }

    /// A PNG.
    pub fn png(&self) -> Vec<u8> {
        let modules = self.0.width();
        let side = (modules + 2 * QUIET) * SCALE;
        let colors = self.0.to_colors();
        let is_dark = |x: usize, y: usize| {
            let (x, y) = ((x / SCALE).checked_sub(QUIET), (y / SCALE).checked_sub(QUIET));
            let inside = x.zip(y).filter(|(x, y)| *x < modules && *y < modules);
            inside.and_then(|(x, y)| colors.get(y * modules + x)).is_some_and(|color| *color == Color::Dark)
        };
        let mut rows = Vec::with_capacity(side * (side / 8 + 2));
        for y in 0..side {
            // Filter 0; a bit that is set is white.
            rows.push(0);
            for byte in 0..side.div_ceil(8) {
                let bits = (0..8).filter(|bit| !is_dark(byte * 8 + bit, y)).fold(0, |bits: u8, bit| bits | 0x80 >> bit);
                rows.push(bits);
            }
        }
        let side = u32::try_from(side).unwrap_or(u32::MAX).to_be_bytes();
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        chunk(&mut png, *b"IHDR", &[&side[..], &side[..], &[1, 0, 0, 0, 0]].concat());
        chunk(&mut png, *b"IDAT", &stored(&rows));
        chunk(&mut png, *b"IEND", &[]);
        png
    }
}

fn chunk(png: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    png.extend_from_slice(&u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    let checked = [&name[..], data].concat();
    png.extend_from_slice(&checked);
    png.extend_from_slice(&crc(&checked).to_be_bytes());
}

/// A zlib stream of stored blocks (RFC 1950, RFC 1951 §3.2.4).
fn stored(data: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let last = data.len().saturating_sub(1) / BLOCK;
    for (number, block) in data.chunks(BLOCK).enumerate() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        stream.push(u8::from(number == last));
        stream.extend_from_slice(&length.to_le_bytes());
        stream.extend_from_slice(&(!length).to_le_bytes());
        stream.extend_from_slice(block);
    }
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in data {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    stream.extend_from_slice(&(b << 16 | a).to_be_bytes());
    stream
}

/// CRC-32 as PNG has it.
fn crc(data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_specifications() {
        assert_eq!(crc(b"IEND"), 0xAE42_6082);
        assert_eq!(
            stored(b"Wikipedia").split_last_chunk::<4>().map(|(_, sum)| *sum),
            Some(0x11E6_0398_u32.to_be_bytes())
        );
    }

    #[test]
    fn a_picture_is_one_element_without_styles() {
        let picture = Picture::of("otpauth://totp/x:y?secret=ABC").unwrap();
        let svg = picture.svg();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>") && !svg.contains("style"), "{svg}");
        assert!(picture.png().starts_with(b"\x89PNG"));
        assert!(Picture::of(&"x".repeat(5_000)).is_none());
    }
}
