//! `/admin/identity-rules`: which names, addresses, numbers and callers are taken (S-024).
//!
//! Those of the settings stand beside, for the eye: they are changed where they are written.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::api::admin::asked::{Asked, Named};
use crate::http::api::admin::caller::{Auditor, Manager};
use crate::http::api::answer::{Moment, answer, nothing, ok};
use crate::http::api::body::{Json, Text, body, choices};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, delete, get, post};
use crate::http::api::paging::{CURSOR, LIMIT};
use crate::http::api::problem::Problem;
use crate::http::web::Web;
use crate::model::id::IdentityRuleId;
use crate::model::identity_rule::{Effect, IdentityRule, RuleKind};
use crate::model::user::Role;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/admin/identity-rules", Group::Admin), "List which names are taken, the oldest rule first", list)
            .by_role(Role::Auditor)
            .query(CURSOR.0, CURSOR.1)
            .query(LIMIT.0, LIMIT.1)
            .query("kind", "Only rules about `email`, `phone`, `username` or `ip`.")
            .gives::<AdminRuleList>(StatusCode::OK, "One page of rules, and those of the settings.")
            .refuses(&[Code::InvalidValue, Code::TooLong, Code::UnknownField]),
        post(("/admin/identity-rules", Group::Admin), "Make a rule; every node goes by it within a second", create)
            .by_role(Role::Admin)
            .takes::<NewAdminRule>()
            .gives::<AdminRule>(StatusCode::CREATED, "The rule.")
            .refuses(&[Code::AlreadyExists]),
        delete(("/admin/identity-rules/{id}", Group::Admin), "Take a rule away", remove)
            .by_role(Role::Admin)
            .gives_nothing(StatusCode::NO_CONTENT, "It is gone."),
    ]
}

/// One page of rules.
#[derive(Debug, Serialize, ToSchema)]
struct AdminRuleList {
    /// The rules that are kept here.
    items: Vec<AdminRule>,
    /// The rules of the settings; they are changed there.
    settings: Vec<SettingsRule>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// A rule that is kept here.
#[derive(Debug, Serialize, ToSchema)]
struct AdminRule {
    /// Its id.
    id: String,
    /// `allow` or `deny`; one that allows beats all that deny.
    r#type: &'static str,
    /// `email`, `phone`, `username` or `ip`.
    kind: &'static str,
    /// What it finds: a regular expression.
    pattern: String,
    /// Why it is there.
    note: String,
    /// When it was made.
    created_at: Moment,
}

/// A rule of the settings.
#[derive(Debug, Serialize, ToSchema)]
struct SettingsRule {
    /// `allow` or `deny`.
    r#type: &'static str,
    /// `email`, `phone`, `username` or `ip`.
    kind: &'static str,
    /// What it finds.
    pattern: String,
}

choices! {
    /// What a rule does with what it finds.
    enum EffectWord {
        /// It is taken, whatever else is said.
        Allow = "allow",
        /// It is not.
        Deny = "deny",
    }
}

choices! {
    /// What a rule is about.
    enum RuleKindWord {
        /// E-mail addresses, in lower case.
        Email = "email",
        /// Phone numbers in E.164.
        Phone = "phone",
        /// Usernames, in lower case.
        Username = "username",
        /// The address of the caller.
        Ip = "ip",
    }
}

body! {
    /// A rule that shall be.
    struct NewAdminRule {
        /// What it does.
        r#type: EffectWord,
        /// What it is about.
        kind: RuleKindWord,
        /// What it finds: a regular expression, which runs in linear time.
        pattern: String,
        /// Why it is there.
        note: Option<Text>,
    }
}

impl AdminRule {
    fn of(rule: &IdentityRule) -> Self {
        Self {
            id: rule.id.to_string(),
            r#type: rule.effect.as_str(),
            kind: rule.kind.as_str(),
            pattern: rule.pattern.clone(),
            note: rule.note.clone(),
            created_at: Moment(rule.created_at),
        }
    }
}

async fn list(State(web): State<Web>, Auditor(caller): Auditor, asked: Asked) -> Result<Response, Problem> {
    let asked = asked.only(&["kind"])?;
    let after = asked.paging.cursor(|cursor| cursor.parse::<IdentityRuleId>().ok())?;
    let kind = asked.value("kind", RuleKind::parse)?;
    let fits = |own: RuleKind| kind.is_none_or(|kind| kind == own);
    let all = caller.admin.edges.store.identity_rules().await?;
    let fitting = all.iter().filter(|rule| fits(rule.kind) && after.is_none_or(|after| rule.id > after));
    let mut page: Vec<&IdentityRule> = fitting.take(asked.paging.limit as usize + 1).collect();
    let next = asked.paging.cut(&mut page, |rule| rule.id.to_string());
    let settings = web.provider.accounts.settings.rules.of_settings().iter().filter(|rule| fits(rule.kind));
    let settings = settings.map(|rule| SettingsRule {
        r#type: rule.effect.as_str(),
        kind: rule.kind.as_str(),
        pattern: rule.pattern.as_str().to_owned(),
    });
    Ok(ok(&AdminRuleList { items: page.into_iter().map(AdminRule::of).collect(), settings: settings.collect(), next }))
}

async fn create(
    State(web): State<Web>,
    Manager(caller): Manager,
    Json(body): Json<NewAdminRule>,
) -> Result<Response, Problem> {
    let effect = match body.r#type {
        EffectWord::Allow => Effect::Allow,
        EffectWord::Deny => Effect::Deny,
    };
    let kind = match body.kind {
        RuleKindWord::Email => RuleKind::Email,
        RuleKindWord::Phone => RuleKind::Phone,
        RuleKindWord::Username => RuleKind::Username,
        RuleKindWord::Ip => RuleKind::Ip,
    };
    let note = body.note.map(|note| note.0).unwrap_or_default();
    let made = caller.admin.create_rule((effect, kind), &body.pattern, &note).await?;
    web.provider.accounts.settings.rules.follow(&web.provider.edges.store).await?;
    Ok(answer(StatusCode::CREATED, &AdminRule::of(&made)))
}

async fn remove(State(web): State<Web>, Manager(caller): Manager, named: Named) -> Result<Response, Problem> {
    let id: IdentityRuleId = named.first().parse().map_err(|_| Problem::new(Code::NotFound))?;
    caller.admin.delete_rule(id).await?;
    web.provider.accounts.settings.rules.follow(&web.provider.edges.store).await?;
    Ok(nothing())
}
