//! `symbolon dev`: a server to develop against, from nothing, in a second.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use crate::app::{App, Extras, World};
use crate::authn::one_time_link;
use crate::cli::output::Output;
use crate::cli::{Call, CommandError, open_browser, start_log};
use crate::config::dotenv::with_dotenv;
use crate::config::issuer::Issuer;
use crate::config::log::Format;
use crate::config::{Config, Sources, process_environment};
use crate::dev::credentials::Credentials;
use crate::dev::data_folder::{DataFolder, Wish};
use crate::dev::demo::{ClientLogin, DemoEdges, DemoSettings};
use crate::dev::facts::{Addresses, Facts};
use crate::dev::mailbox::{Channel, Delivery, Mailbox};
use crate::dev::seed::{self, seed};
use crate::dev::{demo, host, picture};
use crate::edge::clock::SystemClock;
use crate::edge::random::SystemRandom;
use crate::edge::template::context::{DevelopmentUser, Link};
use crate::http::serve::{BindError, Bound, Shutdown, run, signal};
use crate::jobs;
use crate::model::session::SessionLifetimes;
use crate::model::user::LookupName;
use crate::oauth::policy::Mode;
use crate::protocol::secret::Secret;

/// How long the printed link of the administrator works.
const ADMIN_LINK_LIFETIME: Duration = Duration::from_hours(12);
/// The most sessions of one person, where nobody says another number: a test signs alice in hundreds of times.
const MOST_SESSIONS: u32 = 1000;
/// How many ports are tried after the wished one.
const PORTS_TRIED: u16 = 50;

/// `symbolon dev`
#[derive(Debug, clap::Args)]
pub struct Dev {
    /// Where everything is kept; by default ~/.local/share/symbolon/dev.
    #[arg(long, value_name = "FOLDER", conflicts_with = "ephemeral")]
    data: Option<PathBuf>,
    /// Keeps nothing: everything is gone when the server ends.
    #[arg(long)]
    ephemeral: bool,
    /// The port of the server, or the next free one; 0 takes any free ports.
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    port: u16,
    /// The port of the demo app, or the next free one.
    #[arg(long, value_name = "PORT", default_value_t = 8090)]
    demo_port: u16,
    /// Opens the demo app in the browser.
    #[arg(long)]
    open: bool,
}

impl Dev {
    /// Serves until SIGTERM or SIGINT.
    ///
    /// # Errors
    /// When the data folder or no port at all can be used.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        let environment = with_dotenv(process_environment(), Path::new("."))?;
        let sources = Sources { file: call.config.clone(), environment, flags: call.flags.clone() };
        let mut config = Config::load(&sources)?;
        if std::env::var_os("RUST_LOG").is_some() || call.output == Output::Human {
            start_log(Format::Auto);
        }
        let data = DataFolder::take(self.wish(), &SystemRandom)?;
        if let Some(remark) = data.remark() {
            eprintln!("symbolon: {remark}");
        }
        if config.database.url.is_none() {
            config.database.path = Some(data.path().join("symbolon.db"));
        }
        config.keys.master_key_file = data.path().join("master.key");
        config.keys.master_key = None;
        if config.session.at_most == SessionLifetimes::default().at_most {
            config.session.at_most = MOST_SESSIONS;
        }

        // Any port means any for all three; else each has its own wish.
        let (demo_port, operations_port) = if self.port == 0 { (0, 0) } else { (self.demo_port, 9090) };
        let public = bind("localhost", self.port)?;
        let demo_app = bind("localhost", demo_port)?;
        let operations = bind("127.0.0.1", operations_port)?;
        let addresses = Addresses {
            issuer: format!("http://localhost:{}", public.address().port()),
            demo: format!("http://localhost:{}", demo_app.address().port()),
            operations: format!("http://127.0.0.1:{}", operations.address().port()),
        };
        config.issuer = Issuer::parse(&addresses.issuer).map_err(|reason| anyhow::anyhow!("the issuer {reason}"))?;

        let mailbox = Mailbox::new(Arc::new(SystemClock));
        let world = World { post: mailbox.post(), ..World::of(&config)? };
        let app = App::build(&config, Mode::Development, world).await?;
        let credentials = Credentials::load_or_create(&data.path().join("dev.json"), seed::WANTED, &SystemRandom)?;
        let edges = &app.provider.edges;
        let mut facts = seed(edges, &app.hasher, &credentials, &addresses).await.context("seed people and clients")?;
        facts.admin_link =
            admin_link(&app, &addresses.issuer, &mailbox).await.context("make the administrator's link")?;

