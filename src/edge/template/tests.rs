//! Every page renders, every text is there and used, and nothing on a page needs what the CSP refuses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use scraper::{Html, Selector};
use serde_json::json;

use super::sample::{Sample, samples};
use super::source::{Kind, Source};
use super::*;

fn templates() -> Templates {
    Templates::load(None, Missing::Fail).unwrap()
}

/// They are compiled when they are first shown: here, each is.
#[test]
fn every_template_of_ours_compiles() {
    let templates = templates();
    let english = templates.edition(&templates.negotiate(&[], None));
    let ours = source::sources(None).unwrap().into_iter().filter(|source| source.kind == Kind::Template);
    let mut count = 0;
    for source in ours {
        for name in [source.name.clone(), format!("default/{}", source.name)] {
            english.get_template(&name).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        }
        count += 1;
    }
    assert!(count > 50, "{count}");
    assert!(english.get_template("asset/style.css").is_err());
    assert!(english.get_template("page/../base.html").is_err());
}

fn frame(templates: &Templates) -> Frame {
    Frame {
        base: "/tenant".into(),
        language: templates.negotiate(&[], None),
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".into(),
        development: true,
        display: crate::protocol::authorization_request::Display::Page,
    }
}

fn rendered() -> Vec<(Sample, String)> {
    let templates = templates();
    let frame = frame(&templates);
    samples()
        .into_iter()
        .map(|sample| {
            let html = templates.page(sample.template, &frame, &sample.context);
            let html = html.unwrap_or_else(|error| panic!("{}: {error:?}", sample.picture));
            (sample, html)
        })
        .collect()
}

fn select<'a>(page: &'a Html, selector: &str) -> Vec<scraper::ElementRef<'a>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

fn page_of(picture: &str) -> Html {
    let (_, html) = rendered().into_iter().find(|(sample, _)| sample.picture == picture).unwrap();
    Html::parse_document(&html)
}

/// What is written into a template before it is compiled is what it would have said.
#[test]
fn a_settled_template_says_the_same() {
    let templates = templates();
    let mut settled = 0;
    for language in templates.shared.texts.languages() {
        let mut plain = templates.edition(language).clone();
        let shared = Arc::clone(&templates.shared);
        let speech = edition::Speech { shared, language: language.clone() };
        plain.clear_templates();
        plain.set_loader(move |name| Ok(settle::Known::source(&speech, name)));
        let frame = Frame { language: language.clone(), ..frame(&templates) };
        for Sample { template, context, .. } in samples() {
            let page = templates.page(template, &frame, &context).unwrap();
            let expected = plain.get_template(template).unwrap().render(Root::of(&frame, &context)).unwrap();
            assert_eq!(page, expected, "{template}");
            settled += 1;
        }
    }
    assert!(settled > 50, "{settled}");
}

#[test]
fn every_page_has_a_sample() {
    let sampled: BTreeSet<&str> = samples().iter().map(|sample| sample.template).collect();
    let sources = source::sources(None).unwrap();
    let pages = sources.iter().map(|source| source.name.as_str()).filter(|name| name.starts_with("page/"));
    for page in pages {
        assert!(sampled.contains(page), "{page} has no sample");
    }
}

/// Writes the pages to look at, when a folder for them is named.
#[test]
fn every_page_renders() {
    let pages = rendered();
    assert!(pages.iter().all(|(_, html)| html.contains("</html>")));

    if let Some(folder) = std::env::var_os("SYMBOLON_RENDER_DIR") {
        let folder = Path::new(&folder);
        std::fs::create_dir_all(folder.join("tenant/assets")).unwrap();
        for (sample, html) in &pages {
            std::fs::write(folder.join(format!("{}.html", sample.picture)), html).unwrap();
        }
        let templates = templates();
        for name in ["style.css", "page.js", "form_post.js", "logo.svg", "favicon.svg"] {
            let hashed = templates.shared.assets.hashed_name(name).unwrap();
            std::fs::write(folder.join("tenant/assets").join(hashed), templates.asset(hashed).unwrap().bytes).unwrap();
        }
    }
}

