//! The ephemeral store in Redis, for several nodes; single, cluster, or watched by sentinels. Redis 6.2 or later.
//!
//! Each operation touches one key, so that a cluster serves it; what is compared with time carries its own end, since the clock
//! is ours. <https://redis.io/docs/latest/commands/set/>, <https://redis.io/docs/latest/commands/getdel/>.
//!
//! *When Redis is away* (refused, slow for 200 ms, or full) it is left alone for half a second, and sign-in goes on: what is put
//! meanwhile waits in the main database, where every node finds it, and what was put before answers "unavailable" until Redis is
//! back. While anything waits there, each read looks there first: it is newer. Uses are counted by each node alone, more strictly.
//! A Redis that lost everything loses requests under way, and nothing else: what issues a token is consumed in the main store, and
//! the counts of this node still stand.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::redis::{Cmd, ErrorKind, FromRedisValue, RedisError, RedisResult, Script, ScriptInvocation};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::edge::clock::Clock;
use crate::edge::ephemeral::rate::Limiter;
use crate::edge::ephemeral::{Decision, EphemeralKey, EphemeralStore, Quota, SqlStore};
use crate::edge::store::StoreError;
use crate::model::fault::Fault;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::Secret;

mod link;
mod patience;
mod rest;

use link::Link;
use rest::Rest;

/// How long Redis may take.
const PATIENCE: Duration = Duration::from_millis(200);
/// How often we look whether another node put something into the database.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Redis lets go of a value so much later than we do, in seconds: clocks of nodes differ.
const MARGIN: i64 = 5;

/// A value after the eight bytes of its end ([`written`]); 1 when it was the one that is replaced.
const REPLACE: &str = "local held = redis.call('GET', KEYS[1])
if not held or string.sub(held, 9) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1";
/// A mark with its end, in seconds; 1 for the first who brings it.
const ADD: &str = "local held = redis.call('GET', KEYS[1])
if held and tonumber(held) > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1";
/// The generic cell rate algorithm in milliseconds; 0, or how long to wait.
const RATE: &str = "local now, period, room = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local empty_at = tonumber(redis.call('GET', KEYS[1]) or now)
empty_at = math.max(math.min(empty_at, now + room), now) + period
if empty_at > now + room then return empty_at - now - room end
redis.call('SET', KEYS[1], string.format('%.0f', empty_at), 'PX', string.format('%.0f', math.max(empty_at - now, 1)))
return 0";
const GIVE_BACK: &str = "local empty_at = redis.call('GET', KEYS[1])
if empty_at then
  redis.call('SET', KEYS[1], string.format('%.0f', tonumber(empty_at) - tonumber(ARGV[1])), 'KEEPTTL')
end
return 0";

/// Which Redis.
#[derive(Clone, Debug)]
pub struct RedisSettings {
    /// `redis://`, `rediss://` (TLS); with `+cluster` and hosts by comma; with `+sentinel`, hosts by comma and the name of the
    /// master as the path: `redis+sentinel://one:26379,two:26379/mymaster/0`.
    pub url: Secret,
    /// Certificates in PEM: over TLS a server must show one that was issued by one of them, in place of those of the machine.
    pub ca: Option<Vec<u8>>,
}

/// The ephemeral store in Redis.
pub struct RedisStore {
    link: Link,
    scripts: Scripts,
    clock: Arc<dyn Clock>,
    limiter: Limiter,
    rest: Rest,
    aside: Arc<Aside>,
    watch: JoinHandle<()>,
}

struct Scripts {
    replace: Script,
    add: Script,
    rate: Script,
    give_back: Script,
}

/// The main database, for while Redis is away.
struct Aside {
    store: SqlStore,
    /// Whether anything waits there.
    holds: AtomicBool,
}

