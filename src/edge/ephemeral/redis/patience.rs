//! Waiting for Redis by the time that this process has seen go by.
//!
//! *Why not one timer:* a process that got no processor for a while finds its timer ended when it wakes, with the answer already in its
//! socket, and would leave Redis alone, and codes unredeemed, for its own fault. A slice of patience begins when the one before was
//! noticed, so that a standstill counts as one of them.

use std::pin::pin;
use std::time::Duration;

use tokio::time::timeout;

const SLICES: u32 = 8;

/// What `asked` comes to within `patience`; `None` when it did not answer.
pub(super) async fn within<T>(patience: Duration, asked: impl Future<Output = T>) -> Option<T> {
    let mut asked = pin!(asked);
    for _ in 0..SLICES {
        if let Ok(answer) = timeout(patience / SLICES, &mut asked).await {
            return Some(answer);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;
    use tokio::task::yield_now;
    use tokio::time::sleep;

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(80);

    /// The answer comes through several hands, as from a socket through the task of a connection.
    #[tokio::test]
    async fn a_standstill_is_not_blamed_on_the_other_side() {
        let (reply, answer) = oneshot::channel();
        tokio::spawn(async move {
            sleep(Duration::from_millis(2)).await;
            for _ in 0..4 {
                yield_now().await;
            }
            reply.send(7)
        });
        tokio::spawn(async { std::thread::sleep(PATIENCE * 2) });
        assert_eq!(within(PATIENCE, answer).await, Some(Ok(7)));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends() {
        let start = tokio::time::Instant::now();
        assert_eq!(within(PATIENCE, std::future::pending::<()>()).await, None);
        assert!((PATIENCE..PATIENCE * 2).contains(&start.elapsed()), "{:?}", start.elapsed());
    }
}