#[test]
fn pages_keep_to_the_content_security_policy() {
    for (Sample { picture, .. }, html) in rendered() {
        let page = Html::parse_document(&html);
        assert!(select(&page, "style, [style], script:not([src]), object, embed, base").is_empty(), "{picture}");
        // The page that tells apps of a sign-out admits their frames (`http::security_header::admit_frames`).
        let frames = select(&page, "iframe");
        assert!(frames.is_empty() || picture == "signed_out", "{picture}");
        assert!(frames.iter().all(|frame| frame.value().attr("sandbox") == Some("allow-scripts allow-same-origin")));
        for element in select(&page, "*") {
            let handler = element.value().attrs().find(|(name, _)| name.starts_with("on"));
            assert_eq!(handler, None, "{picture}");
        }
        for element in select(&page, "script[src], link[href]") {
            let url = element.value().attr("src").or(element.value().attr("href")).unwrap();
            // The widget of a captcha service comes from there; its page admits it (`http::captcha::admit_widget`).
            let is_widget = picture == "sign_in_widget" && url.starts_with("https://challenges.cloudflare.com/");
            assert!(url.starts_with("/tenant/assets/") || is_widget, "{picture}: {url}");
        }
    }
}

#[test]
fn pages_are_sound_documents() {
    for (Sample { picture, .. }, html) in rendered() {
        let page = Html::parse_document(&html);
        let root = page.root_element().value();
        assert_eq!((root.attr("lang"), root.attr("dir")), (Some("en"), Some("ltr")), "{picture}");
        assert_eq!(select(&page, "h1").len(), 1, "{picture}");
        assert_eq!(select(&page, "main[id]").len(), 1, "{picture}");
        assert!(!select(&page, "title")[0].text().collect::<String>().trim_start().starts_with('·'), "{picture}");

        let ids: Vec<&str> = select(&page, "[id]").iter().filter_map(|element| element.value().id()).collect();
        assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "{picture}: an id stands twice");
        for element in select(&page, "[for], [aria-labelledby], [aria-describedby], [data-reveals], [data-copies]") {
            for name in ["for", "aria-labelledby", "aria-describedby", "data-reveals", "data-copies"] {
                let Some(id) = element.value().attr(name) else { continue };
                for id in id.split_whitespace() {
                    assert!(ids.contains(&id), "{picture}: {name} names no element: {id}");
                }
            }
        }
        for form in select(&page, "form") {
            assert_eq!(form.value().attr("method"), Some("post"), "{picture}");
            assert!(form.value().attr("action").is_some_and(|action| !action.is_empty()), "{picture}");
            let csrf = select(&page, "form input[type=hidden][name=csrf]").len();
            assert!(picture == "form_post" || csrf == select(&page, "form").len(), "{picture}: a form lacks its token");
        }
    }
}

/// The conformance suite and every browser test find elements by these.
#[test]
fn stable_ids_stay() {
    let table: &[(&str, &[&str])] = &[
        (
            "sign_in",
            &[
                "form #login[name=login][autocomplete='username webauthn']",
                "form #password[name=password][autocomplete=current-password]",
                "button#login-submit",
                "a#client-policy",
                "a#client-tos",
                "input[name=remember]",
            ],
        ),
        ("sign_in_full", &["#sign-in-error[role=alert]", "#self-registered", "img#client-logo", "#method-passkey"]),
        (
            "sign_in_development",
            &["[id='dev-sign-in-alice@example.com']", "input[type=hidden][name=login][value='bob@example.com']"],
        ),
        ("sign_in_again", &["#login[readonly][value='alice@example.com']"]),
        ("select_account", &["button[name=account][value=current]", "button[name=account][value=other]"]),
        (
            "consent",
            &[
                "#consent-accept[name=decision][value=accept]",
                "#consent-deny[name=decision][value=deny]",
                "button[name=decision][value=switch]",
                "a[href='/account/apps']",
            ],
        ),
        ("consent_full", &["input[type=checkbox][name=scope][value=phone]", "#self-registered"]),
        (
            "form_post",
            &[
                "form#form-post[action='https://books.example.com/callback'] #form-post-submit",
                "input[name=code]",
                "script[src*=form_post]",
            ],
        ),
        ("error", &["main#error-page", "#error-hint", "#trace-id", "#error-code"]),
        ("error_back", &["a#back[href='https://books.example.com/']"]),
        ("logout", &["button#logout-confirm", "button[name=decision][value=stay]"]),
        ("signed_out", &["main#logged-out", "a#back"]),
        ("account", &["#sign-out", "a#console-sessions", "nav a[aria-current=page]"]),
        (
            "account_apps",
            &[
                "form[action='/account/apps/demo-web/revoke'] button#revoke-demo-web",
                "#apps-title ~ ul time[datetime='2026-11-21T09:14:22Z']",
            ],
        ),
        ("account_sessions", &["button#end-others"]),
        ("account_history", &["a#older"]),
        ("again", &["#login[readonly]", "form #password[name=password]", "button#again-submit"]),
        ("again_wrong", &["#again-error[role=alert]"]),
        ("home", &["#issuer", "#link-discovery"]),
    ];
    for (picture, selectors) in table {
        let page = page_of(picture);
        for selector in *selectors {
            assert_eq!(select(&page, selector).len(), 1, "{picture}: {selector}");
        }
    }
}

