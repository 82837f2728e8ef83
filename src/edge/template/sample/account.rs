//! The pages where people make accounts and find the way back into them.

use super::console::console;
use super::{Sample, sample, shop, stranger};
use crate::edge::template::console::{Invitations, PasswordPage, SentInvitation};
use crate::edge::template::context::account::{
    AttributeField, CodePage, Contact, ContactsPage, FieldMistake, Gone, InvitationPage, MailedLinkPage, MyData,
    NewPassword, Notice, OtherWay, ProfileField, ProfilePage, Recover, Register, WaitingContact,
};

fn mistake(field: &str, code: &str, bound: Option<u64>) -> FieldMistake {
    FieldMistake { field: field.into(), code: code.into(), bound }
}

fn register() -> Register {
    Register {
        action: "/register?flow=1".into(),
        csrf: "token".into(),
        connects: None,
        needs_password: true,
        by: "email".into(),
        contact: String::new(),
        others: vec![OtherWay { by: "phone".into(), url: "/register?flow=1&by=phone".into() }],
        username: None,
        username_required: false,
        attributes: vec![],
        mistakes: vec![],
        error: None,
        sign_in_uri: "/sign-in?flow=1&other=1".into(),
        client: Some(shop()),
        back_uri: Some("https://books.example.com/".into()),
        captcha: None,
    }
}

fn invitation(mistakes: Vec<FieldMistake>) -> InvitationPage {
    InvitationPage {
        action: "/invitation".into(),
        csrf: "token".into(),
        token: "token".into(),
        address: "carol@example.net".into(),
        first_name: "Carol".into(),
        last_name: String::new(),
        username: Some(String::new()),
        username_required: true,
        attributes: vec![],
        mistakes,
        error: None,
        client: Some(shop()),
    }
}

fn code(purpose: &str) -> CodePage {
    CodePage {
        purpose: purpose.into(),
        action: "/register/code?flow=1".into(),
        csrf: "token".into(),
        address: "alice@example.com".into(),
        asks_password: false,
        username: None,
        resends: true,
        mistakes: vec![],
        error: None,
        resent: false,
        again_uri: "/register?flow=1".into(),
        client: Some(shop()),
        back_uri: Some("https://books.example.com/".into()),
    }
}

fn attribute(name: &str, kind: &str, required: bool) -> AttributeField {
    AttributeField { name: name.into(), kind: kind.into(), required, max_length: Some(64), value: String::new() }
}

fn recover(what: &str) -> Recover {
    Recover {
        what: what.into(),
        action: "/recover?flow=1".into(),
        csrf: "token".into(),
        login: String::new(),
        by_phone: true,
        mistakes: vec![],
        error: None,
        sign_in_uri: "/sign-in?flow=1".into(),
        other_uri: Some("/recover/email".into()),
        client: None,
        back_uri: None,
        captcha: None,
    }
}

fn gone(what: &str, count: u64) -> Gone {
    Gone { what: what.into(), count }
}

fn notice(key: &str, next: &str) -> Notice {
    Notice {
        key: key.into(),
        address: Some("alice@example.com".into()),
        lines: vec![],
        gone: vec![],
        next_uri: "/sign-in?flow=1".into(),
        next: next.into(),
        client: Some(shop()),
        back_uri: Some("https://books.example.com/".into()),
    }
}

fn registrations() -> Vec<Sample> {
    vec![
        sample("register", "page/register.html", register()),
        sample("invitation", "page/invitation.html", invitation(vec![])),
        sample("invitation_mistakes", "page/invitation.html", invitation(vec![mistake("password", "required", None)])),
        sample(
            "register_connects",
            "page/register.html",
            Register { connects: Some(super::connects()), needs_password: false, ..register() },
        ),
        sample(
            "register_full",
            "page/register.html",
            Register {
                contact: "alice@".into(),
                others: vec![],
                username: Some("al".into()),
                username_required: true,
                attributes: vec![
                    attribute("company", "text", true),
                    attribute("born", "date", false),
                    attribute("seats", "number", false),
                    attribute("newsletter", "checkbox", false),
                ],
                mistakes: vec![
                    mistake("email", "invalid_email", None),
                    mistake("password", "password_too_short", Some(8)),
                    mistake("username", "username_taken", None),
                    mistake("company", "required", None),
                ],
                error: Some("code_recently_sent".into()),
                client: Some(stranger()),
                ..register()
            },
        ),
        sample(
            "register_phone",
            "page/register.html",
            Register {
                by: "phone".into(),
                contact: "0612345678".into(),
                others: vec![OtherWay { by: "email".into(), url: "/register?flow=1".into() }],
                mistakes: vec![mistake("phone", "invalid_phone_number", None)],
                ..register()
            },
        ),
    ]
}

