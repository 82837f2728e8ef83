//! A sign-in as a flow that collects proofs until policy is content: one engine below pages, API and challenge endpoint.
//!
//! OAuth 2.0 for First-Party Applications §5.3, `ACCOUNT_API.md` §3.1. A flow is opened by a proof or by a name; it ends in an
//! [`Authentication`], or asks for one more proof under a handle of 256 bits that lives for some minutes, hears five wrong answers,
//! and is good once.

use std::time::Duration;

use crate::authn::policy::{SignInPolicy, helps, reaches};
use crate::authn::second_factor::SecondFactors;
use crate::authn::{Answer, Attempt, Begun, Method, Onward, Refusal, judge as judged};
use crate::edge::Edges;
use crate::edge::ephemeral::{EphemeralKey, Namespace};
use crate::model::authentication::{Authentication, Demand, Factor};
use crate::model::sign_in_flow::{Asked, BegunBy, Progress, Purpose, SignInFlow};
use crate::model::user::{AccountState, User};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{Secret, TokenHash};

/// How long a flow may take, if nothing is said.
pub const SIGN_IN_LIFETIME: Duration = Duration::from_mins(5);
/// How long one that ran out is told from one that never was.
const REMEMBERED: Duration = Duration::from_mins(5);
/// How long after its first proof a sign-in may set a factor up: a session that was stolen must not (PROTOCOL A15).
pub const ENROLMENT: Duration = Duration::from_mins(10);
/// Wrong answers that a flow hears.
const TRIES: u8 = 5;

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
    /// Browsers in which no second factor is asked for.
    pub factors: &'a SecondFactors,
    /// How long a flow may take.
    pub lifetime: Duration,
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
    /// Where it leads without a request: a path of this server, or the page of the app that the person was invited to.
    pub path: Option<String>,
}

/// A proof that is asked for.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// The handle.
    pub flow: Secret,
    /// The end of the flow.
    pub expires_at: NumericDate,
    /// What may be answered.
    pub asked: Vec<Asked>,
}

/// A challenge of a flow, as its answer names it.
#[derive(Copy, Clone, Debug)]
pub struct Chosen<'a> {
    /// Its method.
    pub method: &'a str,
    /// Which one of several of that method.
    pub id: Option<&'a str>,
}

impl<'a> From<&'a str> for Chosen<'a> {
    fn from(method: &'a str) -> Self {
        Self { method, id: None }
    }
}

