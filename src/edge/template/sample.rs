//! Every page with sample data: for the tests, for `symbolon template check`, and to look at (`SYMBOLON_RENDER_DIR`).

use minijinja::value::{Serde, Value};
use serde_json::json;

#[cfg_attr(not(test), expect(clippy::wildcard_imports, reason = "there is a sample of each"))]
use super::context::*;
use crate::protocol::error::ErrorCode;

mod account;
mod console;
mod device;

/// A page to render: the name of the picture, the template, the context.
pub(super) struct Sample {
    pub(super) picture: &'static str,
    pub(super) template: &'static str,
    pub(super) context: Value,
}

fn sample(picture: &'static str, template: &'static str, context: impl serde::Serialize) -> Sample {
    Sample { picture, template, context: Value::from(Serde(context)) }
}

fn shop() -> Client {
    Client {
        name: "Harbour Books".into(),
        host: "books.example.com".into(),
        client_uri: Some("https://books.example.com/".into()),
        logo_uri: None,
        policy_uri: Some("https://books.example.com/privacy".into()),
        tos_uri: Some("https://books.example.com/terms".into()),
        self_registered: false,
    }
}

/// Long, self-registered, with a picture and markup in its name.
fn stranger() -> Client {
    Client {
        name: "Donaudampfschifffahrtsgesellschaft <b>Online</b> & Partners".into(),
        host: "a-very-long-host-name.of-some-department.example.org".into(),
        client_uri: None,
        logo_uri: Some("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Crect width='8' height='8' fill='%23357'/%3E%3C/svg%3E".into()),
        policy_uri: None,
        tos_uri: None,
        self_registered: true,
    }
}

fn alice() -> Account {
    Account { name: "Alice Liddell".into(), login: "alice@example.com".into() }
}

fn totp_setup() -> TotpSetup {
    let uri = "otpauth://totp/id.example.com:alice@example.com?secret=JBSWY3DPEHPK3PXP&issuer=id.example.com";
    let picture = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"240\" height=\"240\" viewBox=\"0 0 8 8\"><rect width=\"8\" height=\"8\" fill=\"#fff\"/><path d=\"M1 1h2v2H1zM5 1h2v2H5zM1 5h2v2H1zM4 4h1v1H4zM6 6h1v1H6z\"/></svg>";
    TotpSetup { secret: "JBSW Y3DP EHPK 3PXP".into(), uri: uri.into(), picture: picture.into() }
}

fn send_code(method: &str, error: Option<&str>) -> SendCode {
    SendCode {
        action: format!("/sign-in/{method}?flow=1"),
        csrf: "token".into(),
        method: method.into(),
        login: String::new(),
        error: error.map(str::to_owned),
        sign_in_uri: "/sign-in?flow=1&other=1".into(),
        client: Some(shop()),
        back_uri: Some("https://books.example.com/".into()),
        captcha: None,
    }
}

fn passkey() -> Passkey {
    Passkey {
        action: "/sign-in/passkey?flow=1".into(),
        csrf: "token".into(),
        options: "{\"challenge\":\"AAAA\"}".into(),
        state: "sealed".into(),
    }
}

fn magic_link(asks_code: bool, error: Option<&str>) -> MagicLinkPage {
    MagicLinkPage {
        action: "/sign-in/magic".into(),
        csrf: "token".into(),
        token: "token".into(),
        asks_code,
        error: error.map(str::to_owned),
    }
}

fn backup_codes() -> Vec<String> {
    (0..10).map(|number| format!("k3x{number}-8mzq-w0d4a")).collect()
}

fn second_factor(method: &str) -> SecondFactor {
    SecondFactor {
        action: "/sign-in/second?flow=1".into(),
        csrf: "token".into(),
        is_second: true,
        sends: ["email_code", "sms_code", "magic_link"].contains(&method),
        confirm_code: None,
        sent: false,
        method: method.into(),
        passkey: Some(passkey()).filter(|_| method.starts_with("passkey")),
        challenge: method.into(),
        hint: None,
        setup: None,
        others: vec![OtherFactor {
            method: "backup_code".into(),
            hint: None,
            url: "/sign-in/second?flow=1&challenge=backup_code".into(),
        }],
        error: None,
        remember_days: Some(30),
        sign_in_uri: "/sign-in?flow=1&other=1".into(),
        client: Some(shop()),
        back_uri: Some("https://books.example.com/".into()),
    }
}

