//! `/admin/settings`: the settings in force, each with where it was set; of a secret only where it stands.
//!
//! EXPERIENCE.md §2. *Why nothing is changed here:* settings stand in a file, in variables and on the command line, under the hands of
//! whoever runs the process; `symbolon reload` takes them over. What is decided while the server runs (clients, providers, rules, groups)
//! has operations of its own.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::api::admin::asked::Asked;
use crate::http::api::admin::caller::Auditor;
use crate::http::api::answer::ok;
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, get};
use crate::http::api::problem::Problem;
use crate::http::web::Web;
use crate::model::user::Role;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/admin/settings", Group::Admin), "The settings in force, and where each was set", list)
            .by_role(Role::Auditor)
            .query("q", "A part of the path.")
            .query("set", "`true`: only what was set; `false`: only what has its default.")
            .gives::<AdminSettings>(StatusCode::OK, "The settings; of a secret, only where it stands.")
            .refuses(&[Code::InvalidValue, Code::TooLong, Code::UnknownField]),
    ]
}

/// What tells the settings in force. *Why a function:* few ask, and the start has no time for it.
pub type Settings = Arc<dyn Fn() -> Vec<AdminSetting> + Send + Sync>;

/// The settings in force.
#[derive(Debug, Serialize, ToSchema)]
struct AdminSettings {
    /// The settings, in the order of the reference.
    items: Vec<AdminSetting>,
}

/// A setting in force.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AdminSetting {
    /// Its path: `tokens.access_lifetime`.
    pub key: String,
    /// Its value; of a secret only where it stands.
    pub value: Value,
    /// Its default; null where nothing is set without it.
    pub default: Option<Value>,
    /// The file, the variable or the flag that set it; null for the default.
    pub source: Option<String>,
    /// Whether its value is never told.
    pub secret: bool,
    /// What makes a change of it count: `reload` or `restart`.
    pub counts_after: &'static str,
    /// What it is.
    pub about: String,
}

async fn list(State(web): State<Web>, _: Auditor, asked: Asked) -> Result<Response, Problem> {
    let asked = asked.only(&["q", "set"])?;
    let part = asked.text("q")?.map(str::to_lowercase);
    let is_set = asked.value("set", |text| text.parse::<bool>().ok())?;
    let mut items = (web.settings)();
    items.retain(|setting| {
        part.as_ref().is_none_or(|part| setting.key.contains(part.as_str()))
            && is_set.is_none_or(|is_set| setting.source.is_some() == is_set)
    });
    Ok(ok(&AdminSettings { items }))
}
