//! What the predecessors promised, row by row: each test is named by its row of the acceptance table, `s_025_…`.
//!
//! `conformance/ACCEPTANCE.md` is made of these names: a row is done when its tests pass and open while it has none; what is missing of one
//! that has tests stands in [`PARTLY`].
//! To add tests: a file for the area, a line here, then
//! `SYMBOLON_WRITE=1 cargo test --test it the_acceptance_page` writes the page anew.

mod access_token;
mod account_page;
mod admin;
mod admin_bulk;
mod admin_client;
mod admin_matrix;
mod admin_server;
mod api;
mod applications;
mod atomic;
mod avatar;
mod blocked_address;
mod captcha;
mod claims;
mod codes;
mod contact;
mod delivery;
mod enumeration;
mod epoch;
mod epoch_nodes;
mod events;
mod factor_policy;
mod federation;
mod federation_api;
mod federation_groups;
mod federation_kinds;
mod federation_logout;
mod first_party;
mod flow;
mod frontend;
mod grants;
pub(crate) mod groups;
mod history;
mod intruder;
mod invitation;
mod key_rotation;
mod language;
mod lifetimes;
mod limits;
mod magic_link;
mod me;
mod measure;
mod message;
mod new_device;
mod operations;
mod page_switches;
mod passkey;
mod passkey_again;
mod password;
mod qr;
mod recovery;
mod refresh;
mod registration;
mod second_factor;
mod session;
mod session_limits;
mod session_list;
mod sign_in;
mod single_logout;
mod start;
mod step_up;
mod token;
mod token_cookies;
mod token_exchange;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

const PAGE: &str = "conformance/ACCEPTANCE.md";

/// What is open of rows that have tests. To close a part: its test, and its line goes.
const PARTLY: &[(&str, &str)] = &[
    ("S-018", "webhook `user.created` (S-157)"),
    ("S-021", "webhook `user.deleted` (S-157)"),
    ("S-056", "approval with a DPoP-bound token"),
    ("S-058", "Twitter/X (S-068), ADFS by SAML (S-069)"),
    ("S-073", "the grace for who holds the same DPoP key"),
    ("S-129", "webhook `security.blocked` (S-157)"),
    ("S-163", "what the app answers to it (S-157)"),
    ("S-165", "jobs of webhooks (S-161)"),
    ("S-176", "security scheme `dpop`"),
];

/// Test names by the id of their row, `S-025`, with the file that holds them.
fn tests_by_row(folder: &Path, found: &mut BTreeMap<String, Vec<(String, String)>>) {
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            tests_by_row(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("the file is text");
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            let file = path.strip_prefix(root).expect("below the package").to_str().expect("our names are ASCII");
            for name in text.lines().filter_map(test_name) {
                let row = format!("S-{}", &name[2..5]);
                found.entry(row).or_default().push((name.to_owned(), file.to_owned()));
            }
        }
    }
}

/// The name of the test that a line declares, if it is one of a row: `async fn s_025_password_sign_in() {`.
fn test_name(line: &str) -> Option<&str> {
    let name = line.trim_start().trim_start_matches("async ").strip_prefix("fn ")?.split('(').next()?;
    let digits = name.strip_prefix("s_")?.get(..4)?;
    let is_row = digits.ends_with('_') && digits[..3].bytes().all(|byte| byte.is_ascii_digit());
    is_row.then_some(name)
}

/// The rows of the page: id and capability.
fn rows(page: &str) -> Vec<(String, String)> {
    let rows = page.lines().filter(|line| line.starts_with("| S-"));
    rows.map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned());
        (cells.next().expect("an id"), cells.next().expect("a capability"))
    })
    .collect()
}

fn page(rows: &[(String, String)], tests: &BTreeMap<String, Vec<(String, String)>>) -> String {
    let done = rows.iter().filter(|(row, _)| tests.contains_key(row)).count();
    let open_part = |row: &str| PARTLY.iter().find(|(partly, _)| *partly == row).map(|(_, part)| *part);
    let mut page = format!(
        "# Acceptance\n\nWhat five predecessors promised, row by row, and the tests that hold us to it: each runs over HTTP against \
         the running server.\nThis page is made of the tests' names; `cargo test` fails when it is out of date.\n\n\
         {done} of {} rows have tests; of {} of these a part is open.\n\n| row | what | tests | state |\n|---|---|---|---|\n",
        rows.len(),
        PARTLY.len()
    );
    for (row, capability) in rows {
        let mut named = tests.get(row).cloned().unwrap_or_default();
        named.sort();
        let cells: Vec<String> = named.iter().map(|(name, file)| format!("[{name}](../{file})")).collect();
        let state = match open_part(row) {
            _ if named.is_empty() => "open".to_owned(),
            Some(part) => format!("partly: without {part}"),
            None => "tested".to_owned(),
        };
        writeln!(page, "| {row} | {capability} | {} | {state} |", cells.join("<br>")).expect("a String takes it");
    }
    page
}

#[test]
fn the_acceptance_page_is_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = BTreeMap::new();
    tests_by_row(&root.join("tests/it"), &mut tests);
    let stands = std::fs::read_to_string(root.join(PAGE)).expect("the page is there");
    let rows = rows(&stands);
    assert_eq!(rows.len(), 194, "every row of the table stands on the page");
    for row in tests.keys() {
        assert!(rows.iter().any(|(known, _)| known == row), "no row is called {row}");
    }
    for (row, _) in PARTLY {
        assert!(tests.contains_key(*row), "{row} has no test: it is open as a whole");
    }
    let made = page(&rows, &tests);
    if std::env::var_os("SYMBOLON_WRITE").is_some() {
        std::fs::write(root.join(PAGE), &made).expect("written");
    } else {
        assert_eq!(stands, made, "run: SYMBOLON_WRITE=1 cargo test --test it the_acceptance_page");
    }
}

#[test]
fn a_test_is_of_the_row_that_its_name_begins_with() {
    for (line, name) in [
        ("async fn s_025_password_sign_in() {", Some("s_025_password_sign_in")),
        ("    fn s_001_a(house: House) {", Some("s_001_a")),
        ("fn s_25_short() {", None),
        ("fn sessions() {", None),
        ("let s_025_x = 1;", None),
    ] {
        assert_eq!(test_name(line), name, "{line}");
    }
}