fn sign_in() -> SignIn {
    SignIn {
        action: "/sign-in?flow=1".into(),
        csrf: "token".into(),
        login: String::new(),
        again: false,
        login_locked: false,
        error: None,
        client: Some(shop()),
        back_uri: Some("https://books.example.com/".into()),
        register_uri: Some("/register?flow=1".into()),
        recover_uri: Some("/recover?flow=1".into()),
        names: "any".into(),
        providers: vec![],
        connects: None,
        methods: vec![],
        remember: true,
        development_users: vec![],
        captcha: None,
        passkey: Some(passkey()),
    }
}

fn development_user(name: &str, username: &str) -> DevelopmentUser {
    DevelopmentUser { name: name.into(), username: username.into(), password: "correct horse".into() }
}

fn provider(slug: &str, last_used: bool) -> ProviderButton {
    ProviderButton {
        slug: slug.into(),
        label: "Google <b>".into(),
        url: format!("/federation/{slug}/start?flow=1"),
        logo_uri: last_used.then(|| "https://www.google.com/favicon.svg".into()),
        last_used,
    }
}

fn connects() -> Connects {
    Connects { provider: "Google".into(), identity: "alice@gmail.com".into() }
}

fn method(name: &str) -> Method {
    Method { name: name.into(), url: format!("/sign-in/{name}") }
}

fn scope(name: &str) -> ConsentScope {
    ConsentScope { name: name.into(), known: true, is_new: false, optional: false }
}

fn consent() -> Consent {
    Consent {
        action: "/consent?flow=1".into(),
        csrf: "token".into(),
        client: shop(),
        account: alice(),
        scopes: vec![scope("openid"), scope("profile"), scope("email"), scope("offline_access")],
        claims: vec![],
        offline_access: true,
        revoke_uri: Some("/account/apps".into()),
    }
}

fn error_docs(single: bool) -> ErrorDocs {
    let codes = ErrorCode::ALL.iter().take(if single { 1 } else { usize::MAX });
    let codes = codes.map(|code| ErrorDocsCode {
        code: code.to_string(),
        of_clients: true,
        of_pages: *code == ErrorCode::ServerError,
    });
    ErrorDocs { codes: codes.collect(), single }
}

fn error(key: &str, status: u16) -> Error {
    Error {
        key: key.into(),
        title: None,
        status,
        hint: Some(
            "Registered: https://books.example.com/callback. Sent: https://books.example.com/callback/ (a slash more)."
                .into(),
        ),
        back_uri: None,
        client_name: None,
        code: Some("E-AUTHZ-003".into()),
    }
}

pub(super) fn samples() -> Vec<Sample> {
    let mut samples = sign_in_samples();
    samples.extend(account::samples());
    samples.extend(device::samples());
    samples.extend(consent_samples());
    samples.extend(ending_samples());
    samples.extend(console::samples());
    samples.extend(document_samples());
    samples
}

fn sign_in_samples() -> Vec<Sample> {
    let challenge = Captcha { challenge: Some("{\"salt\":\"<&'\"}".into()), ..Captcha::default() };
    let widget = Captcha {
        script: Some("https://challenges.cloudflare.com/turnstile/v0/api.js".into()),
        class: Some("cf-turnstile".into()),
        site_key: Some("key".into()),
        ..Captcha::default()
    };
    let by_code = SendCode { captcha: Some(challenge.clone()), ..send_code("email_code", None) };
    vec![
        sample("send_code_captcha", "page/send_code.html", by_code),
        sample("sign_in_captcha", "page/sign_in.html", SignIn { captcha: Some(challenge), ..sign_in() }),
        sample("sign_in_widget", "page/sign_in.html", SignIn { captcha: Some(widget), ..sign_in() }),
        sample("sign_in", "page/sign_in.html", sign_in()),
        sample(
            "sign_in_providers",
            "page/sign_in.html",
            SignIn { providers: vec![provider("google", true), provider("corp", false)], ..sign_in() },
        ),
        sample("sign_in_connects", "page/sign_in.html", SignIn { connects: Some(connects()), ..sign_in() }),
        sample(
            "connect",
            "page/connect.html",
            Connect {
                action: "/federation/connect".into(),
                csrf: "token".into(),
                provider: "Google".into(),
                identity: "alice@gmail.com".into(),
                account: alice(),
            },
        ),
        sample(
            "sign_in_development",
            "page/sign_in.html",
            SignIn {
                development_users: vec![
                    development_user("Alice", "alice@example.com"),
                    development_user("Bob", "bob@example.com"),
                ],
                ..sign_in()
            },
        ),
        sample(
            "sign_in_full",
            "page/sign_in.html",
            SignIn {
                error: Some("sign_in_failed".into()),
                login: "alice@example.com".into(),
                client: Some(stranger()),
                methods: vec![method("passkey"), method("email_otp"), method("Acme")],
                ..sign_in()
            },
        ),
        sample(
            "sign_in_again",
            "page/sign_in.html",
            SignIn {
                login: "alice@example.com".into(),
                again: true,
                login_locked: true,
                client: None,
                back_uri: None,
                remember: false,
                ..sign_in()
            },
        ),
        sample(
            "link",
            "page/link.html",
            LinkPage { action: "/sign-in/link".into(), csrf: "token".into(), token: "token".into() },
        ),
        sample(
            "select_account",
            "page/select_account.html",
            SelectAccount {
                action: "/select-account?flow=1".into(),
                csrf: "token".into(),
                accounts: vec![alice()],
                client: Some(shop()),
                back_uri: Some("https://books.example.com/".into()),
            },
        ),
    ]
}

