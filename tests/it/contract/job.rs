//! Work that waits has its turn once, with one worker, and in the end is done or set aside.

use std::time::Duration;

use symbolon::edge::store::Beside;
use symbolon::model::id::JobId;
use symbolon::model::job::{NewJob, Queue, Turn, Undone};

use crate::contract::sample::{House, at};

on_each_engine! {
    a_job_has_one_worker_at_a_time: of_nobody,
    a_job_that_failed_waits_and_one_that_is_hopeless_is_set_aside: of_nobody,
    what_waits_is_hastened_or_cancelled_unless_somebody_is_at_it: of_nobody,
    one_key_is_one_job: of_nobody,
    many_workers_share_many_jobs: of_nobody,
}

fn job(number: u8, queue: Queue, key: Option<&str>) -> NewJob {
    NewJob {
        id: JobId::new(at(i64::from(number)), [number; 10]),
        queue,
        sealed: vec![number; 40],
        idempotency_key: key.map(str::to_owned),
        created_at: at(i64::from(number)),
        expires_at: at(3_600),
    }
}

async fn record(house: &House, job: NewJob) {
    house.store.record(Beside::default().and_job(job)).await.expect("recorded");
}

async fn a_job_has_one_worker_at_a_time(house: House) {
    record(&house, job(1, Queue::Mail, None)).await;
    record(&house, job(2, Queue::Sms, None)).await;
    assert!(!house.store.has_due_job(Queue::Mail, at(0)).await.expect("read"), "its turn has not come");
    let first = house.store.lease_jobs(Queue::Mail, (at(1), at(90)), 9).await.expect("leased");
    assert_eq!(first.iter().map(|job| (job.sealed.clone(), job.attempt)).collect::<Vec<_>>(), [(vec![1; 40], 1)]);
    assert!(house.store.lease_jobs(Queue::Mail, (at(89), at(200)), 9).await.expect("leased").is_empty());

    // The lease runs out; the second worker finishes, and the first changes nothing when it comes back.
    let second = house.store.lease_jobs(Queue::Mail, (at(90), at(200)), 9).await.expect("leased");
    assert_eq!(second[0].attempt, 2);
    let (id, old, new) = (first[0].id, first[0].attempt, second[0].attempt);
    assert!(!house.store.finish_job(id, old, at(91)).await.expect("asked"));
    assert!(!house.store.postpone_job((id, old), at(92), "late".to_owned()).await.expect("asked"));
    assert!(house.store.finish_job(id, new, at(92)).await.expect("asked"));
    assert!(!house.store.finish_job(id, new, at(93)).await.expect("asked"), "once");
    assert!(!house.store.has_due_job(Queue::Mail, at(1_000)).await.expect("read"));
    assert!(house.store.has_due_job(Queue::Sms, at(1_000)).await.expect("read"), "each queue by itself");
}

async fn a_job_that_failed_waits_and_one_that_is_hopeless_is_set_aside(house: House) {
    record(&house, job(1, Queue::Mail, None)).await;
    record(&house, job(2, Queue::Mail, None)).await;
    let leased = house.store.lease_jobs(Queue::Mail, (at(2), at(90)), 9).await.expect("leased");
    let [one, two] = leased.as_slice() else { panic!("{leased:?}") };
    assert!(house.store.postpone_job((one.id, 1), at(10), "away".to_owned()).await.expect("asked"));
    assert!(house.store.give_up_job((two.id, 1), at(3), "no such address".to_owned()).await.expect("asked"));
    let waiting = house.store.waiting_jobs(9).await.expect("read");
    assert_eq!(waiting.len(), 1);
    assert_eq!((waiting[0].id, waiting[0].turn, waiting[0].last_error.as_str()), (one.id, Turn::From(at(10)), "away"));
    let dead = house.store.dead_jobs(9).await.expect("read");
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].id, dead[0].turn, dead[0].attempts), (two.id, Turn::GivenUp(at(3)), 1));
    assert_eq!(dead[0].sealed, [2; 40]);
    assert_eq!(house.store.count_jobs().await.expect("read"), [Undone { queue: Queue::Mail, waiting: 1, given_up: 1 }]);

    assert!(house.store.lease_jobs(Queue::Mail, (at(9), at(90)), 9).await.expect("leased").is_empty());
    assert_eq!(house.store.lease_jobs(Queue::Mail, (at(10), at(90)), 9).await.expect("leased")[0].attempt, 2);

    assert!(!house.store.revive_job(one.id, at(11)).await.expect("asked"), "it is not dead");
    assert!(!house.store.revive_job(two.id, at(3_600)).await.expect("asked"), "it would come too late");
    assert!(house.store.revive_job(two.id, at(11)).await.expect("asked"));
    let again = house.store.lease_jobs(Queue::Mail, (at(11), at(90)), 9).await.expect("leased");
    assert_eq!((again[0].id, again[0].attempt), (two.id, 1));
    assert!(!house.store.discard_job(two.id).await.expect("asked"), "it is not dead");
    assert!(house.store.give_up_job((two.id, 1), at(12), "again".to_owned()).await.expect("asked"));
    assert!(house.store.discard_job(two.id).await.expect("asked"));
    assert!(house.store.dead_jobs(9).await.expect("read").is_empty());
}

