//! The way to Redis: one server, a cluster, or the master that sentinels name.
//!
//! <https://redis.io/docs/latest/develop/reference/sentinel-clients/>: ask any sentinel for the master's address, make sure by `ROLE`
//! that it is one, and ask again whenever something fails: a master that lost its role answers with errors.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use ::redis::cluster::ClusterClient;
use ::redis::cluster_async::ClusterConnection;
use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo as _, Pipeline,
    RedisFuture, RedisResult, TlsCertificates, Value,
};
use tokio::sync::OnceCell;

use super::RedisSettings;
use super::rest::REST;

/// How long it may take to find a server, or for an answer that nobody waits for any more ([`super::patience`]): it goes on for
/// whoever comes next.
const REACH: Duration = Duration::from_secs(2);

/// The way to Redis.
pub(super) enum Link {
    Single(ConnectionManager),
    /// Connects when it is first used, so that a server starts without it.
    Cluster(Box<ClusterClient>, Arc<OnceCell<ClusterConnection>>),
    Sentinel(Arc<Sentinels>),
}

/// Those who know the master, and the connection to it.
pub(super) struct Sentinels {
    all: Vec<ConnectionInfo>,
    /// The name of the master.
    name: String,
    /// How to reach it, but for its address.
    master: ConnectionInfo,
    ca: Option<Vec<u8>>,
    connection: Mutex<Option<MultiplexedConnection>>,
    /// Held by the one who looks for the master.
    search: tokio::sync::Mutex<()>,
}

