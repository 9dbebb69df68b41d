//! `serve`: puts the service together, and ends it in order.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Weak;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::available_parallelism;
use std::time::Duration;
use std::time::SystemTime;

use tokio::net::TcpListener;
use tokio::signal::unix::Signal;
use tokio::task::JoinHandle;

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
use crate::app::rules::RuleError;
use crate::app::rules::policy;
use crate::catalog::Catalog;
use crate::catalog::CatalogError;
use crate::catalog::Rows;
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
use crate::ingest::rtp::Readers;
use crate::ingest::rtp::RtpError;
use crate::model::ResourceId;
use crate::storage::Leftovers;
use crate::storage::Lock;
use crate::storage::Objects;
use crate::storage::ObjectsError;
use crate::storage::StorageError;
use crate::storage::lock_data;
use crate::storage::look_at_all;
use crate::storage::sweep_uploads;
use crate::supervisor;
use crate::supervisor::Collaborators;
use crate::supervisor::Handle;
use crate::supervisor::Meter;
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
    /// Graphs do not work here: a line for each error.
    #[error("{}", lines(.0))]
    Graphs(Vec<GraphsError>),
    /// Rules are about what is not there: a line for each.
    #[error("{}", lines(.0))]
    Rules(Vec<RuleError>),
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

fn lines(errors: &[impl std::error::Error]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
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
    let _lock = open_data(&config.service)?;
    let mut listeners = listen(&config.service).await?;
    let names = names(&mut listeners, &config.service)?;
    // Files are dated by a clock that goes by ticks of the kernel.
    let (objects_dir, began) = (config.service.objects_dir(), SystemTime::now() - Duration::from_millis(20));
    let objects = Objects::local(&objects_dir)?;
    // Nobody waits for it.
    drop(tokio::task::spawn_blocking(move || sweep_uploads(&objects_dir, began)));
    let (catalog, rows, writer) = Catalog::open(&config.service.catalog()).await?;
    let left = left(config.service.recordings_dir(), &rows).await?;
    let (reload, keys, tls) = Reload::begin(&config.service, &config.resources, &names)?;
    let admin_at = listeners.admin.as_ref().and_then(|listener| listener.local_addr().ok());
    let admin = admin_at.map(|address| (address, config.service.admin_token()));
    let token = admin.as_ref().map(|(_, file)| keys::load_or_create_token(file)).transpose()?;
    let served = Served {
        http: listeners.http.local_addr().map_err(ServeError::Listening)?,
        https: names.endpoint,
        connect: listeners.connect.as_ref().and_then(|listener| listener.local_addr().ok()),
        admin,
        authority: reload.authority(),
        resources: reload.files(),
    };
    let ids = reload.resources.iter().map(|resource| resource.id);
    let resources: BTreeMap<_, _> = ids.zip(config.resources.iter().cloned()).collect();
    let rates = Rates::new(resources.iter().map(|(id, settings)| (*id, settings.requests_per_second)));
    let registry = Registry::default();
    observe::register(&registry, &config.service);
    let requests = Requests::register(&registry);
    let (audit, data_dir) = (catalog.audit_log(), config.service.data_dir.clone());
    let Recorder { engine, meter, supervisor, task } =
        Recorder::start(config, resources, (catalog, rows, left), objects.clone(), &registry)?;
    let is_ending = AtomicBool::new(false);
    let health = Arc::new(Health { engine, supervisor: supervisor.clone(), data_dir, is_ending });
    let admin = served.admin.as_ref().zip(token).map(|((address, _), token)| {
        let (meter, health) = (Arc::clone(&meter), Arc::clone(&health));
        admin::router(Admin { registry, meter, health, token, address: address.ip() })
    });
    let router = api::router(Api {
        supervisor: supervisor.clone(),
        audit,
        objects,
        gate: Gate { keys, hosts: names.signed, rates },
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

/// Makes the directories of what is kept, and takes them: nobody else may.
fn open_data(service: &ServiceSettings) -> Result<Lock, ServeError> {
    for dir in [service.data_dir.clone(), service.recordings_dir(), service.objects_dir()] {
        private::make_dir(&dir)?;
    }
    Ok(lock_data(&service.data_dir)?)
}

/// Returns how the service is known at the ports that it has, and tells who tunnels to it.
fn names(listeners: &mut Listeners, service: &ServiceSettings) -> Result<Names, ServeError> {
    let http = listeners.http.local_addr().map_err(ServeError::Listening)?;
    let https = listeners.https.local_addr().map_err(ServeError::Listening)?;
    let names = Names::new(service, http, https);
    listeners.tunnelled = names.tunnelled.clone();
    Ok(names)
}

/// What records, and who decides about it.
struct Recorder {
    engine: Weak<Engine>,
    meter: Arc<Meter>,
    supervisor: Handle,
    task: JoinHandle<()>,
}

impl Recorder {
    /// Starts workers, readers and the supervisor, with what is there from before.
    fn start(
        config: Config,
        resources: BTreeMap<ResourceId, ResourceSettings>,
        (catalog, rows, left): (Catalog, Rows, Leftovers),
        objects: Objects,
        registry: &Registry,
    ) -> Result<Self, ServeError> {
        let plans = graphs::plans(config.recording.graphs_dir.as_deref()).map_err(ServeError::Graphs)?;
        let policy = policy(&config, &resources, &plans).map_err(ServeError::Rules)?;
        let workers = available_parallelism().map_or(1, usize::from);
        let (tick, stall) = (config.engine.tick, config.engine.stall_timeout);
        let engine = Arc::new(Engine::start(Settings { workers, tick, stall })?);
        engine::register(registry, &engine);
        let meter = Meter::register(registry);
        let readers = Readers::start(workers)?;
        let (settings, service) = (config.engine, config.service);
        let (watched, counting) = (Arc::downgrade(&engine), Arc::clone(&meter));
        let (supervisor, task) = supervisor::start(Collaborators {
            engine,
            readers,
            objects,
            catalog,
            rows,
            left,
            meter,
            plans,
            settings,
            service,
            resources,
            policy,
        });
        Ok(Self { engine: watched, meter: counting, supervisor, task })
    }
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
