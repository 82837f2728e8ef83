//! Every column that the vault seals: what is sealed again when the master key changes.
//!
//! To add one: a line in [`SEALED_COLUMNS`]; a test compares them with the migrations. The place of a value is its table, the text of
//! its key and the column's name for the vault.

use futures_util::FutureExt as _;

use crate::edge::store::Store;
use crate::edge::store::row::Context as _;
use crate::edge::store::writer::Fact;
use crate::model::fault::Fault;

/// A column of sealed values, by its statements.
pub struct SealedColumn {
    /// The table.
    pub table: &'static str,
    /// The column's name in the place of a value; that of the database may differ.
    pub place: &'static str,
    /// Keys after `$1` with their values, at most `$2`.
    read: &'static str,
    /// Replaces `$2` under the key `$1` by `$3`.
    replace: &'static str,
}

/// Every column of sealed values.
pub const SEALED_COLUMNS: &[SealedColumn] = &[
    SealedColumn {
        table: "server_secret",
        place: "value",
        read: "SELECT name, sealed FROM server_secret WHERE name > $1 ORDER BY name LIMIT $2",
        replace: "UPDATE server_secret SET sealed = $3 WHERE name = $1 AND sealed = $2",
    },
    SealedColumn {
        table: "signing_key",
        place: "private_key",
        read: "SELECT kid, sealed_private_key FROM signing_key WHERE kid > $1 ORDER BY kid LIMIT $2",
        replace: "UPDATE signing_key SET sealed_private_key = $3 WHERE kid = $1 AND sealed_private_key = $2",
    },
    SealedColumn {
        table: "oauth_client",
        place: "secret",
        read: "SELECT id, sealed_secret FROM oauth_client WHERE id > $1 AND sealed_secret IS NOT NULL ORDER BY id LIMIT $2",
        replace: "UPDATE oauth_client SET sealed_secret = $3 WHERE id = $1 AND sealed_secret = $2",
    },
];

impl Store {
    /// At most `limit` sealed values of `column` whose keys come after `after`, by key.
    pub async fn sealed_values(
        &self,
        column: &SealedColumn,
        after: &str,
        limit: u32,
    ) -> Result<Vec<(String, Vec<u8>)>, Fault> {
        let read = self.readers.query(column.read).bind(after).bind(i64::from(limit));
        read.fetch_all().await.context("read sealed values")
    }

    /// Puts `fresh` in the place of `sealed`; false when something else stands there by now.
    pub async fn replace_sealed(
        &self,
        column: &'static SealedColumn,
        key: &str,
        (sealed, fresh): (Vec<u8>, Vec<u8>),
    ) -> Result<bool, Fault> {
        let (key, held) = (key.to_owned(), std::sync::Arc::clone(&self.held));
        let fact = Fact::one(move |connection| {
            async move {
                let replace = connection.query(column.replace).bind(key).bind(sealed).bind(fresh);
                Ok(replace.execute().await.context("seal a value again")? == 1)
            }
            .boxed()
        });
        // It is rare and reaches far.
        self.recorder.record(fact.then(move |_| held.flush())).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns whose name begins with `sealed`, by table.
    fn columns(sql: &str) -> Vec<(String, String)> {
        let mut table = String::new();
        let mut found = Vec::new();
        for line in sql.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["CREATE", .., "TABLE", name, "("] | ["ALTER", "TABLE", name] => table = (*name).to_owned(),
                ["ALTER", "TABLE", name, "ADD", "COLUMN", column, ..] if column.starts_with("sealed") => {
                    found.push(((*name).to_owned(), (*column).to_owned()));
                }
                [column, ..] if column.starts_with("sealed") => found.push((table.clone(), (*column).to_owned())),
                _ => {}
            }
        }
        found
    }

    #[test]
    fn every_sealed_column_is_sealed_again() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut seen = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let Ok(sql) = std::fs::read_to_string(&path) else { continue };
            for (table, column) in columns(&sql) {
                let known = SEALED_COLUMNS.iter().any(|sealed| {
                    sealed.table == table && sealed.replace.contains(&format!("SET {column} = $3"))
                });
                assert!(known, "{}: {table}.{column} has no line in SEALED_COLUMNS", path.display());
                seen += 1;
            }
        }
        assert!(seen >= SEALED_COLUMNS.len(), "the columns are found: {seen}");
    }
}