impl Link {
    pub(super) fn open(settings: &RedisSettings) -> RedisResult<Self> {
        let (url, ca) = (settings.url.expose().as_str(), settings.ca.as_deref());
        if let Some((scheme, rest)) = url.split_once("+cluster://") {
            let (user, hosts) = user_and_hosts(rest);
            let nodes = hosts.split(',').map(|host| format!("{scheme}://{user}{host}"));
            let mut builder = ClusterClient::builder(nodes)
                .connection_timeout(REACH)
                .response_timeout(REACH)
                .overall_response_timeout(Some(REACH))
                .retries(1);
            if let Some(ca) = ca {
                builder = builder.certs(certificates(ca));
            }
            return Ok(Self::Cluster(Box::new(builder.build()?), Arc::default()));
        }
        if let Some((scheme, rest)) = url.split_once("+sentinel://") {
            return Sentinels::parse(scheme, rest, ca).map(Arc::new).map(Self::Sentinel);
        }
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(REACH))
            .set_response_timeout(Some(REACH))
            .set_number_of_retries(1)
            .set_max_delay(REST);
        ConnectionManager::new_lazy_with_config(client(url.into_connection_info()?, ca)?, config).map(Self::Single)
    }

    /// A connection that may be used beside others.
    pub(super) async fn connection(&self) -> RedisResult<Connection> {
        Ok(match self {
            Self::Single(manager) => Connection::Single(manager.clone()),
            Self::Cluster(client, cell) => match cell.get() {
                Some(connection) => Connection::Cluster(connection.clone()),
                None => Connection::Cluster(apart(reach(client.clone(), Arc::clone(cell))).await?),
            },
            Self::Sentinel(sentinels) => Connection::Master(sentinels.master().await?),
        })
    }

    /// Something failed: another server may be the master by now.
    pub(super) fn doubt(&self) {
        if let Self::Sentinel(sentinels) = self {
            sentinels.connection.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
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

fn user_and_hosts(rest: &str) -> (&str, &str) {
    rest.rfind('@').map_or(("", rest), |at| rest.split_at(at + 1))
}

fn certificates(ca: &[u8]) -> TlsCertificates {
    TlsCertificates { client_tls: None, root_cert: Some(ca.to_vec()) }
}

fn client(info: ConnectionInfo, ca: Option<&[u8]>) -> RedisResult<Client> {
    match (info.addr(), ca) {
        (ConnectionAddr::TcpTls { .. }, Some(ca)) => Client::build_with_tls(info, certificates(ca)),
        _ => Client::open(info),
    }
}

impl Sentinels {
    /// `rest` is `user:password@host:port,host:port/name/database`; user and password are those of the master.
    fn parse(scheme: &str, rest: &str, ca: Option<&[u8]>) -> RedisResult<Self> {
        let unnamed = || {
            (ErrorKind::InvalidClientConfig, "the name of the master is missing, as in redis+sentinel://host/mymaster")
        };
        let (user, rest) = user_and_hosts(rest);
        let (hosts, path) = rest.split_once('/').ok_or_else(unnamed)?;
        let (name, database) = path.split_once('/').unwrap_or((path, "0"));
        if name.is_empty() {
            return Err(unnamed().into());
        }
        let with_port = |host: &str| {
            if host.ends_with(']') || !host.contains(':') { format!("{host}:26379") } else { host.to_owned() }
        };
        let sentinels = hosts.split(',').map(|host| format!("{scheme}://{}", with_port(host)).into_connection_info());
        Ok(Self {
            all: sentinels.collect::<RedisResult<_>>()?,
            name: name.to_owned(),
            master: format!("{scheme}://{user}localhost/{database}").into_connection_info()?,
            ca: ca.map(<[u8]>::to_vec),
            connection: Mutex::new(None),
            search: tokio::sync::Mutex::new(()),
        })
    }

    async fn master(self: &Arc<Self>) -> RedisResult<MultiplexedConnection> {
        match self.held() {
            Some(connection) => Ok(connection),
            None => apart(Arc::clone(self).find()).await,
        }
    }

    fn held(&self) -> Option<MultiplexedConnection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn find(self: Arc<Self>) -> RedisResult<MultiplexedConnection> {
        let _alone = self.search.lock().await;
        if let Some(connection) = self.held() {
            return Ok(connection);
        }
        let mut failure = (ErrorKind::Io, "no sentinel is named").into();
        for sentinel in &self.all {
            match self.ask(sentinel.clone()).await {
                Ok(connection) => {
                    let mut held = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
                    *held = Some(connection.clone());
                    return Ok(connection);
                }
                Err(cause) => failure = cause,
            }
        }
        Err(failure)
    }

    /// A connection to the master that this sentinel names.
    async fn ask(&self, sentinel: ConnectionInfo) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new().set_connection_timeout(Some(REACH)).set_response_timeout(Some(REACH));
        let ca = self.ca.as_deref();
        let mut asked = client(sentinel, ca)?.get_multiplexed_async_connection_with_config(&config).await?;
        let mut ask = Cmd::new();
        ask.arg("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(&self.name);
        let named: Option<(String, u16)> = ask.query_async(&mut asked).await?;
        let (host, port) =
            named.ok_or((ErrorKind::InvalidClientConfig, "the sentinel knows no master of this name"))?;
        let address = match self.master.addr() {
            ConnectionAddr::TcpTls { .. } => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
            _ => ConnectionAddr::Tcp(host, port),
        };
        let master = client(self.master.clone().set_addr(address), ca)?;
        let config = AsyncConnectionConfig::new().set_connection_timeout(Some(REACH)).set_response_timeout(Some(REACH));
        let mut connection = master.get_multiplexed_async_connection_with_config(&config).await?;
        let mut role = Cmd::new();
        role.arg("ROLE");
        let role: Vec<Value> = role.query_async(&mut connection).await?;
        match role.first() {
            Some(Value::BulkString(role)) if role == b"master" => Ok(connection),
            _ => Err((ErrorKind::Io, "the sentinel names a server that is no master any more").into()),
        }
    }
}

/// Any of them.
pub(super) enum Connection {
    Single(ConnectionManager),
    Cluster(ClusterConnection),
    Master(MultiplexedConnection),
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(command),
            Self::Cluster(connection) => connection.req_packed_command(command),
            Self::Master(connection) => connection.req_packed_command(command),
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
            Self::Master(connection) => connection.req_packed_commands(commands, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
            Self::Master(connection) => connection.get_db(),
        }
    }
}
