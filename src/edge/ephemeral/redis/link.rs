//! The way to Redis: one server, or a cluster.

use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use ::redis::cluster::ClusterClient;
use ::redis::cluster_async::ClusterConnection;
use ::redis::{Client, Cmd, ErrorKind, Pipeline, RedisFuture, RedisResult, Value};
use tokio::sync::OnceCell;

use super::PATIENCE;
use super::rest::REST;

/// How long it may take to reach a server. It goes on when nobody waits any more, for whoever comes next.
const REACH: Duration = Duration::from_secs(2);

/// The way to Redis.
pub(super) enum Link {
    Single(ConnectionManager),
    /// Connects when it is first used, so that a server starts without it.
    Cluster(Box<ClusterClient>, Arc<OnceCell<ClusterConnection>>),
}

impl Link {
    /// Reads the URL; see [`super::RedisStore::open`].
    pub(super) fn open(url: &str) -> RedisResult<Self> {
        let Some((scheme, rest)) = url.split_once("+cluster://") else {
            let config = ConnectionManagerConfig::new()
                .set_connection_timeout(Some(REACH))
                .set_response_timeout(Some(PATIENCE))
                .set_number_of_retries(1)
                .set_max_delay(REST);
            return ConnectionManager::new_lazy_with_config(Client::open(url)?, config).map(Self::Single);
        };
        let (user, hosts) = rest.rfind('@').map_or(("", rest), |at| rest.split_at(at + 1));
        let nodes = hosts.split(',').map(|host| format!("{scheme}://{user}{host}"));
        let client = ClusterClient::builder(nodes)
            .connection_timeout(REACH)
            .response_timeout(PATIENCE)
            .overall_response_timeout(Some(PATIENCE))
            .retries(1)
            .build()?;
        Ok(Self::Cluster(Box::new(client), Arc::default()))
    }

    /// A connection that may be used beside others.
    pub(super) async fn connection(&self) -> RedisResult<Connection> {
        Ok(match self {
            Self::Single(manager) => Connection::Single(manager.clone()),
            Self::Cluster(client, cell) => {
                let connection = match cell.get() {
                    Some(connection) => connection.clone(),
                    None => apart(reach(client.clone(), Arc::clone(cell))).await?,
                };
                Connection::Cluster(connection)
            }
        })
    }
}

async fn reach(client: Box<ClusterClient>, cell: Arc<OnceCell<ClusterConnection>>) -> RedisResult<ClusterConnection> {
    cell.get_or_try_init(|| client.get_async_connection()).await.cloned()
}

/// Goes on when the caller goes away.
async fn apart<T: Send + 'static>(work: impl Future<Output = RedisResult<T>> + Send + 'static) -> RedisResult<T> {
    let ended = |_| (ErrorKind::Io, "the search for Redis ended").into();
    tokio::spawn(work).await.unwrap_or_else(|failure| Err(ended(failure)))
}

/// Either of them.
pub(super) enum Connection {
    Single(ConnectionManager),
    Cluster(ClusterConnection),
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(command),
            Self::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(connection) => connection.req_packed_commands(commands, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(commands, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}