pub(super) fn samples() -> Vec<Sample> {
    let mut samples = registrations();
    samples.extend([
        sample("code", "page/code.html", code("registration")),
        sample(
            "code_phone",
            "page/code.html",
            CodePage { address: "+31612345678".into(), ..code("registration_phone") },
        ),
        sample(
            "code_wrong",
            "page/code.html",
            CodePage {
                mistakes: vec![mistake("code", "wrong_code", None), mistake("username", "username_taken", None)],
                username: Some("alice".into()),
                client: None,
                back_uri: None,
                ..code("registration")
            },
        ),
        sample("code_resent", "page/code.html", CodePage { resent: true, ..code("registration") }),
        sample(
            "code_reset",
            "page/code.html",
            CodePage { asks_password: true, resends: false, error: Some("flow_expired".into()), ..code("reset") },
        ),
        sample("code_recovery", "page/code.html", CodePage { resends: false, ..code("recovery") }),
        sample("recover", "page/recover.html", recover("password")),
        sample(
            "recover_email",
            "page/recover.html",
            Recover {
                mistakes: vec![mistake("login", "invalid_phone_number", None)],
                error: Some("rate_limited".into()),
                client: Some(shop()),
                back_uri: Some("https://books.example.com/".into()),
                ..recover("email")
            },
        ),
        sample(
            "new_password",
            "page/new_password.html",
            NewPassword {
                action: "/recover/password".into(),
                csrf: "token".into(),
                token: "token".into(),
                gone: ["authenticators", "identities", "addresses"].map(|what| gone(what, 1)).into(),
                mistakes: vec![mistake("password", "password_too_short", Some(8))],
            },
        ),
        sample(
            "notice_email_restored",
            "page/notice.html",
            Notice {
                gone: ["authenticators", "identities", "addresses"].map(|what| gone(what, 2)).into(),
                ..notice("email_restored", "sign_in")
            },
        ),
        sample(
            "notice_emails",
            "page/notice.html",
            Notice {
                lines: vec!["j•••@e•••.com".into(), "<b>@e•••.com".into()],
                address: None,
                client: None,
                back_uri: None,
                ..notice("emails", "sign_in")
            },
        ),
    ]);
    samples.extend(account_pages());
    samples.extend(links());
    samples
}

fn profile() -> ProfilePage {
    let field = |name: &str, value: &str, autocomplete: &str| ProfileField {
        name: name.into(),
        value: value.into(),
        autocomplete: autocomplete.into(),
    };
    ProfilePage {
        console: console("profile"),
        action: "/account/profile".into(),
        picture_action: "/account/profile/picture".into(),
        has_picture: true,
        fields: vec![
            field("first_name", "Alice", "given-name"),
            field("last_name", "Liddell", "family-name"),
            field("nickname", "", "nickname"),
            field("website", "https://alice.example.com/", "url"),
            field("birthdate", "1852-05-04", "bday"),
        ],
        attributes: vec![attribute("company", "text", true), attribute("newsletter", "checkbox", false)],
        mistakes: vec![],
        kept: true,
    }
}

fn password() -> PasswordPage {
    PasswordPage {
        console: console("password"),
        action: "/account/password".into(),
        login: "alice@example.com".into(),
        has_password: true,
        may_keep_others: false,
        mistakes: vec![],
        error: None,
        changed: false,
    }
}

fn contacts() -> ContactsPage {
    let contact =
        |id: &str, value: &str, verified, primary| Contact { id: id.into(), value: value.into(), verified, primary };
    ContactsPage {
        console: console("contacts"),
        action: "/account/contacts".into(),
        emails: vec![
            contact("1", "alice@example.com", true, true),
            contact("2", "a.very.long.address.of.alice@some-department.example.org", true, false),
            contact("3", "old@example.com", false, false),
        ],
        phones: vec![],
        waiting: None,
        mistakes: vec![],
        error: None,
        email: String::new(),
        phone: String::new(),
    }
}

