//! `serve`: puts the service together, and ends it in order.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::Signal;

use crate::api;
use crate::api::Api;
use crate::api::Gate;
use crate::api::listen::Listeners;
use crate::app::names::Names;
use crate::app::reload::Reload;
use crate::catalog::Catalog;
use crate::catalog::CatalogError;
use crate::catalog::Rows;
use crate::config::Config;
use crate::config::ServiceSettings;
use crate::config::host::Host;
use crate::config::keys::KeysError;
use crate::config::private;
use crate::config::private::PrivateError;
use crate::config::tls::TlsError;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::Settings;
use crate::graph;
use crate::graph::Plan;
use crate::graph::shipped::shipped;
use crate::ingest::rtp::Readers;
use crate::ingest::rtp::RtpError;
use crate::pipeline::Installed;
use crate::storage::Leftovers;
use crate::storage::Objects;
use crate::storage::ObjectsError;
use crate::storage::StorageError;
use crate::storage::lock_data;
use crate::storage::look_at_all;
use crate::supervisor;
use crate::supervisor::Collaborators;

/// What the service records without being told how.
const GRAPHS: [&str; 3] = ["mixed-mp3", "mixed-wav", "unmixed-wav"];

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
    /// A graph that comes with the program does not work here.
    #[error("{0}")]
    Graph(String),
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
    let objects = Objects::local(&data.join("objects"))?;
    let (catalog, rows, writer) = Catalog::open(&data.join("catalog.db")).await?;
    let left = left(data.join("recordings"), &rows).await?;
    let (reload, keys, tls) = Reload::begin(&config.service, &config.resources, &names)?;
    let served =
        Served { http, https: names.endpoint, connect, authority: reload.authority(), resources: reload.files() };
    let resources = reload.resources.iter().map(|resource| resource.id).zip(config.resources).collect();
    let (supervisor, task) = supervisor::start(Collaborators {
        engine: Arc::new(Engine::start(settings)?),
        readers: Readers::start(n_workers)?,
        objects: objects.clone(),
        catalog: catalog.clone(),
        rows,
        left,
        plans: plans()?,
        settings: config.engine,
        service: config.service,
        resources,
        creates_on_start: config.calls.create_on_start,
    });
    let gate = Gate { keys, hosts: names.signed };
    let router = api::router(Api {
        supervisor: supervisor.clone(),
        catalog: catalog.clone(),
        objects,
        gate,
        content_base: names.content_base,
    });
    ready(&served);
    tokio::spawn(reload.run(hangup));
    api::listen::serve(listeners, router, tls, async move {
        end.await;
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
    let (http, https) = (bind(service.http).await?, bind(service.https).await?);
    Ok(Listeners { http, https, connect, tunnelled: Vec::new() })
}

/// Looks at what is left of recordings that have not ended, or could not be stored.
async fn left(dir: PathBuf, rows: &Rows) -> Result<Leftovers, ServeError> {
    let stored = rows.chunks.iter().map(|row| row.id);
    let known: BTreeSet<_> = stored.chain(rows.deletions.iter().copied()).collect();
    let looked = tokio::task::spawn_blocking(move || look_at_all(&dir, |document| known.contains(&document)));
    Ok(looked.await.expect("looking at files does not panic")?)
}

fn plans() -> Result<BTreeMap<String, Arc<Plan>>, ServeError> {
    let plan = |name: &str| {
        let graph = shipped(name).ok_or_else(|| ServeError::Graph(format!("there is no graph {name}")))?;
        let checked = graph::check(&format!("{name}.toml"), graph.text, &Installed);
        let plan = checked.map_err(|errors| {
            let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
            ServeError::Graph(lines.join("\n"))
        })?;
        Ok((name.to_owned(), Arc::new(plan)))
    };
    GRAPHS.into_iter().map(plan).collect()
}