#[test]
fn a_logo_is_shown_only_by_a_safe_address() {
    let templates = templates();
    let logo = |logo_uri: &str| {
        let sample = samples().into_iter().find(|sample| sample.template == "page/sign_in.html");
        let mut context = serde_json::to_value(sample.expect("a sample").context).unwrap();
        context["client"]["logo_uri"] = json!(logo_uri);
        let html = templates.page("page/sign_in.html", &frame(&templates), &context).unwrap();
        select(&Html::parse_document(&html), "img#client-logo").len()
    };
    assert_eq!(logo("https://books.example.com/logo.png"), 1);
    assert_eq!(logo("javascript:alert(1)"), 0);
}

#[test]
fn what_strangers_chose_is_escaped() {
    for (Sample { picture, .. }, html) in rendered() {
        assert!(!html.contains("<b>Online") && !html.contains("\"><script>"), "{picture}");
    }
    let text: String = page_of("consent_full").root_element().text().collect();
    assert!(text.contains("Allow Donaudampfschifffahrtsgesellschaft <b>Online</b> & Partners?"));
}

#[test]
fn hints_are_for_development_only() {
    let templates = templates();
    let frame = Frame { development: false, ..frame(&templates) };
    for sample in samples().into_iter().filter(|sample| sample.template == "page/error.html") {
        let html = templates.page(sample.template, &frame, &sample.context).unwrap();
        assert!(!html.contains("a slash more") && !html.contains("Development server"));
        assert!(html.contains(&frame.trace_id));
    }
}

#[test]
fn a_missing_value_is_an_error_and_not_a_blank() {
    let templates = templates();
    let error = templates.page("page/sign_in.html", &frame(&templates), &json!({ "action": "/" })).unwrap_err();
    assert!(matches!(error, TemplateError::Render { .. }));
    assert!(templates.page("page/unheard_of.html", &frame(&templates), &json!({})).is_err());
}

/// The keys that templates name: whole ones, and beginnings that a value completes (`'error-' ~ key`).
fn keys_used(sources: &[Source]) -> (BTreeSet<String>, BTreeSet<String>) {
    // What the program names: a filter, the catalogue of problems, the pages of the console.
    let mut whole = BTreeSet::from(["date".to_owned()]);
    let mut beginnings = BTreeSet::from(["problem-".to_owned(), "console-".to_owned()]);
    let templates = sources.iter().filter(|source| source.kind == Kind::Template);
    let tags = templates.flat_map(|source| {
        let text = source.text().unwrap().into_owned();
        text.split(['{', '}']).map(str::to_owned).collect::<Vec<_>>()
    });
    for tag in tags.filter(|tag| tag.starts_with('%') || tag.contains("t('")) {
        // Outside of quotes and inside alternate.
        let parts: Vec<&str> = tag.split('\'').collect();
        for window in parts.windows(3).step_by(2) {
            let [before, literal, after] = window else { unreachable!("windows of three") };
            let call = before.rsplit(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != '(').next();
            if after.trim_start().starts_with('~') {
                beginnings.insert((*literal).to_owned());
            } else if call.is_some_and(|call| ["t(", "(t(", "has_text("].contains(&call)) {
                whole.insert((*literal).to_owned());
            }
        }
    }
    (whole, beginnings)
}

