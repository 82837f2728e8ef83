//! `/admin/jobs`: what waits to be done, what was given up on, another turn or an end to it (S-166).

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::Changed;
use crate::http::api::admin::asked::{Asked, Named};
use crate::http::api::admin::caller::{Auditor, Manager};
use crate::http::api::answer::{Moment, nothing, ok};
use crate::http::api::body::{Json, body};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, delete, get, post};
use crate::http::api::problem::Problem;
use crate::http::web::Web;
use crate::model::id::JobId;
use crate::model::job::{Queue, StoredJob, Turn};
use crate::model::user::Role;

/// The most of either kind that are told.
const SHOWN: u32 = 100;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/admin/jobs", Group::Admin), "What waits to be done, and what was given up on", list)
            .by_role(Role::Auditor)
            .gives::<AdminJobs>(StatusCode::OK, "Counts of each queue, and up to a hundred jobs of either kind.")
            .refuses(&[Code::UnknownField, Code::InvalidValue, Code::MalformedQuery]),
        post(
            ("/admin/jobs/retry", Group::Admin),
            "Give what was given up on another turn, all of it at once",
            retry_all,
        )
        .by_role(Role::Admin)
        .takes::<JobsToRetry>()
        .gives::<JobsRetried>(StatusCode::OK, "How many have another turn; what would come too late has none."),
        post(("/admin/jobs/{id}/retry", Group::Admin), "Give a job its turn at once, or another one", retry)
            .by_role(Role::Admin)
            .gives_nothing(StatusCode::NO_CONTENT, "It has its turn."),
        delete(
            ("/admin/jobs/{id}", Group::Admin),
            "Cancel a job that waits, or discard one that was given up on",
            discard,
        )
        .by_role(Role::Admin)
        .gives_nothing(StatusCode::NO_CONTENT, "It is gone."),
    ]
}

/// What is not done.
#[derive(Debug, Serialize, ToSchema)]
struct AdminJobs {
    /// Each queue that has something.
    queues: Vec<AdminQueue>,
    /// What has another turn, the next first.
    waiting: Vec<AdminJob>,
    /// What was given up on, the latest first.
    given_up: Vec<AdminJob>,
}

body! {
    /// What shall have another turn.
    struct JobsToRetry {
        /// Only what this queue has given up on: `mail` or `sms`.
        queue: Option<String>,
    }
}

/// What has another turn.
#[derive(Debug, Serialize, ToSchema)]
struct JobsRetried {
    /// How many.
    retried: u64,
}

/// What a queue has not done.
#[derive(Debug, Serialize, ToSchema)]
struct AdminQueue {
    /// Its name.
    queue: String,
    /// How many have another turn.
    waiting: u64,
    /// How many were given up on.
    given_up: u64,
}

/// Something to be done.
#[derive(Debug, Serialize, ToSchema)]
struct AdminJob {
    /// Its id.
    id: String,
    /// Which queue.
    queue: String,
    /// When it was asked for.
    created_at: Moment,
    /// From then on it is of no use.
    expires_at: Moment,
    /// How often it was tried.
    attempts: u32,
    /// Why the last attempt failed.
    last_error: String,
    /// When it has its next turn.
    run_at: Option<Moment>,
    /// When it was given up on.
    given_up_at: Option<Moment>,
}

impl AdminJob {
    fn of(job: StoredJob) -> Self {
        let (run_at, given_up_at) = match job.turn {
            Turn::From(moment) => (Some(Moment(moment)), None),
            Turn::GivenUp(moment) => (None, Some(Moment(moment))),
        };
        Self {
            id: job.id.to_string(),
            queue: job.queue.as_str().to_owned(),
            created_at: Moment(job.created_at),
            expires_at: Moment(job.expires_at),
            attempts: job.attempts,
            last_error: job.last_error,
            run_at,
            given_up_at,
        }
    }
}

async fn list(State(web): State<Web>, _: Auditor, asked: Asked) -> Result<Response, Problem> {
    asked.only(&[])?;
    let store = &web.provider.edges.store;
    let counts = store.count_jobs().await?;
    let queues = counts.into_iter().map(|undone| AdminQueue {
        queue: undone.queue.as_str().to_owned(),
        waiting: undone.waiting,
        given_up: undone.given_up,
    });
    Ok(ok(&AdminJobs {
        queues: queues.collect(),
        waiting: store.waiting_jobs(SHOWN).await?.into_iter().map(AdminJob::of).collect(),
        given_up: store.dead_jobs(SHOWN).await?.into_iter().map(AdminJob::of).collect(),
    }))
}

fn id(named: &Named) -> Result<JobId, Problem> {
    named.first().parse().map_err(|_| Problem::new(Code::NotFound))
}

async fn retry_all(Manager(caller): Manager, Json(body): Json<JobsToRetry>) -> Result<Response, Problem> {
    let unknown = || Problem::field("queue", Code::InvalidValue);
    let queue = body.queue.map(|queue| Queue::parse(&queue).ok_or_else(unknown)).transpose()?;
    Ok(ok(&JobsRetried { retried: caller.admin.retry_jobs(queue).await? }))
}

fn answered(changed: Changed) -> Result<Response, Problem> {
    if changed == Changed::Yes { Ok(nothing()) } else { Err(Problem::new(Code::NotFound)) }
}

async fn retry(Manager(caller): Manager, named: Named) -> Result<Response, Problem> {
    answered(caller.admin.retry_job(id(&named)?).await?)
}

async fn discard(Manager(caller): Manager, named: Named) -> Result<Response, Problem> {
    answered(caller.admin.discard_job(id(&named)?).await?)
}
