//! A person's picture: read, turned upright, made small and drawn anew.
//!
//! S-015; OWASP File Upload Cheat Sheet. Nothing of what was sent is kept but its pixels: no position, no camera, no comment, and nothing
//! that hides behind the picture. *Why a bound on sides before a pixel is read:* a few kilobytes can unfold to gigabytes.

use std::io::Cursor;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use crate::account::{AccountError, Accounts, Asking, Why};
use crate::edge::store::Beside;
use crate::model::avatar::Avatar;
use crate::model::event::EventName;
use crate::model::fault::Fault;
use crate::model::user::User;
use crate::protocol::oidc::claims::Profile;

/// The most bytes that are read.
pub const MAX_BYTES: usize = 1024 * 1024;
/// The types that are read.
pub const TYPES: &[&str] = &["image/png", "image/jpeg", "image/webp"];
/// The longest side that is read, in pixels.
const MAX_SIDE: u32 = 8192;
/// The most bytes that reading may take: a picture of 4096 by 4096 pixels, or as many in another form (16 million, more than a phone
/// takes by itself); with transparency, which takes a fourth byte, of 3547 by 3547.
const MAX_MEMORY: u64 = 48 * 1024 * 1024;
/// How many are drawn at a time in this process; others wait their turn, so that pictures never take all cores or all memory.
static DRAWING: Semaphore = Semaphore::const_new(2);
/// The longest side that is kept, in pixels.
const SIDE: u32 = 512;
/// Where pictures stand below the issuer.
pub const PATH: &str = "/avatars/";

/// The random bytes in a picture's name.
const NAME_BYTES: usize = 24;

/// Whether a text may be the name of a picture: [`NAME_BYTES`] in base64url. Nothing else is asked of a database.
pub fn is_name(text: &str) -> bool {
    URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == NAME_BYTES)
}

/// Whether a file that is said to be of this type is read.
pub fn is_read(content_type: &str) -> bool {
    TYPES.contains(&content_type)
}

/// A picture that was drawn anew.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Drawn {
    /// `image/png` or `image/jpeg`.
    pub content_type: &'static str,
    /// The picture.
    pub bytes: Vec<u8>,
}

/// Draws a picture anew; `None` for what is none of [`TYPES`], is damaged or has too many pixels.
///
/// It takes a core for a while, and [`MAX_MEMORY`] with as much again for what a decoder needs beside.
pub fn redrawn(bytes: &[u8]) -> Option<Drawn> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    // What a name or a header says is nothing to go by.
    reader.format().filter(|format| matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    if width.max(height) > MAX_SIDE || decoder.total_bytes() > MAX_MEMORY {
        return None;
    }
    let orientation = decoder.orientation().ok();
    let mut picture = DynamicImage::from_decoder(decoder).ok()?;
    if picture.width().max(picture.height()) > SIDE {
        picture = picture.thumbnail(SIDE, SIDE);
    }
    // Only now: turning makes a copy.
    if let Some(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    let mut out = Cursor::new(Vec::new());
    let content_type = if picture.color().has_alpha() {
        DynamicImage::from(picture.into_rgba8()).write_to(&mut out, ImageFormat::Png).ok()?;
        "image/png"
    } else {
        picture.into_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut out, 85)).ok()?;
        "image/jpeg"
    };
    Some(Drawn { content_type, bytes: out.into_inner() })
}

