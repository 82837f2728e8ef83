//! Rules of which names are taken, as operators make them while the server runs (S-024).

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::row::{Context as _, Place};
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Creation, Store};
use crate::model::fault::Fault;
use crate::model::id::IdentityRuleId;
use crate::model::identity_rule::{Effect, IdentityRule, RuleKind};
use crate::protocol::numeric_date::NumericDate;

const LIST: &str = "SELECT id, effect, kind, pattern, note, created_at FROM identity_rule ORDER BY id";
const IDS: &str = "SELECT id FROM identity_rule ORDER BY id";
const CREATE: &str = "INSERT INTO identity_rule (id, effect, kind, pattern, note, created_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
const DELETE: &str = "DELETE FROM identity_rule WHERE id = $1";

impl Store {
    /// Every rule, the oldest first.
    pub async fn identity_rules(&self) -> Result<Vec<IdentityRule>, Fault> {
        let rows: Vec<RuleRow> = self.readers.query(LIST).fetch_all().await.context("list identity rules")?;
        rows.into_iter().map(IdentityRule::try_from).collect()
    }

    /// Which there are: since none ever changes, a node compares them with those it holds.
    pub async fn identity_rule_ids(&self) -> Result<Vec<IdentityRuleId>, Fault> {
        let ids: Vec<Uuid> =
            self.readers.query(IDS).scalar_all().await.context("look which identity rules there are")?;
        Ok(ids.into_iter().map(IdentityRuleId::from_uuid).collect())
    }

    /// Records a new rule; `AlreadyExists` when there is one that says the same.
    pub async fn create_identity_rule(&self, rule: &IdentityRule, beside: Beside) -> Result<Creation, Fault> {
        let rule = rule.clone();
        let fact = Fact::several(move |connection| {
            async move {
                let insert = connection.query(CREATE).bind(rule.id.uuid()).bind(rule.effect.as_str());
                let insert = insert.bind(rule.kind.as_str()).bind(rule.pattern).bind(rule.note);
                let insert = insert.bind(rule.created_at.seconds());
                let made = Creation::of(insert.execute().await.context("record an identity rule")?);
                if made == Creation::Created {
                    beside.write(connection).await?;
                }
                Ok(made)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// Removes a rule; false when it is gone.
    pub async fn delete_identity_rule(&self, id: IdentityRuleId, beside: Beside) -> Result<bool, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                let delete = connection.query(DELETE).bind(id.uuid());
                let gone = delete.execute().await.context("remove an identity rule")? == 1;
                if gone {
                    beside.write(connection).await?;
                }
                Ok(gone)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }
}

#[derive(FromRow)]
struct RuleRow {
    id: Uuid,
    effect: String,
    kind: String,
    pattern: String,
    note: String,
    created_at: i64,
}

impl TryFrom<RuleRow> for IdentityRule {
    type Error = Fault;

    fn try_from(row: RuleRow) -> Result<Self, Fault> {
        let place = Place { table: "identity_rule", id: &row.id };
        Ok(Self {
            id: IdentityRuleId::from_uuid(row.id),
            effect: Effect::parse(&row.effect).ok_or_else(|| place.damaged("effect"))?,
            kind: RuleKind::parse(&row.kind).ok_or_else(|| place.damaged("kind"))?,
            pattern: row.pattern,
            note: row.note,
            created_at: NumericDate::from_seconds(row.created_at),
        })
    }
}
