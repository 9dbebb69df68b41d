//! `serve`: puts the service together, and ends it in order.

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::net::TcpListener;
use uuid::Uuid;

use crate::api;
use crate::api::Api;
use crate::api::Gate;
use crate::catalog::Catalog;
use crate::catalog::CatalogError;
use crate::config::Config;
use crate::config::keys;
use crate::config::keys::KeysError;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::Settings;
use crate::graph;
use crate::graph::Plan;
use crate::graph::shipped::shipped;
use crate::ingest::rtp::Readers;
use crate::ingest::rtp::RtpError;
use crate::model::ResourceId;
use crate::pipeline::Installed;
use crate::storage::Objects;
use crate::storage::ObjectsError;
use crate::supervisor;
use crate::supervisor::Collaborators;

/// What the service records without being told how.
const GRAPHS: [&str; 3] = ["mixed-mp3", "mixed-wav", "unmixed-wav"];

/// Longest wait for what is still to be written to the catalog.
const CATALOG_DEADLINE: Duration = Duration::from_secs(10);

/// Where the service is, when it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// Where requests are taken.
    pub http: SocketAddr,
    /// Names of the resources with the files that their keys are in.
    pub keys: Vec<(String, PathBuf)>,
}

/// Why there is no service. Reads after "failed to serve: ".
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A directory.
    #[error("{} cannot be used: {cause}", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why. Not a `source`: the text has it already.
        cause: std::io::Error,
    },
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
    /// Workers.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Sockets.
    #[error(transparent)]
    Rtp(#[from] RtpError),
    /// Files.
    #[error(transparent)]
    Objects(#[from] ObjectsError),
    /// The server.
    #[error("the server has ended: {0}")]
    Server(std::io::Error),
}

/// Serves until `end` comes, and then until all recordings have ended. `ready` is told where, once.
///
/// # Errors
///
/// It cannot begin; nothing has been recorded.
pub async fn serve(
    config: Config,
    ready: impl FnOnce(&Served),
    end: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let data = &config.service.data_dir;
    for dir in [data.clone(), data.join("recordings"), data.join("objects")] {
        make_private(&dir)?;
    }
    let mut gate = Gate { keys: Vec::new(), hosts: Vec::new() };
    let mut resources = BTreeMap::new();
    let mut key_files = Vec::new();
    for settings in config.resources {
        let id = ResourceId(Uuid::new_v5(&Uuid::NAMESPACE_OID, settings.name.as_bytes()));
        let dir = data.join("keys");
        let keys::Keys { primary, secondary } = keys::load_or_create(&dir, &settings.name)?;
        gate.keys.extend([(id, primary), (id, secondary)]);
        key_files.push((settings.name.clone(), dir.join(&settings.name)));
        resources.insert(id, settings);
    }
    let n_workers = available_parallelism().map_or(1, usize::from);
    let settings = Settings { workers: n_workers, tick: config.engine.tick, stall: config.engine.stall_timeout };
    let address = config.service.http;
    let listen = |cause| ServeError::Listen { address, cause };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let http = listener.local_addr().map_err(listen)?;
    gate.hosts = hosts(http);
    let objects = Objects::local(&data.join("objects"))?;
    let (catalog, rows, writer) = Catalog::open(&data.join("catalog.db")).await?;
    let (supervisor, task) = supervisor::start(Collaborators {
        engine: Arc::new(Engine::start(settings)?),
        readers: Readers::start(n_workers)?,
        objects: objects.clone(),
        catalog,
        rows,
        plans: plans()?,
        settings: config.engine,
        service: config.service,
        resources,
        creates_on_start: config.calls.create_on_start,
    });
    let content_base = format!("http://{http}");
    let router = api::router(Api { supervisor: supervisor.clone(), objects, gate, content_base });
    ready(&Served { http, keys: key_files });
    let drained = async move {
        end.await;
        supervisor.drain().await;
        // A task that has panicked has ended, too.
        let _ = task.await;
        // Who cannot write any more has said so.
        let _ = tokio::time::timeout(CATALOG_DEADLINE, writer).await;
    };
    axum::serve(listener, router).with_graceful_shutdown(drained).await.map_err(ServeError::Server)
}

fn make_private(path: &Path) -> Result<(), ServeError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made.map_err(|cause| ServeError::Directory { path: path.to_owned(), cause }),
    }
}

/// The names that clients sign requests to an address with.
fn hosts(address: SocketAddr) -> Vec<String> {
    let named = address.ip().is_loopback().then(|| format!("localhost:{}", address.port()));
    [address.to_string()].into_iter().chain(named).collect()
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
