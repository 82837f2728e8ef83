//! Every column that the vault seals: what is sealed again when the master key changes.
//!
//! To add one: a line in [`SEALED_COLUMNS`]; a test compares them with the migrations. The place of a value is its table, the text of
//! its key and the column's name for the vault.

use std::fmt;

use futures_util::FutureExt as _;
use uuid::Uuid;

use crate::edge::store::Store;
use crate::edge::store::row::Context as _;
use crate::edge::store::writer::Fact;
use crate::edge::vault::KeyId;
use crate::model::fault::Fault;

/// A column of sealed values, by its statements.
pub struct SealedColumn {
    /// The table.
    pub table: &'static str,
    /// The column's name in the place of a value; that of the database may differ.
    pub place: &'static str,
    kind: KeyKind,
    /// Keys and values that are not sealed under the master key `$1`, at most `$2`.
    outdated: &'static str,
    /// How many there are of each master key.
    census: &'static str,
    /// Replaces `$2` under the key `$1` by `$3`.
    replace: &'static str,
}

#[derive(Copy, Clone)]
enum KeyKind {
    Text,
    Uuid,
}

/// A sealed value begins with a byte for its form and four for the name of its master key ([`crate::edge::vault`]); what is shorter is none.
macro_rules! sealed {
    ($table:literal, $key:literal: $kind:ident, $column:literal as $place:literal) => {
        SealedColumn {
            table: $table,
            place: $place,
            kind: KeyKind::$kind,
            outdated: concat!(
                "SELECT ",
                $key,
                ", ",
                $column,
                " FROM ",
                $table,
                " WHERE LENGTH(",
                $column,
                ") > 5 AND SUBSTR(",
                $column,
                ", 2, 4) <> $1 LIMIT $2"
            ),
            census: concat!(
                "SELECT SUBSTR(",
                $column,
                ", 2, 4), COUNT(*) FROM ",
                $table,
                " WHERE LENGTH(",
                $column,
                ") > 5 GROUP BY 1"
            ),
            replace: concat!("UPDATE ", $table, " SET ", $column, " = $3 WHERE ", $key, " = $1 AND ", $column, " = $2"),
        }
    };
}

/// Every column of sealed values.
pub const SEALED_COLUMNS: &[SealedColumn] = &[
    sealed!("server_secret", "name": Text, "sealed" as "value"),
    sealed!("signing_key", "kid": Text, "sealed_private_key" as "private_key"),
    sealed!("oauth_client", "id": Text, "sealed_secret" as "secret"),
    sealed!("job", "id": Uuid, "payload" as "payload"),
    sealed!("data_export", "id": Uuid, "archive" as "archive"),
    sealed!("authenticator", "id": Uuid, "secret" as "secret"),
    sealed!("identity_provider", "id": Uuid, "sealed_secret" as "secret"),
];

/// The key of a row with a sealed value.
#[derive(Clone, Debug)]
pub enum RowKey {
    /// A name.
    Text(String),
    /// An id.
    Uuid(Uuid),
}

/// As the place of its value names it.
impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(name) => f.write_str(name),
            Self::Uuid(id) => id.fmt(f),
        }
    }
}

impl Store {
    /// At most `limit` values of `column` that are sealed under another master key than `current`.
    pub async fn outdated_values(
        &self,
        column: &SealedColumn,
        current: KeyId,
        limit: u32,
    ) -> Result<Vec<(RowKey, Vec<u8>)>, Fault> {
        let read = self.readers.query(column.outdated).bind(current.as_bytes()).bind(i64::from(limit));
        let doing = "read sealed values";
        match column.kind {
            KeyKind::Text => {
                let rows: Vec<(String, Vec<u8>)> = read.fetch_all().await.context(doing)?;
                Ok(rows.into_iter().map(|(key, sealed)| (RowKey::Text(key), sealed)).collect())
            }
            KeyKind::Uuid => {
                let rows: Vec<(Uuid, Vec<u8>)> = read.fetch_all().await.context(doing)?;
                Ok(rows.into_iter().map(|(key, sealed)| (RowKey::Uuid(key), sealed)).collect())
            }
        }
    }

    /// How many values of `column` are sealed under each master key.
    pub async fn sealed_census(&self, column: &SealedColumn) -> Result<Vec<(KeyId, u64)>, Fault> {
        let rows: Vec<(Vec<u8>, i64)> =
            self.readers.query(column.census).fetch_all().await.context("count sealed values")?;
        let counted = |(name, count): (Vec<u8>, i64)| Some((KeyId::from_slice(&name)?, u64::try_from(count).ok()?));
        Ok(rows.into_iter().filter_map(counted).collect())
    }

    /// Puts `fresh` in the place of `sealed`; false when something else stands there by now.
    pub async fn replace_sealed(
        &self,
        column: &'static SealedColumn,
        key: RowKey,
        (sealed, fresh): (Vec<u8>, Vec<u8>),
    ) -> Result<bool, Fault> {
        let held = std::sync::Arc::clone(&self.held);
        let fact = Fact::one(move |connection| {
            async move {
                let replace = connection.query(column.replace);
                let replace = match key {
                    RowKey::Text(name) => replace.bind(name),
                    RowKey::Uuid(id) => replace.bind(id),
                };
                let replace = replace.bind(sealed).bind(fresh);
                Ok(replace.execute().await.context("seal a value again")? == 1)
            }
            .boxed()
        });
        // The secret of a client is held with it.
        self.recorder.record(fact.then(move |_| held.clients.flush())).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns of bytes that are no hashes, by table: what else would be bytes is sealed.
    fn columns(sql: &str) -> Vec<(String, String)> {
        let mut table = String::new();
        let mut found = Vec::new();
        for line in sql.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (column, kind) = match words.as_slice() {
                ["CREATE", .., "TABLE", name, "("] => {
                    (*name).clone_into(&mut table);
                    continue;
                }
                ["ALTER", "TABLE", name, "ADD", "COLUMN", column, kind, ..] => {
                    (*name).clone_into(&mut table);
                    (*column, *kind)
                }
                [column, kind, ..] => (*column, *kind),
                _ => continue,
            };
            if kind.trim_end_matches([',', ';']) == "BYTEA" && !column.ends_with("hash") {
                found.push((table.clone(), column.to_owned()));
            }
        }
        found
    }

    /// What everybody may see.
    const PLAIN: &[(&str, &str)] = &[("avatar", "picture")];

    #[test]
    fn every_sealed_column_is_sealed_again() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut seen = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let Ok(sql) = std::fs::read_to_string(&path) else { continue };
            for (table, column) in columns(&sql) {
                if PLAIN.contains(&(table.as_str(), column.as_str())) {
                    continue;
                }
                let known = SEALED_COLUMNS
                    .iter()
                    .any(|sealed| sealed.table == table && sealed.replace.contains(&format!("SET {column} = $3")));
                assert!(known, "{}: {table}.{column} has no line in SEALED_COLUMNS", path.display());
                seen += 1;
            }
        }
        assert_eq!(seen, SEALED_COLUMNS.len(), "each line has its column");
    }
}
