//! A sign-in as a flow that collects proofs until policy is content: one engine below pages, API and challenge endpoint.
//!
//! OAuth 2.0 for First-Party Applications §5.3, `ACCOUNT_API.md` §3.1. A flow is opened by a proof or by a name; it ends in an
//! [`Authentication`], or asks for one more proof under a handle of 256 bits that lives for five minutes, hears five wrong answers,
//! and is good once.

use std::time::Duration;

use crate::authn::policy::{SignInPolicy, Verdict, judge};
use crate::authn::{Answer, Attempt, Factor, Method, Refusal, judge as judged};
use crate::edge::Edges;
use crate::edge::ephemeral::{Decision, EphemeralKey, Namespace, Quota};
use crate::model::authentication::Authentication;
use crate::model::sign_in_flow::{BegunBy, Progress, Purpose, SignInFlow};
use crate::model::user::AccountState;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{Secret, TokenHash};

/// How long a flow may take.
const LIFETIME: Duration = Duration::from_mins(5);
/// How long one that ran out is told from one that never was.
const REMEMBERED: Duration = Duration::from_mins(5);
/// Wrong answers that a flow hears.
const TRIES: u32 = 5;

const FLOW: Namespace<SignInFlow> = Namespace::new("sign_in_flow");
const TRIED: &str = "sign_in_flow_tries";

/// The engine.
pub struct SignIn<'a> {
    /// What it asks of the world.
    pub edges: &'a Edges,
    /// How people prove who they are.
    pub methods: &'a [Box<dyn Method>],
    /// When that is enough.
    pub policy: SignInPolicy,
}

/// What comes next.
#[derive(Clone, Debug)]
pub enum Step {
    /// The person is proven.
    Complete(Completed),
    /// One more proof.
    Challenge(Challenge),
}

/// A sign-in that is done. It is told once.
#[derive(Clone, Debug)]
pub struct Completed {
    /// Who, when, how.
    pub authentication: Authentication,
    /// The method that proved it, the last of several.
    pub method: &'static str,
    /// What it leads to.
    pub purpose: Purpose,
}

/// A proof that is asked for.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// The handle.
    pub flow: Secret,
    /// The end of the flow.
    pub expires_at: NumericDate,
    /// The methods that may answer.
    pub methods: Vec<String>,
}

/// How a flow is opened.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Who begins.
    pub begun_by: BegunBy,
    /// What it shall lead to.
    pub purpose: Purpose,
}

