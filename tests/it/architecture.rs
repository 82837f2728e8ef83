//! The map is the law: who may import whom, where each package lives, and that a protocol file names its specification.
//!
//! `ARCHITECTURE.md` §1 and §11; `src/lib.rs` declares the folders in the order of their ranks.

use std::fs;
use std::path::Path;

/// Folders and files of `src/`, by rank. The first four ranks know nothing of HTTP, of configuration or of the program.
const RANKS: &[(&str, u8)] = &[
    ("protocol", 0),
    ("model", 1),
    ("edge", 2),
    ("authn", 3),
    ("account", 4),
    ("oauth", 5),
    ("jobs", 6),
    ("admin", 7),
    ("http", 8),
    ("config", 9),
    ("dev", 9),
    ("cli", 9),
    ("app", 9),
    ("main", 9),
    ("lib", 9),
];

/// A package and the only places that name it.
const HOMES: &[(&str, &[&str])] = &[
    ("oxide_auth", &["oauth/grant/machine.rs"]),
    ("jsonwebtoken", &["protocol/jose/"]),
    ("josekit", &["protocol/jose/"]),
    ("aws_lc_rs::signature", &["protocol/jose/"]),
    ("aws_lc_rs::rsa", &["protocol/jose/"]),
    ("aws_lc_rs::aead", &["edge/vault.rs"]),
    ("argon2", &["authn/password/hash.rs"]),
    ("password_hash", &["authn/password/hash.rs"]),
    ("bcrypt", &["authn/password/foreign.rs"]),
    ("scrypt", &["authn/password/foreign.rs"]),
    ("zxcvbn", &["authn/password/strength.rs"]),
    ("totp_rs", &["authn/totp/"]),
    ("webauthn_rs", &["authn/passkey/"]),
    ("image", &["account/avatar.rs"]),
    ("reqwest", &["edge/fetch.rs"]),
    ("sqlx", &["edge/store/", "edge/ephemeral/sql.rs"]),
    ("redis", &["edge/ephemeral/redis.rs", "edge/ephemeral/redis/"]),
    ("lettre", &["edge/mail/"]),
    ("openidconnect", &["edge/upstream/oidc.rs"]),
    ("axum", &["http/", "dev/", "app.rs"]),
    ("axum_server", &["http/"]),
    ("multer", &["http/extract/multipart.rs"]),
    ("tokio_rustls", &["http/"]),
    ("listenfd", &["cli/service.rs"]),
    ("utoipa", &["http/api/"]),
    ("minijinja", &["edge/template/"]),
    ("fluent_bundle", &["edge/template/"]),
    ("unic_langid", &["edge/template/"]),
    ("figment", &["config/"]),
    ("schemars", &["config/"]),
    ("clap", &["cli/", "main.rs"]),
    ("anyhow", &["cli/", "main.rs"]),
];

/// Names of drawers: a module is named for what it holds.
const DRAWERS: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc", "manager"];

/// What a head of a protocol file may name as its specification.
const SPECIFICATIONS: &[&str] = &[
    "RFC ",
    "OIDC ",
    "OpenID ",
    "OAuth 2.0 Multiple Response Type",
    "FAPI 2.0",
    "PROTOCOL",
    "ARCHITECTURE",
    "DECISIONS",
];

/// One file of `src/`, by its path below it.
struct Source<'a> {
    path: &'a str,
    text: &'a str,
}

impl Source<'_> {
    /// The folder below `src/`, or the name of a file that stands there itself.
    fn folder(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// The lines of code, with their numbers: no comments. Tests beside the code keep to the ranks too.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines
            .map(|(number, line)| (number, line.split("//").next().unwrap_or_default()))
            .filter(|(_, code)| !code.trim().is_empty())
    }

    /// [`Source::code`] without the tests at its end, which may make with a package what the code has to refuse.
    fn code_without_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = if is_test(self.path) { Some(0) } else { self.text.find("#[cfg(test)]\nmod tests") };
        let lines = end.map_or(usize::MAX, |end| self.text[..end].lines().count());
        self.code().take_while(move |(number, _)| *number <= lines)
    }
}