        let demo_router = demo::router(demo_settings(&addresses, &facts, &credentials), demo_edges(&app));
        let extras = Extras {
            development_users: development_users(&app, &facts).await.context("read the seeded people")?,
            start_links: vec![
                Link { id: "demo".into(), url: addresses.demo.clone() },
                Link { id: "mailbox".into(), url: facts.mailbox.clone() },
            ],
            routes: mailbox.router(Arc::clone(&app.templates), String::new()).merge(picture::router()),
            ..Extras::default()
        };
        let front = app.front(extras).map_router(|router| host::guard(router, addresses.issuer.clone()));
        let demo_router = host::guard(demo_router, addresses.demo.clone());
        let served = vec![(public, front), (demo_app, demo_router.into()), (operations, app.operations(None))];
        let jobs = jobs::start(&app.provider, &app.courier);
        let stop = signal().map_err(anyhow::Error::from)?;
        let shutdown = Shutdown { notice: Duration::ZERO, drain: Duration::from_secs(2) };
        // The sockets listen already, so whoever reads these lines can connect.
        self.announce(call.output, &facts, &data).context("print the facts")?;
        run(served, app.readiness.clone(), shutdown, stop).await.map_err(anyhow::Error::from)?;
        drop(jobs);
        app.close().await;
        drop(data);
        Ok(())
    }

    fn wish(&self) -> Wish {
        match &self.data {
            Some(path) => Wish::Named(path.clone()),
            None if self.ephemeral => Wish::Temporary,
            None => DataFolder::of_user(|name| std::env::var_os(name).map(PathBuf::from)),
        }
    }

    fn announce(&self, output: Output, facts: &Facts, data: &DataFolder) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        if output == Output::Json {
            writeln!(out, "{}", facts.json())?;
        } else {
            let kept = (!data.is_temporary()).then(|| data.path());
            writeln!(out, "{}", facts.banner(kept))?;
        }
        out.flush()?;
        if self.open {
            open_browser(&facts.demo);
        }
        Ok(())
    }
}

/// Binds `port` or the next free one, and says so when it is another.
fn bind(host: &str, port: u16) -> Result<Bound, BindError> {
    let at =
        |port: u16| Bound::new(&format!("{host}:{port}").parse().expect("a host of ours and a port are an address"));
    let mut last = match at(port) {
        Ok(bound) => return Ok(bound),
        Err(error) => error,
    };
    for other in (port.saturating_add(1)..=u16::MAX).take(usize::from(PORTS_TRIED)) {
        match at(other) {
            Ok(bound) => {
                eprintln!("symbolon: port {port} is taken; using {other}");
                return Ok(bound);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A link that signs the administrator in once, also delivered to the mailbox.
async fn admin_link(app: &App, issuer: &str, mailbox: &Mailbox) -> anyhow::Result<String> {
    let edges = &app.provider.edges;
    let name = LookupName::parse(seed::ADMIN).context("the administrator has a name")?;
    let admin = edges.store.user_by_name(&name).await?.context("the administrator is seeded")?;
    let token = one_time_link::make(edges, admin.id, ADMIN_LINK_LIFETIME).await?;
    let link = format!("{issuer}/sign-in/link?to=admin&token={}", token.expose());
    mailbox.deliver(Delivery {
        channel: Channel::Mail,
        to: "admin@example.com".to_owned(),
        subject: Some("Your link to the administration of this development server".to_owned()),
        text: format!(
            "Open this link to sign in as the administrator. It works once, within twelve hours:\n\n{link}\n"
        ),
        html: None,
        kind: None,
    });
    Ok(link)
}

fn demo_settings(addresses: &Addresses, facts: &Facts, credentials: &Credentials) -> DemoSettings {
    let login = |client_id: &str| ClientLogin {
        client_id: client_id.to_owned(),
        client_secret: credentials.of(client_id).clone(),
    };
    DemoSettings {
        issuer: addresses.issuer.clone(),
        origin: addresses.demo.clone(),
        mailbox: facts.mailbox.clone(),
        audience: seed::API_AUDIENCE.to_owned(),
        web: login(seed::DEMO_WEB),
        api: login(seed::DEMO_API),
        spa: seed::DEMO_SPA.to_owned(),
    }
}

fn demo_edges(app: &App) -> DemoEdges {
    let edges = &app.provider.edges;
    DemoEdges {
        fetch: Arc::clone(&edges.fetch),
        clock: Arc::clone(&edges.clock),
        random: Arc::clone(&edges.random),
        templates: Arc::clone(&app.templates),
    }
}

async fn development_users(app: &App, facts: &Facts) -> anyhow::Result<Vec<DevelopmentUser>> {
    let mut offered = Vec::new();
    // Most sign-ins are those of people without power.
    let (operators, people): (Vec<_>, Vec<_>) = facts.users.iter().partition(|user| user.username == seed::ADMIN);
    for user in people.into_iter().chain(operators) {
        let name = LookupName::parse(&user.username).context("seeded names can be looked up")?;
        let person = app.provider.edges.store.user_by_name(&name).await?.context("the person is seeded")?;
        offered.push(DevelopmentUser {
            name: person.display_name().to_owned(),
            username: user.username.clone(),
            password: Secret::expose(&user.password).clone(),
        });
    }
    Ok(offered)
}