async fn what_waits_is_hastened_or_cancelled_unless_somebody_is_at_it(house: House) {
    record(&house, job(1, Queue::Mail, None)).await;
    record(&house, job(2, Queue::Mail, None)).await;
    let store = &house.store;
    let leased = store.lease_jobs(Queue::Mail, (at(2), at(90)), 9).await.expect("leased");
    let [one, two] = leased.as_slice() else { panic!("{leased:?}") };
    assert!(!store.hasten_job(one.id, at(3)).await.expect("asked"), "somebody is at it");
    assert!(!store.cancel_job(one.id, at(3)).await.expect("asked"), "somebody is at it");
    assert!(store.postpone_job((one.id, 1), at(60), "away".to_owned()).await.expect("asked"));
    assert!(store.hasten_job(one.id, at(4)).await.expect("asked"));
    let again = store.lease_jobs(Queue::Mail, (at(4), at(5)), 9).await.expect("leased");
    assert_eq!((again[0].id, again[0].attempt), (one.id, 2));
    assert!(store.cancel_job(one.id, at(5)).await.expect("asked"), "the worker is gone");
    assert!(!store.finish_job(one.id, 2, at(6)).await.expect("asked"), "and finds nothing when it comes back");
    assert!(store.give_up_job((two.id, 1), at(6), "no such address".to_owned()).await.expect("asked"));
    assert!(!store.hasten_job(two.id, at(7)).await.expect("asked"), "it does not wait");
    assert!(!store.cancel_job(two.id, at(7)).await.expect("asked"), "it does not wait");
    assert_eq!(store.revive_jobs(Some(Queue::Sms), at(7)).await.expect("asked"), 0);
    assert_eq!(store.revive_jobs(None, at(3_600)).await.expect("asked"), 0, "it would come too late");
    assert_eq!(store.revive_jobs(Some(Queue::Mail), at(7)).await.expect("asked"), 1);
    assert_eq!(store.lease_jobs(Queue::Mail, (at(7), at(90)), 9).await.expect("leased")[0].id, two.id);
}

async fn one_key_is_one_job(house: House) {
    record(&house, job(1, Queue::Mail, Some("reset alice"))).await;
    record(&house, job(2, Queue::Mail, Some("reset alice"))).await;
    record(&house, job(3, Queue::Mail, Some("reset bob"))).await;
    let leased = house.store.lease_jobs(Queue::Mail, (at(3), at(90)), 9).await.expect("leased");
    assert_eq!(leased.iter().map(|job| job.sealed[0]).collect::<Vec<_>>(), [1, 3]);
    assert!(house.store.finish_job(leased[0].id, 1, at(4)).await.expect("asked"));
    record(&house, job(4, Queue::Mail, Some("reset alice"))).await;
    assert!(house.store.lease_jobs(Queue::Mail, (at(5), at(90)), 9).await.expect("leased").is_empty(), "done is done");
    // What has been over for an hour is cleared away, and the key is free.
    house.store.clear_expired(at(7_200), 100).await.expect("cleared");
    record(&house, NewJob { expires_at: at(9_000), ..job(5, Queue::Mail, Some("reset alice")) }).await;
    let leased = house.store.lease_jobs(Queue::Mail, (at(7_200), at(7_300)), 9).await.expect("leased");
    assert!(leased.iter().any(|job| job.sealed[0] == 5), "{leased:?}");
}

async fn many_workers_share_many_jobs(house: House) {
    for number in 1..=60 {
        record(&house, job(number, Queue::Mail, None)).await;
    }
    let worker = || async {
        let mut taken = Vec::new();
        loop {
            let leased = house.store.lease_jobs(Queue::Mail, (at(100), at(200)), 7).await.expect("leased");
            if leased.is_empty() {
                return taken;
            }
            taken.extend(leased.into_iter().map(|job| job.sealed[0]));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let (one, two, three) = tokio::join!(worker(), worker(), worker());
    let mut all: Vec<u8> = [one, two, three].concat();
    all.sort_unstable();
    assert_eq!(all, (1..=60).collect::<Vec<u8>>());
}