/// How a flow is opened.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Who begins.
    pub begun_by: BegunBy,
    /// What it shall lead to.
    pub purpose: Purpose,
    /// What it must reach, beside what the house and the person want.
    pub demand: Demand,
    /// Where it leads without a request, as in [`Completed`].
    pub path: Option<String>,
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
        self.go_on(method.name(), attempt, flow).await
    }

    /// Opens a flow with a proof that stands: that of a session which shall reach more, or one that was made elsewhere, by `method`.
    ///
    /// # Errors
    /// [`Refusal::Wrong`] when the person has nothing that would reach it; a fault of a store.
    pub async fn go_on_from(
        &self,
        attempt: &Attempt,
        (method, proof): (&'static str, Authentication),
        opening: Opening,
    ) -> Result<Step, Refusal> {
        let flow = self.open(opening, Progress::Proven(proof));
        self.go_on(method, attempt, flow).await
    }

    /// Opens a flow with a name, and asks for what may prove it. Whether anybody has the name does not show.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn ask(&self, identifier: &str, opening: Opening) -> Result<Challenge, Refusal> {
        let flow = self.open(opening, Progress::Named { identifier: identifier.to_owned() });
        let methods = self.methods.iter().filter(|method| method.proves_a_name());
        let flow = flow.asking(methods.map(|method| Asked::only(method.name())).collect());
        self.wait(flow).await
    }

    /// Opens a flow with a name to which `method` sends something. Whether anybody has the name does not show.
    ///
    /// # Errors
    /// What the method says.
    pub async fn ask_by(
        &self,
        attempt: &Attempt,
        (method, identifier): (&str, &str),
        opening: Opening,
    ) -> Result<(Challenge, Option<Begun>), Refusal> {
        let method = self.method(method).ok_or(Refusal::Wrong)?;
        let onward = Onward { path: opening.path.clone(), ..attempt.onward.clone() };
        let attempt = Attempt { browser: opening.begun_by.browser, onward, ..attempt.clone() };
        let started = method.start(&attempt, identifier).await?;
        let asked = vec![Asked::only(method.name())];
        let flow = self.open(opening, Progress::Named { identifier: identifier.to_owned() }).asking(asked.clone());
        let patience = method.patience().unwrap_or(self.lifetime);
        let flow = SignInFlow { expires_at: self.edges.clock.now().plus(patience), ..flow };
        let key = TokenHash::of(started.handle.expose());
        let mut begun = None;
        if started.is_fresh {
            let attempt = Attempt { flow: Some(key), challenge: Some(method.name().to_owned()), ..attempt };
            let until = flow.expires_at.plus(REMEMBERED);
            let sent = async {
                FLOW.put(&*self.edges.ephemeral, key.as_bytes(), &flow, until).await?;
                method.begin_named(&attempt, identifier).await
            };
            // One that sent nothing did not begin: the same caller is not told a moment later that it did.
            begun = Some(method.settled(&attempt, identifier, sent.await).await?);
        }
        Ok((Challenge { flow: started.handle, expires_at: flow.expires_at, asked }, begun))
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
        (challenge, value): (Chosen<'_>, Secret),
    ) -> Result<Step, Refusal> {
        let now = self.edges.clock.now();
        let key = TokenHash::of(handle.expose());
        let flow = self.find(&key, caller, now).await?;
        let (method, attempt) = self.chosen(&flow, key, (attempt, challenge))?;
        let left = self.count(&key, now).await?;
        let answer = match &flow.progress {
            Progress::Named { identifier } => method.read(Some(identifier), value),
            Progress::Proven(_) => method.read(None, value),
        };
        let proof = self.proof(method, &attempt, &answer).await.map_err(|refusal| match refusal {
            Refusal::WrongCode(None) => Refusal::WrongCode(Some(left)),
            other => other,
        })?;
        // One of several right answers at once goes on, here and on every node.
        let flow = FLOW.take(&*self.edges.ephemeral, key.as_bytes(), now).await?.ok_or(Refusal::FlowInvalid)?;
        let flow = if method.enrols() { flow.carried_into(proof.epoch) } else { flow };
        let flow = flow.proven(proof).map_err(|_| Refusal::Wrong)?;
        self.go_on(method.name(), &attempt, flow).await
    }

    /// Sends or makes what the answer of a challenge needs.
    ///
    /// # Errors
    /// As [`SignIn::answer`].
    pub async fn begin(
        &self,
        attempt: &Attempt,
        (handle, caller): (&Secret, &BegunBy),
        challenge: Chosen<'_>,
    ) -> Result<Begun, Refusal> {
        let key = TokenHash::of(handle.expose());
        let flow = self.find(&key, caller, self.edges.clock.now()).await?;
        let (method, attempt) = self.chosen(&flow, key, (attempt, challenge))?;
        method.begin(&attempt).await
    }

    /// What `caller` waits for under this handle.
    ///
    /// # Errors
    /// As [`SignIn::answer`].
    pub async fn purpose(&self, handle: &Secret, caller: &BegunBy) -> Result<Purpose, Refusal> {
        self.waiting(handle, caller).await.map(|flow| flow.purpose)
    }

    /// The flow under this handle.
    ///
    /// # Errors
    /// As [`SignIn::answer`].
    pub async fn waiting(&self, handle: &Secret, caller: &BegunBy) -> Result<SignInFlow, Refusal> {
        self.find(&TokenHash::of(handle.expose()), caller, self.edges.clock.now()).await
    }

    /// The method of a challenge that the flow asks for, and the attempt at it.
    fn chosen(
        &self,
        flow: &SignInFlow,
        key: TokenHash,
        (attempt, chosen): (&Attempt, Chosen<'_>),
    ) -> Result<(&dyn Method, Attempt), Refusal> {
        let is_meant = |asked: &&Asked| asked.method == chosen.method && chosen.id.is_none_or(|id| id == asked.id);
        let asked = flow.asked.iter().find(is_meant).ok_or(Refusal::Wrong)?;
        let method = self.method(&asked.method).ok_or(Refusal::Wrong)?;
        let person = match &flow.progress {
            Progress::Named { .. } => None,
            Progress::Proven(before) => Some(before.user),
        };
        let named = match &flow.progress {
            Progress::Named { identifier } => Some(identifier.clone()),
            Progress::Proven(_) => None,
        };
        let onward = Onward { path: flow.path.clone(), ..attempt.onward.clone() };
        let (flow, challenge) = (Some(key), Some(asked.id.clone()));
        Ok((method, Attempt { person, flow, challenge, named, onward, ..attempt.clone() }))
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
            demand: opening.demand,
            path: opening.path,
            expires_at: self.edges.clock.now().plus(self.lifetime),
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

    /// Is it enough? If not: what the person has that would bring it nearer, else what they may set up.
    async fn go_on(&self, method: &'static str, attempt: &Attempt, flow: SignInFlow) -> Result<Step, Refusal> {
        let Progress::Proven(proven) = &flow.progress else { return Err(Refusal::FlowInvalid) };
        let user = self.edges.store.user(proven.user).await?.ok_or(Refusal::Wrong)?;
        let demands = self.demands(attempt, &user, flow.demand).await?;
        if demands.iter().all(|demand| proven.meets(*demand)) {
            let (authentication, purpose, path) = (proven.clone(), flow.purpose.clone(), flow.path.clone());
            return Ok(Step::Complete(Completed { authentication, method, purpose, path }));
        }
        let factors = proven.factors();
        let helps = |method: &dyn Method| helps(&demands, &factors, &method.proves());
        let mut asked = self.offered(&user, helps).await?;
        if asked.is_empty() && !proven.at.plus(ENROLMENT).is_past(self.edges.clock.now()) {
            // Whoever has another factor proves that one first, also where it is not enough: a new one is for its owner to set up.
            asked = self.offered(&user, |method| !factors.contains(&method.factor())).await?;
            if asked.is_empty() {
                asked = self.setups(&demands, &factors);
            }
        }
        if asked.is_empty() {
            return Err(Refusal::Wrong);
        }
        self.wait(flow.asking(asked)).await.map(Step::Challenge)
    }

    /// What a person may set up: the least that is enough, else whatever brings the sign-in nearer. *Why the least:* a passkey needs a device
    /// that makes one, and is asked for only where nothing else will do.
    fn setups(&self, demands: &[Demand], proven: &[Factor]) -> Vec<Asked> {
        let enrolling = self.methods.iter().filter(|method| method.enrols());
        let helping: Vec<_> = enrolling.filter(|method| helps(demands, proven, &method.proves())).collect();
        let is_enough = |method: &dyn Method| reaches(demands, proven, &method.proves());
        let enough = helping.iter().filter(|method| is_enough(method.as_ref()));
        let least = enough.map(|method| method.proves().len()).min();
        let is_meant =
            |method: &dyn Method| least.is_none_or(|least| is_enough(method) && method.proves().len() == least);
        let meant = helping.iter().filter(|method| is_meant(method.as_ref()));
        meant.map(|method| Asked::only(method.name())).collect()
    }

    /// What a person has of the methods that are `meant`.
    async fn offered(&self, user: &User, meant: impl Fn(&dyn Method) -> bool) -> Result<Vec<Asked>, Refusal> {
        let mut asked = Vec::new();
        for method in self.methods.iter().filter(|method| meant(method.as_ref())) {
            let offers = method.offers(user).await?.into_iter();
            asked.extend(offers.map(|offer| Asked {
                id: offer.id,
                method: method.name().to_owned(),
                hint: offer.hint,
            }));
        }
        Ok(asked)
    }

    /// What the house, the person and the flow want. A browser that is remembered is asked by the flow alone.
    async fn demands(&self, attempt: &Attempt, user: &User, of_flow: Demand) -> Result<[Demand; 3], Refusal> {
        if let Some(mark) = &attempt.remembered
            && self.factors.is_remembered(user, mark).await?
        {
            return Ok([of_flow.max(self.factors.of_rank(user)); 3]);
        }
        let standing = self.edges.store.second_factor(user.id).await?;
        let own = if standing.required_at.is_some() { Demand::SecondProof } else { Demand::OneFactor };
        Ok([self.policy.least.max(self.factors.house(user).await?), own, of_flow])
    }

    async fn wait(&self, flow: SignInFlow) -> Result<Challenge, Refusal> {
        let handle = self.edges.random.token();
        let key = TokenHash::of(handle.expose());
        let until = flow.expires_at.plus(REMEMBERED);
        FLOW.put(&*self.edges.ephemeral, key.as_bytes(), &flow, until).await?;
        Ok(Challenge { flow: handle, expires_at: flow.expires_at, asked: flow.asked })
    }

    async fn find(&self, key: &TokenHash, caller: &BegunBy, now: NumericDate) -> Result<SignInFlow, Refusal> {
        let flow = FLOW.get(&*self.edges.ephemeral, key.as_bytes(), now).await?;
        let flow = flow.filter(|flow| flow.is_of(caller)).ok_or(Refusal::FlowInvalid)?;
        if !flow.expires_at.is_past(now) {
            return Ok(flow);
        }
        // Where a code is all that was waited for, that is what ran out (S-040).
        let sends = flow.asked.iter().filter_map(|asked| self.method(&asked.method)).find(|method| method.sends());
        let awaited = sends.filter(|_| matches!(flow.progress, Progress::Named { .. }));
        Err(awaited.map_or(Refusal::FlowExpired, Method::when_over))
    }

    /// Counts an answer before it is judged, over all nodes: guesses at the same time are as many as guesses one by one. How many more
    /// are heard.
    ///
    /// *Why one too many ends nothing:* a hundred right answers at once are five that are judged, and one of them goes on.
    async fn count(&self, key: &TokenHash, now: NumericDate) -> Result<u8, Refusal> {
        // Longer than any flow is remembered.
        let patience = self.methods.iter().filter_map(|method| method.patience());
        let until = now.plus(patience.fold(self.lifetime, Duration::max) + REMEMBERED);
        for place in 1..=TRIES {
            let taken = EphemeralKey::new(
                TRIED,
                TokenHash::of_bytes(&[key.as_bytes().as_slice(), &[place]].concat()).as_bytes(),
            );
            if self.edges.ephemeral.add_if_absent(&taken, until, now).await? {
                return Ok(TRIES - place);
            }
        }
        Err(Refusal::FlowInvalid)
    }
}
