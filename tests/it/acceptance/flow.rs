//! The engine of sign-ins, with a second factor made for these stories.

use std::time::Duration;

use async_trait::async_trait;
use symbolon::authn::flow::{Challenge, Opening, SIGN_IN_LIFETIME, SignIn, Step};
use symbolon::authn::policy::SignInPolicy;
use symbolon::authn::{Answer, Attempt, Factor, Method, Offer, Refusal};
use symbolon::edge::Edges;
use symbolon::model::authentication::{Acr, Amr, Authentication, Demand};
use symbolon::model::epoch::Epoch;
use symbolon::model::event::Provenance;
use symbolon::model::fault::Fault;
use symbolon::model::id::UserId;
use symbolon::model::sign_in_flow::{BegunBy, Purpose};
use symbolon::model::user::User;
use symbolon::protocol::secret::{Secret, TokenHash};

use crate::support::TestServer;

/// A method that believes whoever says the right word.
struct Word {
    edges: Edges,
    name: &'static str,
    right: &'static str,
    person: UserId,
    amr: Amr,
}

#[async_trait]
impl Method for Word {
    fn name(&self) -> &'static str {
        self.name
    }

    fn factor(&self) -> Factor {
        self.amr.factor()
    }

    fn proves_a_name(&self) -> bool {
        self.amr == Amr::Pwd
    }

    async fn offers(&self, _: &User) -> Result<Vec<Offer>, Fault> {
        Ok(vec![Offer { id: self.name.to_owned(), hint: None }])
    }

    fn read(&self, _: Option<&str>, value: Secret) -> Answer {
        Answer::Link(value)
    }

    async fn finish(&self, _: &Attempt, answer: &Answer) -> Result<Authentication, Refusal> {
        let Answer::Link(word) = answer else { return Err(Refusal::Wrong) };
        if word.matches(self.right) {
            Ok(Authentication::new((self.person, Epoch::FIRST), self.edges.clock.now(), vec![self.amr]))
        } else {
            Err(Refusal::Wrong)
        }
    }
}

/// A server whose sign-ins take two words.
struct TwoWords {
    server: TestServer,
    methods: Vec<Box<dyn Method>>,
}

impl TwoWords {
    async fn start() -> Self {
        let server = TestServer::start().await;
        let (alice, bob) = (server.user("alice").await.id, server.user("bob").await.id);
        let word = |name, right, person, amr| {
            Box::new(Word { edges: server.provider().edges.clone(), name, right, person, amr }) as Box<dyn Method>
        };
        let methods = vec![
            word("first", "one", alice, Amr::Pwd),
            word("second", "two", alice, Amr::Otp),
            word("stranger", "three", bob, Amr::Otp),
        ];
        Self { server, methods }
    }

    fn engine(&self) -> SignIn<'_> {
        let policy = SignInPolicy { least: Demand::TwoFactors };
        let provider = self.server.provider();
        SignIn {
            edges: &provider.edges,
            methods: &self.methods,
            policy,
            factors: &provider.factors,
            lifetime: SIGN_IN_LIFETIME,
        }
    }

    async fn first(&self, begun_by: BegunBy) -> Result<Step, Refusal> {
        let opening = Opening { begun_by, purpose: Purpose::Session, demand: Demand::OneFactor, path: None };
        self.engine().prove(&attempt(), ("first", &Answer::Link(Secret::from("one"))), opening).await
    }

    async fn begun(&self) -> Challenge {
        match self.first(browser("a")).await {
            Ok(Step::Challenge(challenge)) => challenge,
            other => panic!("{other:?}"),
        }
    }

    async fn answers(&self, flow: &Secret, caller: &BegunBy, (method, word): (&str, &str)) -> Result<Step, Refusal> {
        self.engine().answer(&attempt(), (flow, caller), (method.into(), Secret::from(word))).await
    }
}

fn attempt() -> Attempt {
    Attempt { from: Provenance { address: "192.0.2.1".to_owned(), ..Provenance::default() }, ..Attempt::default() }
}

