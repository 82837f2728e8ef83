//! `/admin/keys`: the keys that sign tokens; nothing of them that is secret.
//!
//! PROTOCOL.md T18 and §3. *Why none is brought in here:* a private key that came over the network would have to be withdrawn;
//! `symbolon key import` reads it from a file on the server.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::key::{Haste, KeyRules, Replaced, Retired, Rotated};
use crate::http::api::admin::asked::Named;
use crate::http::api::admin::caller::{Auditor, Owner};
use crate::http::api::answer::{Moment, ok};
use crate::http::api::body::{Json, body};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, get, post};
use crate::http::api::problem::Problem;
use crate::http::web::Web;
use crate::jobs::follow_keys;
use crate::model::user::Role;
use crate::protocol::jose::algorithm::SigningAlgorithm;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/admin/keys", Group::Admin), "List the keys that sign tokens", list)
            .by_role(Role::Auditor)
            .gives::<AdminKeyList>(StatusCode::OK, "The keys."),
        post(
            ("/admin/keys/rotate", Group::Admin),
            "Let the next keys sign; after a compromise, replace every key at once",
            rotate,
        )
        .by_role(Role::Owner)
        .by_proof()
        .takes::<KeyRotation>()
        .gives::<KeyChange>(StatusCode::OK, "What signs from now on; every node follows within a second.")
        .refuses(&[Code::KeysNotKnown]),
        post(("/admin/keys/{kid}/retire", Group::Admin), "Take a key out of use, in its time or at once", retire)
            .by_role(Role::Owner)
            .by_proof()
            .takes::<KeyRetirement>()
            .gives::<KeyChange>(StatusCode::OK, "What signs from now on; every node follows within a second.")
            .refuses(&[Code::KeysNotKnown]),
    ]
}

/// The keys that sign tokens.
#[derive(Debug, Serialize, ToSchema)]
struct AdminKeyList {
    /// The keys.
    items: Vec<AdminKeyView>,
}

/// A key that signs tokens.
#[derive(Debug, Serialize, ToSchema)]
struct AdminKeyView {
    /// Its name in tokens and in the key set.
    kid: String,
    /// Its algorithm.
    alg: String,
    /// `next`, `active` or `retiring`.
    state: String,
    /// When it was published.
    created_at: Moment,
    /// Until when what it signed is verified, where it retires.
    expires_at: Option<Moment>,
}

body! {
    /// Which keys are changed, and how fast.
    struct KeyRotation {
        /// Only those of this algorithm.
        alg: Option<String>,
        /// After a compromise: fresh keys sign at once, and every token that one of the present keys signed is refused.
        now: Option<bool>,
    }
}

body! {
    /// How fast a key is taken out of use.
    struct KeyRetirement {
        /// After a compromise: it is withdrawn at once, and every token it signed is refused.
        now: Option<bool>,
    }
}

/// What became of keys.
#[derive(Debug, Default, Serialize, ToSchema)]
struct KeyChange {
    /// The names of keys that sign from now on.
    signing: Vec<String>,
    /// Algorithms whose next key clients do not know yet.
    waiting: Vec<KeyWait>,
    /// The names of keys that were withdrawn: what they signed is refused.
    withdrawn: Vec<String>,
    /// Until when the key verifies, where it retires already.
    expires_at: Option<Moment>,
}

/// An algorithm whose next key clients do not know yet.
#[derive(Debug, Serialize, ToSchema)]
struct KeyWait {
    /// The algorithm.
    alg: &'static str,
    /// From when on the key may sign.
    from: Moment,
}

impl From<Rotated> for KeyChange {
    fn from(rotated: Rotated) -> Self {
        let waiting = rotated.waiting.into_iter().map(|(alg, from)| KeyWait { alg: alg.as_str(), from: Moment(from) });
        Self {
            signing: rotated.signing.into_iter().map(|(_, kid)| kid).collect(),
            waiting: waiting.collect(),
            ..Self::default()
        }
    }
}

impl From<Replaced> for KeyChange {
    fn from(replaced: Replaced) -> Self {
        Self { signing: replaced.signing, withdrawn: replaced.withdrawn, ..Self::default() }
    }
}

fn rules(web: &Web) -> KeyRules<'_> {
    KeyRules { vault: &web.provider.vault, policy: web.provider.policy.rotation }
}

async fn rotate(
    State(web): State<Web>,
    Owner(caller): Owner,
    Json(body): Json<KeyRotation>,
) -> Result<Response, Problem> {
    let invalid = |_| Problem::field("alg", Code::InvalidValue);
    let alg = body.alg.map(|alg| alg.parse::<SigningAlgorithm>().map_err(invalid)).transpose()?;
    caller.prove_again(&web).await?;
    let change: KeyChange = if body.now == Some(true) {
        caller.admin.replace_keys(alg, rules(&web)).await?.into()
    } else {
        caller.admin.rotate_keys(alg, rules(&web)).await?.into()
    };
    follow_keys(&web.provider).await?;
    Ok(ok(&change))
}

async fn retire(
    State(web): State<Web>,
    Owner(caller): Owner,
    named: Named,
    Json(body): Json<KeyRetirement>,
) -> Result<Response, Problem> {
    caller.prove_again(&web).await?;
    let haste = if body.now == Some(true) { Haste::AtOnce } else { Haste::InTime };
    let change: KeyChange = match caller.admin.retire_key((named.first(), haste), rules(&web)).await? {
        Retired::Rotated(rotated) => rotated.into(),
        Retired::Replaced(replaced) => replaced.into(),
        Retired::Already(until) => KeyChange { expires_at: until.map(Moment), ..KeyChange::default() },
    };
    follow_keys(&web.provider).await?;
    Ok(ok(&change))
}

async fn list(Auditor(caller): Auditor) -> Result<Response, Problem> {
    let keys = caller.admin.edges.store.signing_keys().await?;
    let items = keys.iter().map(|key| AdminKeyView {
        kid: key.kid.clone(),
        alg: key.algorithm.as_str().to_owned(),
        state: key.state.as_str().to_owned(),
        created_at: Moment(key.created_at),
        expires_at: key.expires_at.map(Moment),
    });
    Ok(ok(&AdminKeyList { items: items.collect() }))
}
