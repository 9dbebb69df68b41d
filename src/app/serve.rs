//! `serve`: puts the service together, and ends it in order.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::Signal;

use crate::api;
use crate::api::Api;
use crate::api::Gate;
use crate::api::Health;
use crate::api::Rates;
use crate::api::Requests;
use crate::api::admin;
use crate::api::admin::Admin;
use crate::api::listen::Listeners;
use crate::app::graphs;
use crate::app::graphs::GraphsError;
use crate::app::names::Names;
use crate::app::observe;
use crate::app::reload::Reload;
use crate::catalog::Catalog;
use crate::catalog::CatalogError;
use crate::catalog::Rows;
use crate::config::AutoRecordSettings;
use crate::config::Config;
use crate::config::ResourceSettings;
use crate::config::ServiceSettings;
use crate::config::host::Host;
use crate::config::keys;
use crate::config::keys::KeysError;
use crate::config::private;
use crate::config::private::PrivateError;
use crate::config::tls::TlsError;
use crate::engine;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::Settings;
use crate::graph::Plan;
use crate::ingest::rtp::Readers;
use crate::ingest::rtp::RtpError;
use crate::model::ResourceId;
use crate::storage::Leftovers;
use crate::storage::Objects;
use crate::storage::ObjectsError;
use crate::storage::StorageError;
use crate::storage::lock_data;
use crate::storage::look_at_all;
use crate::supervisor;
use crate::supervisor::AutoRecord;
use crate::supervisor::Collaborators;
use crate::supervisor::Meter;
use crate::supervisor::Policy;
use crate::telemetry::Registry;

/// Longest wait for what is still to be written to the catalog.
const CATALOG_DEADLINE: Duration = Duration::from_secs(10);

/// Where the service is, when it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// Where requests are taken without encryption.
    pub http: SocketAddr,
    /// Where they are taken with TLS, as clients are to call it.
    pub https: Host,
    /// Where tunnels to the service are asked for, if they are.
    pub connect: Option<SocketAddr>,
    /// Where whoever runs the service looks at it, if anywhere, with the file of the token.
    pub admin: Option<(SocketAddr, PathBuf)>,
    /// What clients are to trust, where the service has its own certificate.
    pub authority: Option<PathBuf>,
    /// Names of the resources with the files that their keys are in, and those of their connection strings.
    pub resources: Vec<(String, PathBuf, PathBuf)>,
}