fn consent_samples() -> Vec<Sample> {
    vec![
        sample("second_factor", "page/second_factor.html", second_factor("totp")),
        sample(
            "second_factor_wrong",
            "page/second_factor.html",
            SecondFactor { error: Some("wrong_code".into()), remember_days: None, ..second_factor("backup_code") },
        ),
        sample(
            "second_factor_setup",
            "page/second_factor.html",
            SecondFactor { setup: Some(totp_setup()), others: vec![], ..second_factor("totp_setup") },
        ),
        sample("second_factor_send", "page/second_factor.html", second_factor("sms_code")),
        sample(
            "sign_in_code",
            "page/second_factor.html",
            SecondFactor { is_second: false, sent: true, others: vec![], ..second_factor("email_code") },
        ),
        sample(
            "magic_link_sent",
            "page/second_factor.html",
            SecondFactor {
                is_second: false,
                sent: true,
                others: vec![],
                confirm_code: Some("123456".into()),
                ..second_factor("magic_link")
            },
        ),
        sample("send_link", "page/send_code.html", send_code("magic_link", None)),
        sample("magic_link", "page/magic_link.html", magic_link(false, None)),
        sample("magic_link_elsewhere", "page/magic_link.html", magic_link(true, Some("wrong_code"))),
        sample(
            "passkey_offer",
            "page/passkey_offer.html",
            PasskeyOffer { passkey: passkey(), error: Some("passkey_failed".into()) },
        ),
        sample("send_code", "page/send_code.html", send_code("email_code", None)),
        sample("send_code_recently", "page/send_code.html", send_code("sms_code", Some("code_recently_sent"))),
        sample("second_factor_passkey", "page/second_factor.html", second_factor("passkey")),
        sample("second_factor_begin", "page/second_factor.html", second_factor("totp_setup")),
        sample("second_factor_passkey_setup", "page/second_factor.html", second_factor("passkey_setup")),
        sample("second_factor_password", "page/second_factor.html", second_factor("password")),
        sample(
            "backup_codes",
            "page/backup_codes.html",
            BackupCodes { codes: backup_codes(), continue_uri: "/sign-in?flow=1".into() },
        ),
        sample("consent", "page/consent.html", consent()),
        sample(
            "consent_full",
            "page/consent.html",
            Consent {
                client: stranger(),
                scopes: vec![
                    scope("openid"),
                    ConsentScope { optional: true, ..scope("phone") },
                    ConsentScope { optional: true, is_new: true, ..scope("address") },
                    ConsentScope { known: false, is_new: true, ..scope("https://api.example.com/orders.write") },
                ],
                claims: vec!["birthdate".into(), "urn:example:shoe_size".into()],
                offline_access: false,
                ..consent()
            },
        ),
        sample(
            "form_post",
            "page/form_post.html",
            FormPost {
                action: "https://books.example.com/callback".into(),
                fields: ["code", "state", "iss"]
                    .map(|name| FormField { name: name.into(), value: "\"><script>".into() })
                    .into(),
            },
        ),
    ]
}