fn browser(name: &str) -> BegunBy {
    BegunBy { client: None, browser: Some(TokenHash::of(name)) }
}

#[tokio::test]
async fn one_factor_leads_to_a_challenge_and_two_are_enough() {
    let world = TwoWords::start().await;
    let challenge = world.begun().await;
    let asked: Vec<&str> = challenge.asked.iter().map(|asked| asked.method.as_str()).collect();
    assert_eq!(asked, ["second", "stranger"]);
    assert_eq!(challenge.flow.expose().len(), 43, "256 bits");
    let done = world.answers(&challenge.flow, &browser("a"), ("second", "two")).await;
    let Ok(Step::Complete(completed)) = done else { panic!("{done:?}") };
    assert_eq!(completed.authentication.amr, [Amr::Pwd, Amr::Otp]);
    assert_eq!(completed.authentication.acr(), Acr::TwoFactors);
    let again = world.answers(&challenge.flow, &browser("a"), ("second", "two")).await;
    assert!(matches!(again, Err(Refusal::FlowInvalid)), "a flow is good once: {again:?}");
}

#[tokio::test]
async fn a_flow_is_of_its_browser_and_its_methods() {
    let world = TwoWords::start().await;
    let flow = world.begun().await.flow;
    for caller in [
        browser("b"),
        BegunBy { client: None, browser: None },
        BegunBy { client: Some("app".parse().expect("an id")), browser: Some(TokenHash::of("a")) },
    ] {
        let refused = world.answers(&flow, &caller, ("second", "two")).await;
        assert!(matches!(refused, Err(Refusal::FlowInvalid)), "{caller:?}: {refused:?}");
    }
    for answer in [("first", "one"), ("second", "wrong"), ("nothing", "two"), ("stranger", "three")] {
        let refused = world.answers(&flow, &browser("a"), answer).await;
        assert!(matches!(refused, Err(Refusal::Wrong)), "{answer:?}: {refused:?}");
    }
    let unknown = world.answers(&Secret::from("unknown"), &browser("a"), ("second", "two")).await;
    assert!(matches!(unknown, Err(Refusal::FlowInvalid)), "{unknown:?}");
    assert!(world.answers(&flow, &browser("a"), ("second", "two")).await.is_ok(), "it is still good");
}

#[tokio::test]
async fn a_flow_hears_five_answers() {
    let world = TwoWords::start().await;
    let flow = world.begun().await.flow;
    for _ in 0..5 {
        let refused = world.answers(&flow, &browser("a"), ("second", "wrong")).await;
        assert!(matches!(refused, Err(Refusal::Wrong)), "{refused:?}");
    }
    for _ in 0..2 {
        let dead = world.answers(&flow, &browser("a"), ("second", "two")).await;
        assert!(matches!(dead, Err(Refusal::FlowInvalid)), "{dead:?}");
    }
}

#[tokio::test]
async fn a_flow_takes_five_minutes_at_most() {
    let world = TwoWords::start().await;
    let flow = world.begun().await.flow;
    world.server.advance(Duration::from_secs(299));
    assert!(world.answers(&flow, &browser("a"), ("second", "two")).await.is_ok());
    let flow = world.begun().await.flow;
    world.server.advance(Duration::from_mins(5));
    let late = world.answers(&flow, &browser("a"), ("second", "two")).await;
    assert!(matches!(late, Err(Refusal::FlowExpired)), "{late:?}");
    world.server.advance(Duration::from_mins(5));
    let forgotten = world.answers(&flow, &browser("a"), ("second", "two")).await;
    assert!(matches!(forgotten, Err(Refusal::FlowInvalid)), "{forgotten:?}");
}

#[tokio::test]
async fn of_many_right_answers_at_once_one_goes_on() {
    let world = TwoWords::start().await;
    let flow = world.begun().await.flow;
    let caller = browser("a");
    let answers = (0..5).map(|_| world.answers(&flow, &caller, ("second", "two")));
    let outcomes = futures_util::future::join_all(answers).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
}