/// Why there is no service. Reads after "failed to serve: ".
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address.
    #[error("{address} cannot be listened on: {cause}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why. Not a `source`: the text has it already.
        cause: std::io::Error,
    },
    /// A graph does not work here.
    #[error(transparent)]
    Graphs(#[from] GraphsError),
    /// A rule is about something that is not there.
    #[error("[auto-record.{rule}]: there is no {what} {name}")]
    Rule {
        /// Name of the rule.
        rule: String,
        /// What is not there.
        what: &'static str,
        /// How it is named.
        name: String,
    },
    /// The catalog.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Directories and connection strings.
    #[error(transparent)]
    Private(#[from] PrivateError),
    /// Workers.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Sockets.
    #[error(transparent)]
    Rtp(#[from] RtpError),
    /// What is left of recordings.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Files.
    #[error(transparent)]
    Objects(#[from] ObjectsError),
    /// What it listens at.
    #[error("what is listened at is not known: {0}")]
    Listening(std::io::Error),
}

/// Serves until `end` comes, and then until all recordings have ended. `ready` is told where, once. Keys and
/// certificate are read again at each `hangup`.
///
/// # Errors
///
/// It cannot begin; nothing has been recorded.
pub async fn serve(
    config: Config,
    ready: impl FnOnce(&Served),
    hangup: Signal,
    end: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let data = &config.service.data_dir;
    for dir in [data.clone(), data.join("recordings"), data.join("objects")] {
        private::make_dir(&dir)?;
    }
    let _lock = lock_data(data)?;
    let n_workers = available_parallelism().map_or(1, usize::from);
    let settings = Settings { workers: n_workers, tick: config.engine.tick, stall: config.engine.stall_timeout };
    let mut listeners = listen(&config.service).await?;
    let http = listeners.http.local_addr().map_err(ServeError::Listening)?;
    let https = listeners.https.local_addr().map_err(ServeError::Listening)?;
    let names = Names::new(&config.service, http, https);
    let connect = listeners.connect.as_ref().and_then(|listener| listener.local_addr().ok());
    listeners.tunnelled = names.tunnelled.clone();
    let admin_at = listeners.admin.as_ref().and_then(|listener| listener.local_addr().ok());
    let objects = Objects::local(&data.join("objects"))?;
    let (catalog, rows, writer) = Catalog::open(&data.join("catalog.db")).await?;
    let left = left(data.join("recordings"), &rows).await?;
    let (reload, keys, tls) = Reload::begin(&config.service, &config.resources, &names)?;
    let (authority, files) = (reload.authority(), reload.files());
    let admin = admin_at.map(|address| (address, config.service.admin_token()));
    let served = Served { http, https: names.endpoint, connect, admin, authority, resources: files };
    let ids = reload.resources.iter().map(|resource| resource.id);
    let resources: BTreeMap<_, _> = ids.zip(config.resources.iter().cloned()).collect();
    let plans = graphs::plans(config.recording.graphs_dir.as_deref())?;
    let rates = Rates::new(resources.iter().map(|(id, settings)| (*id, settings.requests_per_second)));
    let policy = policy(&config, &resources, &plans)?;
    let token = served.admin.as_ref().map(|(_, file)| keys::load_or_create_token(file)).transpose()?;
    let (registry, engine) = (Registry::default(), Arc::new(Engine::start(settings)?));
    observe::register(&registry, &config.service.data_dir);
    engine::register(&registry, &engine);
    let meter = Meter::register(&registry);
    let (workers, data_dir) = (Arc::downgrade(&engine), config.service.data_dir.clone());
    let audit = catalog.audit_log();
    let (supervisor, task) = supervisor::start(Collaborators {
        engine,
        readers: Readers::start(n_workers)?,
        objects: objects.clone(),
        catalog,
        rows,
        left,
        meter: Arc::clone(&meter),
        plans,
        settings: config.engine,
        service: config.service,
        resources,
        policy,
    });
    let gate = Gate { keys, hosts: names.signed, rates };
    let health = Arc::new(Health {
        engine: workers,
        supervisor: supervisor.clone(),
        data_dir,
        is_ending: AtomicBool::new(false),
    });
    let requests = Requests::register(&registry);
    let admin = served.admin.as_ref().zip(token).map(|((address, _), token)| {
        let meter = Arc::clone(&meter);
        admin::router(Admin { registry, meter, health: Arc::clone(&health), token, address: address.ip() })
    });
    let router = api::router(Api {
        supervisor: supervisor.clone(),
        audit,
        objects,
        gate,
        content_base: names.content_base,
        health: Arc::clone(&health),
        meter,
        requests,
    });
    ready(&served);
    tokio::spawn(reload.run(hangup));
    api::listen::serve(listeners, router, admin.unwrap_or_default(), tls, async move {
        end.await;
        health.is_ending.store(true, Relaxed);
        supervisor.drain().await;
        // A task that has panicked has ended, too.
        let _ = task.await;
        // Who cannot write any more has said so.
        let _ = tokio::time::timeout(CATALOG_DEADLINE, writer).await;
    })
    .await;
    Ok(())
}

async fn listen(service: &ServiceSettings) -> Result<Listeners, ServeError> {
    let bind = async |address| {
        let bound = TcpListener::bind(address).await;
        bound.map_err(|cause| ServeError::Listen { address, cause })
    };
    let connect = match service.connect_proxy {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let admin = match service.admin {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let (http, https) = (bind(service.http).await?, bind(service.https).await?);
    Ok(Listeners { http, https, admin, connect, tunnelled: Vec::new() })
}

/// Looks at what is left of recordings that have not ended, or could not be stored.
async fn left(dir: PathBuf, rows: &Rows) -> Result<Leftovers, ServeError> {
    let stored = rows.chunks.iter().map(|row| row.id);
    let known: BTreeSet<_> = stored.chain(rows.deletions.iter().copied()).collect();
    let looked = tokio::task::spawn_blocking(move || look_at_all(&dir, |document| known.contains(&document)));
    Ok(looked.await.expect("looking at files does not panic")?)
}

/// Returns what holds for all calls and recordings.
fn policy(
    config: &Config,
    resources: &BTreeMap<ResourceId, ResourceSettings>,
    plans: &BTreeMap<String, Arc<Plan>>,
) -> Result<Policy, ServeError> {
    let rule = |rule: &AutoRecordSettings| {
        let unknown = |what: &'static str, name: &String| {
            let (rule, name) = (rule.name.clone(), name.clone());
            ServeError::Rule { rule, what, name }
        };
        if !plans.contains_key(&rule.graph) {
            return Err(unknown("graph", &rule.graph));
        }
        let named = |name: &String| {
            let found = resources.iter().find(|(_, settings)| settings.name == *name).map(|(id, _)| *id);
            found.ok_or_else(|| unknown("resource", name))
        };
        let AutoRecordSettings { name, graph, resource, call_key, tags } = rule.clone();
        let resource = resource.as_ref().map(named).transpose()?;
        Ok(AutoRecord { name, resource, call_key, graph, tags })
    };
    Ok(Policy {
        creates_on_start: config.calls.create_on_start,
        empty_timeout: config.calls.empty_timeout,
        terms: config.recording.terms.clone(),
        auto_record: config.auto_record.iter().map(rule).collect::<Result<_, _>>()?,
    })
}