fn ending_samples() -> Vec<Sample> {
    vec![
        sample("error", "page/error.html", error("redirect_uri_mismatch", 400)),
        sample("error_docs", "page/error_docs.html", error_docs(false)),
        sample("error_docs_of_one", "page/error_docs.html", error_docs(true)),
        sample(
            "error_back",
            "page/error.html",
            Error {
                back_uri: Some("https://books.example.com/".into()),
                client_name: Some("Harbour Books".into()),
                code: None,
                ..error("interaction_expired", 410)
            },
        ),
        sample("error_unheard_of", "page/error.html", error("unheard_of", 503)),
        sample(
            "error_title",
            "page/error.html",
            Error { title: Some("A title of its own".into()), ..error("unheard_of", 400) },
        ),
        sample(
            "logout",
            "page/logout.html",
            Logout {
                action: "/oauth2/logout".into(),
                csrf: "token".into(),
                client: Some(shop()),
                account: Some(alice()),
            },
        ),
        sample(
            "logout_bare",
            "page/logout.html",
            Logout { action: "/oauth2/logout".into(), csrf: "token".into(), client: None, account: None },
        ),
        sample(
            "signed_out",
            "page/signed_out.html",
            SignedOut {
                client: Some(shop()),
                back_uri: Some("https://books.example.com/".into()),
                onward: Some("https://books.example.com/bye?state=\"><script>".into()),
                frames: vec!["https://books.example.com/out?sid=\"><script>".into()],
            },
        ),
        sample(
            "signed_out_bare",
            "page/signed_out.html",
            SignedOut { client: None, back_uri: None, onward: None, frames: vec![] },
        ),
        sample(
            "home",
            "page/home.html",
            Home { issuer: "https://id.example.com".into(), account: None, links: links(&["sign_in", "discovery"]) },
        ),
        sample(
            "home_signed_in",
            "page/home.html",
            Home {
                issuer: "https://id.example.com/tenant".into(),
                account: Some(alice()),
                links: links(&["account", "sign_out", "admin", "discovery", "jwks", "demo", "mailbox", "other"]),
            },
        ),
    ]
}

fn links(ids: &[&str]) -> Vec<Link> {
    ids.iter().map(|id| Link { id: (*id).into(), url: format!("/{id}") }).collect()
}

fn admin() -> Admin {
    Admin {
        account: Account { name: "Admin".into(), login: "admin@example.com".into() },
        issuer: "https://id.example.com".into(),
        version: "0.1.0".into(),
        clients: vec![
            AdminClient {
                client_id: "demo-web".into(),
                name: "Demo Web".into(),
                kind: "web".into(),
                redirect_uris: vec!["http://localhost:8090/callback".into(), "http://localhost:8090/other".into()],
            },
            AdminClient {
                client_id: "5cbb1f5e-2b1b-4f0e-9e0a-4cf1a4c8c0de".into(),
                name: "Robot".into(),
                kind: "robot".into(),
                redirect_uris: vec![],
            },
        ],
        users: vec![AdminUser {
            username: "alice@example.com".into(),
            email: Some("alice@example.com".into()),
            name: Some("Alice Liddell".into()),
        }],
        keys: ["RS256", "ES256", "EdDSA"]
            .map(|alg| AdminKey { kid: format!("kid-{alg}"), alg: alg.into(), state: "active".into() })
            .into(),
        refusals: vec![refusal()],
        csrf: "token".into(),
        message_action: "/admin/messages".into(),
        undelivered: vec![UndeliveredMessage {
            id: "0190a1b2-c3d4-7000-8000-00000000000b".into(),
            queue: "mail".into(),
            asked_at: 1_800_000_000,
            attempts: 20,
            error: "it answered 550 5.1.1 no such user".into(),
        }],
    }
}

fn refusal() -> Refusal {
    Refusal {
        at: 1_795_252_462,
        client_id: Some("demo-web".into()),
        endpoint: "/oauth2/authorize".into(),
        error: "redirect_uri_mismatch".into(),
        description: "the redirect_uri is not registered for this client".into(),
        hint: Some("Registered is http://localhost:8090/callback; sent was …/callback/ with a slash more.".into()),
    }
}

fn mailbox() -> Mailbox {
    let message = |id: &str, channel: &str, subject: Option<&str>, html: Option<&str>| Message {
        id: id.into(),
        channel: channel.into(),
        to: "alice@example.com".into(),
        subject: subject.map(Into::into),
        text: "Your code is 123 456.\n\nOr follow http://localhost:8080/l/abc?x=1&y=2 on any device.".into(),
        html: html.map(Into::into),
        sent_at: 1_795_252_462,
    };
    Mailbox {
        messages: vec![
            message("2", "mail", Some("123 456 is your code"), Some("<p>Your code is <b>123 456</b>.</p>")),
            message("1", "sms", None, None),
        ],
    }
}

fn document_samples() -> Vec<Sample> {
    let nothing = Admin { clients: vec![], users: vec![], refusals: vec![], undelivered: vec![], ..admin() };
    let nobody = Refusal { client_id: None, hint: None, ..refusal() };
    vec![
        sample("admin", "page/admin.html", admin()),
        sample("admin_empty", "page/admin.html", nothing),
        sample("admin_nobody", "page/admin.html", Admin { refusals: vec![nobody], ..admin() }),
        sample("mailbox", "dev/mailbox.html", mailbox()),
        sample("mailbox_empty", "dev/mailbox.html", json!({ "messages": [] })),
    ]
}