/// The keys of a language, those of attributes among them.
fn keys_written(sources: &[Source], tag: &str) -> BTreeSet<String> {
    let folder = format!("locale/{tag}/");
    let mut keys = BTreeSet::new();
    for source in sources.iter().filter(|source| source.name.starts_with(&folder)) {
        let mut message = "";
        for line in source.text().unwrap().lines() {
            let Some((name, _)) = line.split_once('=') else { continue };
            if let Some(attribute) = name.trim().strip_prefix('.') {
                keys.insert(format!("{message}.{attribute}"));
            } else if !name.starts_with([' ', '#']) {
                message = name.trim();
                assert!(keys.insert(message.to_owned()), "{message} stands twice");
            }
        }
    }
    keys
}

#[test]
fn every_text_used_is_there_and_none_is_left_over() {
    let sources = source::sources(None).unwrap();
    let (whole, beginnings) = keys_used(&sources);
    let written = keys_written(&sources, "en");

    let missing: Vec<_> = whole.iter().filter(|key| !written.contains(*key)).collect();
    assert!(missing.is_empty(), "used and not written: {missing:?}");
    let open: Vec<_> = beginnings.iter().filter(|start| !written.iter().any(|key| key.starts_with(*start))).collect();
    assert!(open.is_empty(), "no text begins so: {open:?}");
    let unused: Vec<_> = written
        .iter()
        .filter(|key| !whole.contains(*key) && !beginnings.iter().any(|start| key.starts_with(start)))
        .collect();
    assert!(unused.is_empty(), "written and not used: {unused:?}");
}

/// The texts of a language by key, each with the lines that belong to it.
fn texts_written(sources: &[Source], tag: &str) -> BTreeMap<String, String> {
    let folder = format!("locale/{tag}/");
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.name.starts_with(&folder)) {
        let (mut message, mut key) = ("", String::new());
        for line in source.text().unwrap().lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (name, rest) = line.split_once('=').unwrap_or(("", line));
            if name.starts_with(|first: char| first.is_ascii_alphabetic()) {
                message = name.trim();
                message.clone_into(&mut key);
                texts.insert(key.clone(), rest.to_owned());
            } else if let Some(attribute) = name.trim().strip_prefix('.') {
                key = format!("{message}.{attribute}");
                texts.insert(key.clone(), rest.to_owned());
            } else {
                texts.entry(key.clone()).or_default().push_str(line);
            }
        }
    }
    texts
}

/// What a text is filled with, and its HTML: `$name`, `<strong>`.
fn filled_with(text: &str) -> BTreeSet<&str> {
    let until = |start: &str, is_part: fn(char) -> bool| {
        let start = start.to_owned();
        text.match_indices(&start)
            .map(|(at, _)| {
                let rest = &text[at + 1..];
                let end = rest.find(|letter: char| !is_part(letter)).unwrap_or(rest.len());
                &text[at..=at + end]
            })
            .collect::<Vec<_>>()
    };
    let variables = until("$", |letter| letter.is_ascii_alphanumeric() || letter == '_');
    let tags = until("<", |letter| letter != '>');
    variables.into_iter().chain(tags).collect()
}

/// S-175: every language that we ship says what English says, with the same names in it.
#[test]
fn each_language_has_every_text_and_fills_it_alike() {
    let sources = source::sources(None).unwrap();
    let english = texts_written(&sources, "en");
    assert_eq!(english.keys().cloned().collect::<BTreeSet<_>>(), keys_written(&sources, "en"));
    let templates = templates();
    for tag in templates.languages().iter().filter(|tag| *tag != "en") {
        let other = texts_written(&sources, tag);
        let lacking: Vec<_> = english.keys().filter(|key| !other.contains_key(*key)).collect();
        let left_over: Vec<_> = other.keys().filter(|key| !english.contains_key(*key)).collect();
        assert!(lacking.is_empty() && left_over.is_empty(), "{tag} lacks {lacking:?} and has alone {left_over:?}");
        for (key, text) in &english {
            assert_eq!(filled_with(text), filled_with(&other[key]), "{tag} {key}");
        }
        let same = english.iter().filter(|(key, text)| text.len() > 20 && other[*key].trim() == text.trim());
        assert_eq!(same.collect::<Vec<_>>(), [], "{tag}: these are English");
    }
}

/// Every page in every language, with nothing missing.
#[test]
fn every_page_renders_in_every_language() {
    let templates = templates();
    for tag in templates.languages() {
        let frame = Frame { language: templates.negotiate(std::slice::from_ref(&tag), None), ..frame(&templates) };
        for sample in samples() {
            let html = templates.page(sample.template, &frame, &sample.context);
            let html = html.unwrap_or_else(|error| panic!("{tag} {}: {error:?}", sample.picture));
            let page = Html::parse_document(&html);
            assert_eq!(page.root_element().value().attr("lang"), Some(tag.as_str()), "{}", sample.picture);
        }
    }
}