impl RedisStore {
    /// The Redis of the settings, which need not answer yet. Must be called inside a tokio runtime; `aside` is where things wait
    /// while it is away.
    ///
    /// # Errors
    /// When the URL or the certificates cannot be read.
    pub fn open(settings: &RedisSettings, aside: SqlStore, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let link = Link::open(settings).map_err(|cause| StoreError::Inaccessible {
            database: "of ephemeral.url".to_owned(),
            reason: format!("it is no URL like redis://user:password@host:6379/0 ({})", cause.category()),
        })?;
        let aside = Arc::new(Aside { store: aside, holds: AtomicBool::new(true) });
        let watched = Arc::clone(&aside);
        let watch = tokio::spawn(async move {
            loop {
                // When it cannot tell, what we know stands.
                if let Ok(holds) = watched.store.holds_any().await {
                    watched.holds.store(holds, Ordering::Release);
                }
                sleep(LOOK_EVERY).await;
            }
        });
        let scripts = Scripts {
            replace: Script::new(REPLACE),
            add: Script::new(ADD),
            rate: Script::new(RATE),
            give_back: Script::new(GIVE_BACK),
        };
        Ok(Self { link, scripts, clock, limiter: Limiter::default(), rest: Rest::new(), aside, watch })
    }

    async fn command<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        self.attempt(async { command.query_async(&mut self.link.connection().await?).await }).await
    }

    async fn script<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> RedisResult<T> {
        self.attempt(async { script.invoke_async(&mut self.link.connection().await?).await }).await
    }

    async fn attempt<T>(&self, asked: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
        if self.rest.is_on() {
            return Err((ErrorKind::Io, "Redis did not answer a moment ago").into());
        }
        let answer = patience::within(PATIENCE, asked)
            .await
            .unwrap_or_else(|| Err((ErrorKind::Io, "Redis did not answer within 200 milliseconds").into()));
        match &answer {
            Ok(_) => self.rest.end(),
            Err(cause) => {
                self.link.doubt();
                self.rest.begin(cause);
            }
        }
        answer
    }

    /// Milliseconds for which Redis keeps something.
    fn keep(&self, expires_at: NumericDate) -> i64 {
        let left = expires_at.seconds().saturating_sub(self.clock.now().seconds()).max(0);
        left.saturating_add(MARGIN).saturating_mul(1_000)
    }

    fn holds_aside(&self) -> bool {
        self.aside.holds.load(Ordering::Acquire)
    }
}

impl Drop for RedisStore {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn name(kind: &str, key: &EphemeralKey) -> String {
    format!("symbolon:{kind}:{}:{}", key.namespace(), URL_SAFE_NO_PAD.encode(key.bytes()))
}

fn away(doing: &'static str) -> impl FnOnce(RedisError) -> Fault {
    move |cause| Fault::unavailable(doing).caused_by(cause)
}

/// A value as Redis holds it: eight bytes of its end in seconds, then itself.
fn written(value: &[u8], expires_at: NumericDate) -> Vec<u8> {
    [&expires_at.seconds().to_be_bytes(), value].concat()
}

fn read(held: Option<Vec<u8>>, now: NumericDate) -> Option<Vec<u8>> {
    let mut held = held?;
    let end = held.get(..8)?.try_into().ok()?;
    let expires_at = NumericDate::from_seconds(i64::from_be_bytes(end));
    held.drain(..8);
    (!expires_at.is_past(now)).then_some(held)
}

#[async_trait]
impl EphemeralStore for RedisStore {
    async fn put(&self, key: &EphemeralKey, value: Vec<u8>, expires_at: NumericDate) -> Result<(), Fault> {
        let mut set = Cmd::new();
        set.arg("SET").arg(name("value", key)).arg(written(&value, expires_at)).arg("PX").arg(self.keep(expires_at));
        if self.command::<()>(&set).await.is_err() {
            // Before it is there: a reader that is told of it must find it.
            self.aside.holds.store(true, Ordering::Release);
            return self.aside.store.put(key, value, expires_at).await;
        }
        if self.holds_aside() {
            self.aside.store.take(key, self.clock.now()).await?;
        }
        Ok(())
    }

    async fn get(&self, key: &EphemeralKey, now: NumericDate) -> Result<Option<Vec<u8>>, Fault> {
        if self.holds_aside()
            && let Some(newer) = self.aside.store.get(key, now).await?
        {
            return Ok(Some(newer));
        }
        let mut get = Cmd::new();
        get.arg("GET").arg(name("value", key));
        match self.command(&get).await {
            Ok(Some(held)) => Ok(read(Some(held), now)),
            // Another node may have put it aside a moment ago.
            Ok(None) => self.aside.store.get(key, now).await,
            Err(cause) => match self.aside.store.get(key, now).await? {
                Some(value) => Ok(Some(value)),
                None => Err(away("read an ephemeral value")(cause)),
            },
        }
    }