impl Accounts {
    /// Gives a person the picture in `bytes`; the person as they are afterwards, or `None` when it is no picture that is read.
    ///
    /// # Errors
    /// That the account may not be used; a fault of a store.
    pub async fn set_avatar(
        &self,
        user: &User,
        bytes: bytes::Bytes,
        asking: &Asking,
    ) -> Result<Option<Arc<User>>, AccountError> {
        let turn = DRAWING.acquire().await.map_err(|cause| Fault::internal("draw a picture").caused_by(cause))?;
        // The turn goes with the work: somebody who hangs up does not let a third one in.
        let drawn = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            redrawn(&bytes)
        });
        let drawn = drawn.await.map_err(|cause| Fault::internal("draw a picture").caused_by(cause))?;
        let Some(Drawn { content_type, bytes }) = drawn else { return Ok(None) };
        let random: [u8; NAME_BYTES] = self.edges.random.bytes();
        let avatar = Avatar {
            name: URL_SAFE_NO_PAD.encode(random),
            user: user.id,
            content_type: content_type.to_owned(),
            picture: bytes,
            created_at: self.now(),
        };
        let url = self.site.page(&format!("{PATH}{}", avatar.name));
        let name = avatar.name.clone();
        self.edges.store.add_avatar(avatar).await?;
        self.change_picture(user, Some(url), asking).await?;
        self.edges.store.drop_avatars(user.id, Some(name)).await?;
        let changed = self.edges.store.user(user.id).await?.ok_or(Why::NotFound)?;
        Ok(Some(changed))
    }

    /// Takes a person's picture away, wherever it stands.
    ///
    /// # Errors
    /// That the account may not be used; a fault of a store.
    pub async fn remove_avatar(&self, user: &User, asking: &Asking) -> Result<(), AccountError> {
        if user.profile.picture.is_some() {
            self.change_picture(user, None, asking).await?;
        }
        Ok(self.edges.store.drop_avatars(user.id, None).await?)
    }

    async fn change_picture(&self, user: &User, url: Option<String>, asking: &Asking) -> Result<(), AccountError> {
        let told = self.event_of(EventName::UserUpdated, user.id, asking).telling("fields", vec!["picture"]);
        let apply = move |profile: &mut Profile, _: &mut Map<String, Value>| profile.picture.clone_from(&url);
        let changed = self.edges.store.update_profile(user.id, &apply, self.now(), Beside::event(told)).await?;
        if changed { Ok(()) } else { Err(Why::AccountDisabled.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_that_could_have_been_given_is_looked_for() {
        assert!(is_name(&URL_SAFE_NO_PAD.encode([7; NAME_BYTES])));
        for hostile in ["", "a\0b", "../../etc/passwd", &"A".repeat(31), &"A".repeat(40), &"A".repeat(100_000)] {
            assert!(!is_name(hostile), "{}", hostile.len());
        }
    }

    fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        picture.write_to(&mut out, format).unwrap();
        out.into_inner()
    }

    #[test]
    fn pictures_are_small_and_of_a_kind_that_is_shown() {
        let wide = DynamicImage::new_rgb8(1024, 256);
        let clear = DynamicImage::new_rgba8(64, 64);
        for (picture, format, kind, size) in [
            (&wide, ImageFormat::Png, "image/jpeg", (512, 128)),
            (&wide, ImageFormat::Jpeg, "image/jpeg", (512, 128)),
            (&wide, ImageFormat::WebP, "image/jpeg", (512, 128)),
            (&clear, ImageFormat::Png, "image/png", (64, 64)),
        ] {
            let drawn = redrawn(&encoded(picture, format)).unwrap();
            let read = image::load_from_memory(&drawn.bytes).unwrap();
            assert_eq!((drawn.content_type, (read.width(), read.height())), (kind, size), "{format:?}");
        }
    }

    #[test]
    fn a_picture_is_turned_upright() {
        let mut jpeg = encoded(&DynamicImage::new_rgb8(1024, 256), ImageFormat::Jpeg);
        // An orientation of 6 (Exif 2.32 §4.6.4): the right side is up.
        let exif = b"\xFF\xE1\x00\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        jpeg.splice(2..2, exif.iter().copied());
        let read = image::load_from_memory(&redrawn(&jpeg).unwrap().bytes).unwrap();
        assert_eq!((read.width(), read.height()), (128, 512));
    }

    #[test]
    fn a_picture_that_would_take_too_much_memory_is_not_read() {
        for (side, is_read) in [(4096, true), (4097, false)] {
            let png = encoded(&DynamicImage::new_rgb8(side, side), ImageFormat::Png);
            assert!(png.len() < MAX_BYTES, "a few kilobytes unfold to megabytes");
            assert_eq!(redrawn(&png).is_some(), is_read, "{side}");
        }
    }

    #[test]
    fn what_is_no_picture_is_not_read() {
        let mut png = encoded(&DynamicImage::new_rgb8(8, 8), ImageFormat::Png);
        let whole = png.clone();
        png.truncate(40);
        // Sides of two thousand million pixels, in the header alone.
        let mut vast = whole.clone();
        vast.splice(16..24, [0x7F, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF]);
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec();
        for bad in [Vec::new(), svg, b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(), png, vast, b"\xFF\xD8\xFF\xE0".to_vec()] {
            assert_eq!(redrawn(&bad), None);
        }
    }

    #[test]
    fn nothing_is_kept_but_pixels() {
        let mut jpeg = encoded(&DynamicImage::new_rgb8(8, 8), ImageFormat::Jpeg);
        // A comment (ISO/IEC 10918-1 B.2.4.5) right after the start of the picture, and more behind its end.
        jpeg.splice(2..2, b"\xFF\xFE\x00\x0Ctaken-at-home".iter().copied().take(14));
        jpeg.extend_from_slice(b"<script>hidden</script>");
        let drawn = redrawn(&jpeg).unwrap();
        let has = |text: &[u8]| drawn.bytes.windows(text.len()).any(|window| window == text);
        assert!(!has(b"taken") && !has(b"hidden"));
    }
}
