//! Where template files come from: the copies in the binary, then the files of a theme folder in their place.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use include_dir::{Dir, include_dir};

use super::TemplateError;

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// What a template file is for, by its place in `templates/`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// `locale/<tag>/*.ftl`
    Text,
    /// `asset/*`, and the style sheet, scripts and pictures at the top of a theme folder.
    Asset,
    /// `*.html` and `*.txt`
    Template,
}

/// Who brought a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Origin {
    /// It is in the binary.
    BuiltIn,
    /// It is in the theme folder.
    Theme,
}

/// One file, named by its path below `templates/` with `/` between the parts.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) origin: Origin,
    pub(super) bytes: Cow<'static, [u8]>,
    /// The built-in file that a theme's file stands in front of.
    pub(super) replaced: Option<Cow<'static, [u8]>>,
}

impl Source {
    /// The content as text.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub(super) fn text(&self) -> Result<Cow<'static, str>, TemplateError> {
        self.utf_8(self.bytes.clone())
    }

    /// The content of the built-in file behind it as text, if there is one.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub(super) fn replaced_text(&self) -> Result<Option<Cow<'static, str>>, TemplateError> {
        self.replaced.clone().map(|bytes| self.utf_8(bytes)).transpose()
    }

    fn utf_8(&self, bytes: Cow<'static, [u8]>) -> Result<Cow<'static, str>, TemplateError> {
        let refuse = |error| TemplateError::Encoding { path: self.name.clone(), source: error };
        Ok(match bytes {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map_err(refuse)?.into(),
            Cow::Owned(bytes) => String::from_utf8(bytes).map_err(|error| refuse(error.utf8_error()))?.into(),
        })
    }
}

/// All files, those of the theme in place of the built-in ones of the same path.
///
/// # Errors
/// When the theme folder cannot be read.
pub(super) fn sources(theme: Option<&Path>) -> Result<Vec<Source>, TemplateError> {
    let mut sources = BTreeMap::new();
    embedded(&EMBEDDED, &mut sources);
    if let Some(folder) = theme {
        overlay(folder, "", &mut sources)?;
    }
    Ok(sources.into_values().collect())
}

/// The built-in template of this name, below `templates/`.
pub(super) fn built_in(name: &str) -> Option<&'static str> {
    if kind(name) != Some(Kind::Template) {
        return None;
    }
    EMBEDDED.get_file(name)?.contents_utf8()
}

fn embedded(folder: &'static Dir<'static>, sources: &mut BTreeMap<String, Source>) {
    for file in folder.files() {
        let name = file.path().to_string_lossy().replace('\\', "/");
        if let Some(kind) = kind(&name) {
            let bytes = Cow::Borrowed(file.contents());
            sources.insert(name.clone(), Source { name, kind, origin: Origin::BuiltIn, bytes, replaced: None });
        }
    }
    for folder in folder.dirs().filter(|folder| folder.path() != Path::new("theme")) {
        embedded(folder, sources);
    }
}

fn overlay(folder: &Path, prefix: &str, sources: &mut BTreeMap<String, Source>) -> Result<(), TemplateError> {
    let refuse = |source| TemplateError::Theme { path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(refuse)? {
        let entry = entry.map_err(refuse)?;
        let path = entry.path();
        let file_name = entry.file_name();
        let Some(file_name) = file_name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        let name = format!("{prefix}{file_name}");
        if path.is_dir() {
            overlay(&path, &format!("{name}/"), sources)?;
        } else if let Some(kind) = kind(&name) {
            // A theme may keep its few assets at its top: `style.css` stands for `asset/style.css`.
            let name = if kind == Kind::Asset && prefix.is_empty() { format!("asset/{name}") } else { name };
            let bytes = std::fs::read(&path).map_err(|source| TemplateError::Theme { path: path.clone(), source })?;
            let replaced = sources.remove(&name).map(|source| source.bytes);
            let source = Source { name: name.clone(), kind, origin: Origin::Theme, bytes: Cow::Owned(bytes), replaced };
            sources.insert(name, source);
        }
    }
    Ok(())
}

fn kind(name: &str) -> Option<Kind> {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension)?;
    match (name.split_once('/').map(|(folder, _)| folder), extension) {
        (Some("locale"), "ftl") => Some(Kind::Text),
        (Some("locale"), _) | (_, "ftl" | "toml" | "md") => None,
        (Some("asset"), _) => Some(Kind::Asset),
        (_, "html" | "txt") => Some(Kind::Template),
        (None, _) => Some(Kind::Asset),
        (Some(_), _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_file_tells_its_kind() {
        let table = [
            ("base.html", Some(Kind::Template)),
            ("page/error.html", Some(Kind::Template)),
            ("mail/code.txt", Some(Kind::Template)),
            ("locale/en/page.ftl", Some(Kind::Text)),
            ("locale/en/notes.txt", None),
            ("asset/logo.svg", Some(Kind::Asset)),
            ("style.css", Some(Kind::Asset)),
            ("theme.toml", None),
            ("README.md", None),
            ("page/notes.css", None),
            ("LICENSE", None),
        ];
        for (name, expected) in table {
            assert_eq!(kind(name), expected, "{name}");
        }
    }
}