    async fn take(&self, key: &EphemeralKey, now: NumericDate) -> Result<Option<Vec<u8>>, Fault> {
        let newer = if self.holds_aside() { self.aside.store.take(key, now).await? } else { None };
        let mut take = Cmd::new();
        take.arg("GETDEL").arg(name("value", key));
        match (newer, self.command(&take).await) {
            (Some(newer), _) => Ok(Some(newer)),
            (None, Ok(Some(held))) => Ok(read(Some(held), now)),
            (None, Ok(None)) => {
                // A mark is taken as well, so that it may be made again.
                let mut free = Cmd::new();
                free.arg("DEL").arg(name("once", key));
                self.command::<()>(&free).await.map_err(away("take an ephemeral mark"))?;
                self.aside.store.take(key, now).await
            }
            (None, Err(cause)) => match self.aside.store.take(key, now).await? {
                Some(value) => Ok(Some(value)),
                None => Err(away("take an ephemeral value")(cause)),
            },
        }
    }

    async fn replace(
        &self,
        key: &EphemeralKey,
        held: &[u8],
        value: Vec<u8>,
        expires_at: NumericDate,
    ) -> Result<bool, Fault> {
        if self.holds_aside() && self.aside.store.replace(key, held, value.clone(), expires_at).await? {
            return Ok(true);
        }
        let mut replace = self.scripts.replace.key(name("value", key));
        replace.arg(held).arg(written(&value, expires_at)).arg(self.keep(expires_at));
        match self.script::<i64>(&replace).await {
            Ok(1) => Ok(true),
            // Another node may have put it aside a moment ago.
            Ok(_) => self.aside.store.replace(key, held, value, expires_at).await,
            Err(cause) => {
                let is_done = self.aside.store.replace(key, held, value, expires_at).await?;
                if is_done { Ok(true) } else { Err(away("change an ephemeral value")(cause)) }
            }
        }
    }

    async fn add_if_absent(
        &self,
        key: &EphemeralKey,
        expires_at: NumericDate,
        now: NumericDate,
    ) -> Result<bool, Fault> {
        // Never aside: a mark that is out of reach must not be made again.
        let mut add = self.scripts.add.key(name("once", key));
        add.arg(now.seconds()).arg(expires_at.seconds()).arg(self.keep(expires_at));
        let first: i64 = self.script(&add).await.map_err(away("remember a value that is good once"))?;
        Ok(first == 1)
    }

    async fn rate(&self, key: &EphemeralKey, quota: Quota, now: NumericDate) -> Result<Decision, Fault> {
        let period = millis(quota.period);
        let mut rate = self.scripts.rate.key(name("rate", key));
        rate.arg(now.seconds().saturating_mul(1_000)).arg(period).arg(period.saturating_mul(u64::from(quota.burst)));
        Ok(match self.script::<u64>(&rate).await {
            Ok(0) => self.limiter.confirm(key, Decision::Allowed, (quota, now)),
            Ok(wait) => Decision::refused(wait),
            Err(_told_by_rest) => self.limiter.rate(key, quota.stricter(), now),
        })
    }

    async fn give_back(&self, key: &EphemeralKey, quota: Quota) -> Result<(), Fault> {
        self.limiter.give_back(key, quota);
        let mut give_back = self.scripts.give_back.key(name("rate", key));
        give_back.arg(millis(quota.period));
        // What cannot be given back stays counted.
        drop(self.script::<i64>(&give_back).await);
        Ok(())
    }

    async fn clear_expired(&self, now: NumericDate, limit: u32) -> Result<u64, Fault> {
        // Redis clears away its own.
        self.aside.store.clear_expired(now, limit).await
    }

    async fn ready(&self) -> Result<(), Fault> {
        let mut ping = Cmd::new();
        ping.arg("PING");
        self.command::<()>(&ping).await.map_err(away("Redis does not answer"))
    }

    async fn close(&self) {
        self.watch.abort();
        self.aside.store.close().await;
    }
}
