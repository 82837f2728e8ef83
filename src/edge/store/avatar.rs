//! Pictures of people, by the names of their URLs.

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::Store;
use crate::edge::store::row::Context as _;
use crate::edge::store::writer::Fact;
use crate::model::avatar::Avatar;
use crate::model::fault::Fault;
use crate::model::id::UserId;
use crate::protocol::numeric_date::NumericDate;

const ADD: &str = "INSERT INTO avatar (name, user_id, content_type, picture, created_at) VALUES ($1, $2, $3, $4, $5)";
const READ: &str = "SELECT name, user_id, content_type, picture, created_at FROM avatar WHERE name = $1";
const DROP: &str = "DELETE FROM avatar WHERE user_id = $1 AND ($2 IS NULL OR name <> $2)";

impl Store {
    /// Records a picture.
    pub async fn add_avatar(&self, avatar: Avatar) -> Result<(), Fault> {
        let fact = Fact::one(move |connection| {
            async move {
                let add = connection.query(ADD).bind(avatar.name).bind(avatar.user.uuid()).bind(avatar.content_type);
                let add = add.bind(avatar.picture).bind(avatar.created_at.seconds());
                add.execute().await.context("record a picture").map(|_| ())
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// The picture of this name.
    pub async fn avatar(&self, name: &str) -> Result<Option<Avatar>, Fault> {
        let row: Option<Row> =
            self.readers.query(READ).bind(name.to_owned()).fetch_optional().await.context("read a picture")?;
        Ok(row.map(Avatar::from))
    }

    /// Removes the pictures of a person but the one of this name.
    pub async fn drop_avatars(&self, user: UserId, but: Option<String>) -> Result<(), Fault> {
        let fact = Fact::one(move |connection| {
            async move {
                let drop = connection.query(DROP).bind(user.uuid()).bind(but);
                drop.execute().await.context("remove pictures").map(|_| ())
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }
}

#[derive(FromRow)]
struct Row {
    name: String,
    user_id: Uuid,
    content_type: String,
    picture: Vec<u8>,
    created_at: i64,
}

impl From<Row> for Avatar {
    fn from(row: Row) -> Self {
        Self {
            name: row.name,
            user: UserId::from_uuid(row.user_id),
            content_type: row.content_type,
            picture: row.picture,
            created_at: NumericDate::from_seconds(row.created_at),
        }
    }
}