impl SignIn<'_> {
    /// Opens a flow with a proof.
    ///
    /// # Errors
    /// What the method says, and what the account's state says after it.
    pub async fn prove(
        &self,
        attempt: &Attempt,
        (method, answer): (&str, &Answer),
        opening: Opening,
    ) -> Result<Step, Refusal> {
        let method = self.method(method).ok_or(Refusal::Wrong)?;
        let proof = self.proof(method, attempt, answer).await?;
        let flow = self.open(opening, Progress::Proven(proof));
        self.go_on(method, flow).await
    }

    /// Opens a flow with a name, and asks for what may prove it. Whether anybody has the name does not show.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn ask(&self, identifier: &str, opening: Opening) -> Result<Challenge, Refusal> {
        let flow = self.open(opening, Progress::Named { identifier: identifier.to_owned() });
        let methods = self.methods.iter().filter(|method| method.proves_a_name());
        let flow = flow.asking(methods.map(|method| method.name().to_owned()).collect());
        self.wait(flow).await
    }

    /// Answers what a flow asks for.
    ///
    /// # Errors
    /// [`Refusal::FlowExpired`], [`Refusal::FlowInvalid`] for one that is used, dead, unknown or of another caller, and what the
    /// method says; after five wrong answers the flow is dead.
    pub async fn answer(
        &self,
        attempt: &Attempt,
        (handle, caller): (&Secret, &BegunBy),
        (method, value): (&str, Secret),
    ) -> Result<Step, Refusal> {
        let now = self.edges.clock.now();
        let key = TokenHash::of(handle.expose());
        let flow = self.find(&key, caller, now).await?;
        let asked = flow.asked.iter().any(|asked| asked == method);
        let method = self.method(method).filter(|_| asked).ok_or(Refusal::Wrong)?;
        self.count(&key, now).await?;
        let (answer, person) = match &flow.progress {
            Progress::Named { identifier } => (method.read(Some(identifier), value), None),
            Progress::Proven(before) => (method.read(None, value), Some(before.user)),
        };
        let attempt = Attempt { person, ..attempt.clone() };
        let proof = self.proof(method, &attempt, &answer).await?;
        // One of several right answers at once goes on, here and on every node.
        let flow = FLOW.take(&*self.edges.ephemeral, key.as_bytes(), now).await?.ok_or(Refusal::FlowInvalid)?;
        let flow = flow.proven(proof).map_err(|_| Refusal::Wrong)?;
        self.go_on(method, flow).await
    }

    /// What `caller` waits for under this handle.
    ///
    /// # Errors
    /// As [`SignIn::answer`].
    pub async fn purpose(&self, handle: &Secret, caller: &BegunBy) -> Result<Purpose, Refusal> {
        let flow = self.find(&TokenHash::of(handle.expose()), caller, self.edges.clock.now()).await?;
        Ok(flow.purpose)
    }

    fn method(&self, name: &str) -> Option<&dyn Method> {
        self.methods.iter().find(|method| method.name() == name).map(Box::as_ref)
    }

    fn open(&self, opening: Opening, progress: Progress) -> SignInFlow {
        SignInFlow {
            version: SignInFlow::VERSION,
            begun_by: opening.begun_by,
            purpose: opening.purpose,
            progress,
            asked: Vec::new(),
            expires_at: self.edges.clock.now().plus(LIFETIME),
        }
    }

    /// A proof, of a person whose account may be used. Its state is told to nobody who did not prove that it is theirs (S-020).
    async fn proof(&self, method: &dyn Method, attempt: &Attempt, answer: &Answer) -> Result<Authentication, Refusal> {
        let proof = judged(method, attempt, answer).await?;
        if attempt.person.is_some_and(|person| person != proof.user) {
            return Err(Refusal::Wrong);
        }
        match self.edges.store.user(proof.user).await? {
            Some(user) if !proof.stands(&user) => Err(Refusal::Wrong),
            Some(user) if user.is_enabled() => Ok(proof),
            Some(user) => {
                attempt.note_failure(self.edges, method.name(), Some(user.id));
                let is_pending = matches!(user.state, AccountState::Pending { .. });
                Err(if is_pending { Refusal::NotActivated } else { Refusal::Disabled })
            }
            None => Err(Refusal::Wrong),
        }
    }

    /// Is it enough?
    async fn go_on(&self, method: &dyn Method, flow: SignInFlow) -> Result<Step, Refusal> {
        let Progress::Proven(proven) = &flow.progress else { return Err(Refusal::FlowInvalid) };
        let methods: Vec<(&'static str, Factor)> =
            self.methods.iter().map(|method| (method.name(), method.factor())).collect();
        match judge(self.policy, proven, &methods) {
            Verdict::Content => {
                let (authentication, purpose) = (proven.clone(), flow.purpose.clone());
                Ok(Step::Complete(Completed { authentication, method: method.name(), purpose }))
            }
            Verdict::More(names) if names.is_empty() => Err(Refusal::Wrong),
            Verdict::More(names) => {
                let flow = flow.asking(names.into_iter().map(str::to_owned).collect());
                self.wait(flow).await.map(Step::Challenge)
            }
        }
    }

    async fn wait(&self, flow: SignInFlow) -> Result<Challenge, Refusal> {
        let handle = self.edges.random.token();
        let key = TokenHash::of(handle.expose());
        let until = flow.expires_at.plus(REMEMBERED);
        FLOW.put(&*self.edges.ephemeral, key.as_bytes(), &flow, until).await?;
        Ok(Challenge { flow: handle, expires_at: flow.expires_at, methods: flow.asked })
    }

    async fn find(&self, key: &TokenHash, caller: &BegunBy, now: NumericDate) -> Result<SignInFlow, Refusal> {
        let flow = FLOW.get(&*self.edges.ephemeral, key.as_bytes(), now).await?;
        let flow = flow.filter(|flow| flow.is_of(caller)).ok_or(Refusal::FlowInvalid)?;
        if flow.expires_at.is_past(now) { Err(Refusal::FlowExpired) } else { Ok(flow) }
    }

    /// Counts an answer before it is judged, over all nodes: guesses at the same time are as many as guesses one by one.
    async fn count(&self, key: &TokenHash, now: NumericDate) -> Result<(), Refusal> {
        let quota = Quota { burst: TRIES, period: LIFETIME + REMEMBERED };
        let counted = EphemeralKey::new(TRIED, key.as_bytes());
        match self.edges.ephemeral.rate(&counted, quota, now).await? {
            Decision::Allowed => Ok(()),
            Decision::Refused { .. } => {
                FLOW.take(&*self.edges.ephemeral, key.as_bytes(), now).await?;
                Err(Refusal::FlowInvalid)
            }
        }
    }
}