fn invitations() -> Invitations {
    let sent = |id: &str, address: &str, name: &str, state: &str| SentInvitation {
        id: id.into(),
        address: address.into(),
        name: name.into(),
        state: state.into(),
        waits: state == "waiting",
        sent_at: 1_800_000_000,
        expires_at: 1_800_604_800,
    };
    Invitations {
        console: console("invitations"),
        action: "/account/invitations".into(),
        may_invite: true,
        contact: String::new(),
        first_name: String::new(),
        last_name: String::new(),
        mistakes: vec![],
        error: None,
        sent: true,
        invitations: vec![
            sent("1", "carol@example.net", "Carol Jones", "waiting"),
            sent("2", "+31612345678", "", "accepted"),
            sent("3", "a.very.long.address.of.dave@some-department.example.org", "Dave", "revoked"),
            sent("4", "eve@example.net", "", "expired"),
        ],
        older_uri: Some("/account/invitations?before=4".into()),
    }
}

fn account_pages() -> Vec<Sample> {
    let data =
        MyData { console: console("data"), action: "/account/data".into(), grace_days: 14, asked: false, error: None };
    vec![
        sample("profile", "page/profile.html", profile()),
        sample(
            "profile_wrong",
            "page/profile.html",
            ProfilePage {
                mistakes: vec![
                    mistake("website", "invalid_value", None),
                    mistake("picture", "picture_too_large", None),
                ],
                kept: false,
                has_picture: false,
                ..profile()
            },
        ),
        sample("invitations", "page/account_invitations.html", invitations()),
        sample(
            "invitations_wrong",
            "page/account_invitations.html",
            Invitations {
                contact: "carol".into(),
                mistakes: vec![mistake("contact", "invalid_phone_number", None)],
                error: Some("rate_limited".into()),
                sent: false,
                older_uri: None,
                ..invitations()
            },
        ),
        sample(
            "invitations_none",
            "page/account_invitations.html",
            Invitations { may_invite: false, invitations: vec![], sent: false, older_uri: None, ..invitations() },
        ),
        sample("contacts", "page/contacts.html", contacts()),
        sample(
            "contacts_waiting",
            "page/contacts.html",
            ContactsPage {
                waiting: Some(WaitingContact { kind: "phone".into(), id: "4".into(), value: "+31612345678".into() }),
                mistakes: vec![mistake("code", "wrong_code", None), mistake("phone", "invalid_phone_number", None)],
                error: Some("last_device".into()),
                ..contacts()
            },
        ),
        sample("password", "page/account_password.html", password()),
        sample(
            "password_wrong",
            "page/account_password.html",
            PasswordPage {
                may_keep_others: true,
                mistakes: vec![
                    mistake("current_password", "invalid_password", None),
                    mistake("password", "password_too_short", Some(8)),
                    mistake("password", "password_entirely_numeric", None),
                    mistake("confirm_password", "passwords_not_identical", None),
                ],
                ..password()
            },
        ),
        sample(
            "password_first",
            "page/account_password.html",
            PasswordPage { has_password: false, changed: true, error: Some("rate_limited".into()), ..password() },
        ),
        sample("my_data", "page/my_data.html", data.clone()),
        sample(
            "my_data_asked",
            "page/my_data.html",
            MyData { grace_days: 0, asked: true, error: Some("verification_required".into()), ..data },
        ),
    ]
}

/// Links of mails, and what is told when they have done their work.
fn links() -> Vec<Sample> {
    let mut samples = Vec::new();
    for purpose in ["activation", "email_change", "email_change_undo", "deletion_undo", "export", "not_me"] {
        let page = MailedLinkPage {
            purpose: purpose.into(),
            action: "/activate".into(),
            csrf: "token".into(),
            token: "token".into(),
        };
        samples.push(sample(purpose, "page/mailed_link.html", page));
    }
    for (key, next) in [
        ("activation_sent", "sign_in"),
        ("reset_sent", "sign_in"),
        ("activated", "sign_in"),
        ("password_set", "sign_in"),
        ("email_changed", "account"),
        ("email_restored", "sign_in"),
        ("restored", "sign_in"),
        ("deleted", "home"),
    ] {
        samples.push(sample(key, "page/notice.html", notice(key, next)));
    }
    samples
}
