//! The pages of people about themselves, and the one that asks again who they are.

use super::{Sample, backup_codes, passkey, provider, sample, totp_setup};
use crate::edge::template::console::{
    Again, Apps, AuthorizedApp, BrowserSession, CodeAddress, ConnectedIdentity, Console, ConsoleLink, Factor, Happened,
    History, Identities, Menu, OfferedProvider, Overview, Remembered, Security, Sessions,
};
use crate::edge::template::context::Profile;
use crate::model::event::EventName;

pub(super) fn samples() -> Vec<Sample> {
    let nowhere = Sessions { sessions: vec![session("Firefox on Linux", true)], ..sessions() };
    let nothing = History { events: vec![], older_uri: None, ..history() };
    vec![
        sample("account", "page/account.html", Overview { console: console("overview") }),
        sample("account_security", "page/account_security.html", security(true)),
        sample("account_security_none", "page/account_security.html", security(false)),
        sample(
            "account_security_setup",
            "page/account_security.html",
            Security { setup: Some(totp_setup()), totp: None, ..security(false) },
        ),
        sample(
            "account_security_codes",
            "page/account_security.html",
            Security { codes: backup_codes(), ..security(true) },
        ),
        sample("account_sessions", "page/account_sessions.html", sessions()),
        sample("account_sessions_one", "page/account_sessions.html", nowhere),
        sample("account_identities", "page/account_identities.html", identities()),
        sample(
            "account_identities_empty",
            "page/account_identities.html",
            Identities { identities: vec![], offered: vec![], ..identities() },
        ),
        sample("account_apps", "page/account_apps.html", apps()),
        sample("account_apps_empty", "page/account_apps.html", Apps { apps: vec![], ..apps() }),
        sample("account_history", "page/account_history.html", history()),
        sample("account_history_empty", "page/account_history.html", nothing),
        sample("again", "page/again.html", again(None)),
        sample("again_wrong", "page/again.html", again(Some("wrong_password"))),
        sample("again_too_often", "page/again.html", again(Some("too_many_attempts"))),
    ]
}

fn security(on: bool) -> Security {
    let totp = Factor { id: "1".into(), name: String::new(), since: 1_790_000_000, last_used: Some(1_800_000_000) };
    Security {
        console: console("security"),
        action: "/account/security".into(),
        has_factor: on,
        remembered: vec![Remembered {
            id: "2".into(),
            device: "Firefox on Linux".into(),
            address: "203.0.113.7".into(),
            since: 1_790_000_000,
            until: 1_800_000_000,
        }],
        totp: Some(totp.clone()).filter(|_| on),
        addresses: vec![CodeAddress { id: "2".into(), kind: "sms".into(), address: "+31612345678".into() }],
        waiting: Some(CodeAddress { id: "3".into(), kind: "email".into(), address: "a@example.com".into() })
            .filter(|_| on),
        passkeys: vec![Factor { name: "iCloud Keychain".into(), ..totp.clone() }],
        new_passkey: Some(passkey()),
        setup: None,
        codes: vec![],
        codes_left: 9,
        codes_total: 10,
        required: on,
        required_by_policy: false,
        mistakes: vec![],
        error: None,
    }
}

pub(super) fn console(current: &str) -> Console {
    let page = |(id, text, about): (&'static str, _, _)| {
        let (url, current) = (format!("/account/{id}"), id == current);
        ConsoleLink { id, text, about, url, current }
    };
    Console {
        account: Profile {
            name: "Alice Liddell".into(),
            login: "alice".into(),
            email: Some("alice@example.com".into()),
            picture: None,
        },
        csrf: "token".into(),
        sign_out_action: "/sign-out".into(),
        menu: Menu::new(
            &[
                ("overview", "console-overview", "console-overview.about"),
                ("profile", "console-profile", "console-profile.about"),
                ("contacts", "console-contacts", "console-contacts.about"),
                ("sessions", "console-sessions", "console-sessions.about"),
                ("history", "console-history", "console-history.about"),
                ("apps", "console-apps", "console-apps.about"),
                ("data", "console-data", "console-data.about"),
            ]
            .map(page),
        ),
    }
}

fn session(device: &str, current: bool) -> BrowserSession {
    BrowserSession {
        device: device.into(),
        current,
        address: if current { "2001:db8::/64".into() } else { String::new() },
        client: current.then(|| "Harbour Books".into()),
        provider: (!current).then(|| "Google".into()),
        began: 1_795_152_462,
        last_seen: 1_795_252_462,
        end_action: "/account/sessions/1/end".into(),
    }
}

fn sessions() -> Sessions {
    Sessions {
        console: console("sessions"),
        sessions: vec![session("Firefox on Linux", true), session("Safari on iPhone", false), session("", false)],
        end_others_action: "/account/sessions/end-others".into(),
    }
}

fn identities() -> Identities {
    Identities {
        console: console("identities"),
        identities: vec![ConnectedIdentity {
            id: "0197".into(),
            provider: "Google".into(),
            label: "alice@gmail.com".into(),
            linked_at: 1_800_000_000,
            last_used_at: None,
            cut_action: "/account/identities/0197/cut".into(),
        }],
        offered: vec![OfferedProvider {
            slug: "apple".into(),
            label: "Apple".into(),
            connect_action: "/account/identities/apple/connect".into(),
        }],
    }
}

fn apps() -> Apps {
    let app = |client_id: &str, name: &str, host: &str, scopes: &[&str], granted_at| AuthorizedApp {
        client_id: client_id.into(),
        name: name.into(),
        host: host.into(),
        scopes: scopes.iter().map(|scope| (*scope).into()).collect(),
        granted_at,
        revoke_action: format!("/account/apps/{client_id}/revoke"),
    };
    let claims = ["openid", "profile", "email", "offline_access"];
    Apps {
        console: console("apps"),
        apps: vec![
            app("demo-web", "Harbour Books", "books.example.com", &claims, 1_795_252_462),
            app("cli", "Command line", "127.0.0.1", &["orders:read"], 0),
        ],
    }
}

/// Every event of the catalogue, as it succeeds and as it fails.
fn history() -> History {
    let happened = |name: &EventName, failed| Happened {
        name: name.as_str().replace('.', "-"),
        failed,
        at: 1_795_252_462,
        device: if failed { String::new() } else { "Firefox, Linux".into() },
        address: if failed { String::new() } else { "192.0.2.7".into() },
        method: (*name == EventName::SignIn).then(|| if failed { "carrier_pigeon" } else { "password" }.into()),
        client: (*name == EventName::ConsentGranted).then(|| "Harbour Books".into()),
    };
    let both = EventName::ALL.iter().flat_map(|name| [happened(name, false), happened(name, true)]);
    History { console: console("history"), events: both.collect(), older_uri: Some("/account/history?before=1".into()) }
}

fn again(error: Option<&str>) -> Again {
    Again {
        action: "/sign-in/again?to=account".into(),
        csrf: "token".into(),
        login: "alice@example.com".into(),
        passkey: Some(passkey()),
        error: error.map(Into::into),
        stay_uri: "/account".into(),
        other_uri: "/sign-in?to=account".into(),
        providers: if error.is_some() { Vec::new() } else { vec![provider("google", false)] },
    }
}
