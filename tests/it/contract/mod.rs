//! What every edge keeps to, whichever implementation stands behind it.

/// Tells each story of a file on SQLite, and on PostgreSQL where it is installed: `name: how the house begins`.
macro_rules! on_each_engine {
    ($($story:ident: $house:ident,)*) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $story() {
                    let empty = crate::contract::sample::House::empty().await;
                    super::$story(empty.$house().await).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $story() {
                    if let Some(empty) = crate::contract::sample::House::on_postgres().await {
                        super::$story(empty.$house().await).await;
                    }
                }
            )*
        }
    };
}

mod audit;
mod authenticator;
mod directory;
mod ephemeral;
mod epoch;
mod event;
mod fetch;
mod job;
mod kill;
mod logout;
mod measure;
mod nodes;
mod sample;
mod store;
mod store_file;
mod store_race;
mod store_server;
mod upstream;
mod user_list;