/// Texts stand in attributes too, and their HTML is ours alone.
#[test]
fn texts_hold_simple_html_only() {
    for source in source::sources(None).unwrap().iter().filter(|source| source.kind == Kind::Text) {
        for line in source.text().unwrap().lines().filter(|line| !line.starts_with('#')) {
            assert!(!line.contains(['"', '&']), "{}: {line}", source.name);
            for tag in line.split('<').skip(1) {
                let name = tag.split('>').next().unwrap();
                assert!(["strong", "/strong", "em", "/em", "code", "/code"].contains(&name), "{}: {line}", source.name);
            }
        }
    }
}

#[test]
fn every_error_has_a_cause_and_a_cure() {
    let keys = keys_written(&source::sources(None).unwrap(), "en");
    let titles = keys
        .iter()
        .filter(|key| keys.contains(&format!("{key}.cause")) || key.starts_with("error-") && key.contains('_'));
    assert!(titles.clone().count() > 10);
    for key in titles.filter(|key| !key.contains('.')) {
        assert!(keys.contains(&format!("{key}.cause")) && keys.contains(&format!("{key}.cure")), "{key}");
    }
}

#[test]
fn the_style_sheet_stays_small() {
    let templates = templates();
    let style = templates.asset(templates.shared.assets.hashed_name("style.css").unwrap()).unwrap();
    assert!(style.bytes.len() < 20_000, "{} bytes", style.bytes.len());
    assert!(templates.asset("style.css").is_none() && templates.asset("../style.css").is_none());
}

#[test]
fn a_theme_replaces_file_by_file_and_text_by_text() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    write("theme.toml", "");
    write("theme.css", ":root { --accent: red }");
    write("page/signed_out.html", "{% extends 'default/page/signed_out.html' %}{% block token %}joined{% endblock %}");
    write("locale/en/own.ftl", "product = Harbour");
    write("locale/ar/page.ftl", "product = المرفأ");
    let templates = Templates::load(Some(folder.path()), Missing::Fail).unwrap();

    let signed_out = json!({ "client": null, "back_uri": null, "onward": null, "frames": [] });
    let html = templates.page("page/signed_out.html", &frame(&templates), &signed_out);
    let page = Html::parse_document(&html.unwrap());
    assert_eq!(select(&page, ".token.joined").len(), 1);
    assert_eq!(select(&page, "link[href*='theme-']").len(), 1);
    assert_eq!(select(&page, ".wordmark")[0].text().collect::<String>(), "Harbour");
    assert_eq!(select(&page, "h1")[0].text().collect::<String>(), "You are signed out");

    let arabic = Frame { language: templates.negotiate(&["ar-EG".to_owned()], None), ..frame(&templates) };
    let html = templates.page("page/home.html", &arabic, &json!({ "issuer": "i", "account": null, "links": [] }));
    let page = Html::parse_document(&html.unwrap());
    let root = page.root_element().value();
    assert_eq!((root.attr("lang"), root.attr("dir")), (Some("ar"), Some("rtl")));
    assert_eq!(select(&page, "h1")[0].text().collect::<String>(), "المرفأ");
}

#[test]
fn a_broken_theme_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("base.html"), "{% block %}").unwrap();
    let error = Templates::new(Some(folder.path())).err().unwrap();
    assert_eq!(error.to_string(), "template base.html does not compile");

    let error = Templates::new(Some(&folder.path().join("nowhere"))).err().unwrap();
    assert!(matches!(error, TemplateError::Theme { .. }), "{error}");
}

#[test]
fn an_unknown_text_never_breaks_a_page_in_production() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("page")).unwrap();
    std::fs::write(folder.path().join("page/home.html"), "{{ t('unheard-of') }}").unwrap();
    let templates = Templates::new(Some(folder.path())).unwrap();
    assert_eq!(templates.page("page/home.html", &frame(&templates), &json!({})).unwrap(), "unheard-of");

    let strict = Templates::load(Some(folder.path()), Missing::Fail).unwrap();
    assert!(strict.page("page/home.html", &frame(&strict), &json!({})).is_err());
}