/// Everything that is against the map in one file.
fn violations(source: &Source<'_>) -> Vec<String> {
    let mut found = imports_upwards(source);
    found.extend(strays(source));
    found.extend(drawers(source));
    found.extend(without_specification(source));
    found
}

fn rank(folder: &str) -> Option<u8> {
    RANKS.iter().find(|(name, _)| *name == folder).map(|(_, rank)| *rank)
}

/// Who may import a folder, for the message.
fn importers(of: u8) -> String {
    let names: Vec<&str> = RANKS.iter().filter(|(_, rank)| *rank > of).map(|(name, _)| *name).collect();
    if names.is_empty() { "nobody below it".to_owned() } else { names.join(", ") }
}

fn imports_upwards(source: &Source<'_>) -> Vec<String> {
    let folder = source.folder();
    let Some(own) = rank(folder) else { return vec![format!("{}: the folder {folder} has no rank", source.path)] };
    let mut found = Vec::new();
    for (number, code) in source.code() {
        for imported in paths_after(code, "crate::") {
            let Some(other) = rank(imported) else { continue };
            let is_allowed = imported == folder || other < own || (own == 9 && other == 9);
            if !is_allowed {
                let may = importers(other);
                found.push(format!("{}:{number}: {imported} may be imported by {may} only", source.path));
            }
        }
    }
    found
}

/// The path segments that follow `prefix` in a line, also in a list (`crate::{http::x, app}`).
fn paths_after<'a>(code: &'a str, prefix: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        let rest = &code[at + prefix.len()..];
        let inner = match rest.strip_prefix('{') {
            None => vec![rest],
            Some(list) => list.split(',').collect(),
        };
        let words = inner.into_iter().map(|path| path.trim().split(|c: char| !is_word(c)).next().unwrap_or_default());
        found.extend(words.filter(|word| !word.is_empty()));
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn strays(source: &Source<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for (number, code) in source.code_without_tests() {
        for (package, homes) in HOMES {
            let is_home =
                homes.iter().any(|home| source.path == *home || (home.ends_with('/') && source.path.starts_with(home)));
            if names(code, package) && !is_home {
                found.push(format!("{}:{number}: {package} lives in {} only", source.path, homes.join(", ")));
            }
        }
    }
    found
}

/// Whether a line names a package as a path or an import: `sqlx::query`, `use sqlx;`.
fn names(code: &str, package: &str) -> bool {
    code.match_indices(package).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + package.len()..];
        let is_whole = !before.is_some_and(|c| is_word(c) || c == ':' || c == '"' || c == '.');
        is_whole
            && (after.starts_with("::") || (code.trim_start().starts_with("use ") && after.starts_with([';', ' '])))
    })
}

fn drawers(source: &Source<'_>) -> Vec<String> {
    let in_path = source.path.trim_end_matches(".rs").split('/').filter(|part| DRAWERS.contains(part));
    let in_path = in_path.map(|part| format!("{}: a module named {part} says nothing", source.path));
    let declared = source.code().filter_map(|(number, code)| {
        let name = code.trim().trim_start_matches("pub ").trim_start_matches("pub(crate) ").strip_prefix("mod ")?;
        let name = name.trim_end_matches(|c: char| !is_word(c));
        DRAWERS.contains(&name).then(|| format!("{}:{number}: a module named {name} says nothing", source.path))
    });
    in_path.chain(declared).collect()
}

/// Each file opens with what it is; a protocol file also with the specification that it follows.
fn without_specification(source: &Source<'_>) -> Vec<String> {
    let head: Vec<&str> = source.text.lines().take_while(|line| line.starts_with("//!")).collect();
    if head.is_empty() {
        return vec![format!("{}: does not open with a line that says what it is", source.path)];
    }
    let is_index = source.path.ends_with("mod.rs");
    let names_one = head.iter().any(|line| SPECIFICATIONS.iter().any(|name| line.contains(name)));
    if source.folder() == "protocol" && !is_index && !is_test(source.path) && !names_one {
        return vec![format!("{}: its head names no specification", source.path)];
    }
    Vec::new()
}

fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.ends_with("_tests.rs") || path.contains("/tests/")
}

fn each_file(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            each_file(&path, visit);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            visit(&path);
        }
    }
}

#[test]
fn the_code_keeps_to_the_map() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut count = 0;
    each_file(&root, &mut |file| {
        count += 1;
        let text = fs::read_to_string(file).expect("the file is text");
        let path = file.strip_prefix(&root).expect("below src").to_str().expect("our names are ASCII");
        found.extend(violations(&Source { path, text: &text }));
    });
    assert!(count > 100, "only {count} files were read");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// `lib.rs` declares the folders in the order of their ranks, so that the map is the law.
#[test]
fn lib_declares_the_folders_in_the_order_of_their_ranks() {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).expect("it is there");
    let declared: Vec<u8> = lib
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(|name| rank(name).unwrap_or_else(|| panic!("the folder {name} has no rank")))
        .collect();
    assert!(declared.len() >= 9, "{declared:?}");
    assert!(declared.is_sorted(), "{declared:?}");
}

/// A test of the test: each rule finds what it is for, and only that.
#[test]
fn each_rule_finds_what_it_is_for() {
    let head = "//! A thing.\n//!\n//! RFC 6749 §1.\n";
    for (path, code, expected) in [
        ("protocol/scope.rs", "use crate::model::user::User;", Some("model may be imported by edge")),
        (
            "oauth/mod.rs",
            "fn f() { crate::http::web::redirect(\"/\") }",
            Some("http may be imported by config, dev, cli, app"),
        ),
        ("edge/clock.rs", "use crate::{protocol::scope, authn};", Some("authn may be imported by account")),
        ("jobs/mod.rs", "use crate::config::Config;", Some("config may be imported by nobody below it")),
        ("http/web.rs", "use crate::oauth::provider::Provider;", None),
        ("http/web.rs", "use crate::http::routes;", None),
        ("cli/dev.rs", "use crate::app::App;", None),
        ("oauth/mod.rs", "// crate::http would be wrong here", None),
        ("oauth/mod.rs", "use sqlx::Row;", Some("sqlx lives in edge/store/")),
        ("edge/store/row.rs", "use sqlx::Row;", None),
        ("edge/ephemeral/memory.rs", "let x = sqlx::query(A);", Some("sqlx lives in")),
        ("oauth/grant/mod.rs", "use oxide_auth::code_grant;", Some("oxide_auth lives in oauth/grant/machine.rs only")),
        ("oauth/keys.rs", "use aws_lc_rs::signature::KeyPair;", Some("aws_lc_rs::signature lives in")),
        ("oauth/endpoint/token.rs", "use axum::Router;", Some("axum lives in http/, dev/, app.rs only")),
        ("http/serve.rs", "use axum_server::Handle;", None),
        ("authn/mod.rs", "let message = \"argon2::hash\";", None),
        ("oauth/keys.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\n use jsonwebtoken::encode; }", None),
        ("oauth/keys.rs", "#[cfg(test)]\nmod tests { use crate::http::web; }", Some("http may be imported by")),
        ("oauth/util.rs", "", Some("a module named util says nothing")),
        ("oauth/mod.rs", "pub mod helpers;", Some("a module named helpers says nothing")),
        ("plugins/mod.rs", "", Some("the folder plugins has no rank")),
    ] {
        let text = format!("{head}{code}\n");
        let found = violations(&Source { path, text: &text });
        match expected {
            None => assert!(found.is_empty(), "{path}: {code}: {found:?}"),
            Some(part) => assert!(found.len() == 1 && found[0].contains(part), "{path}: {code}: {found:?}"),
        }
    }
    let headless = Source { path: "protocol/pkce.rs", text: "//! Proof keys.\nuse std::fmt;\n" };
    assert_eq!(violations(&headless), ["protocol/pkce.rs: its head names no specification"]);
    let bare = Source { path: "model/user.rs", text: "use std::fmt;\n" };
    assert_eq!(violations(&bare), ["model/user.rs: does not open with a line that says what it is"]);
}
