//! What is read again while the service runs: keys and certificate. What cannot be read stays as it was.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustls::ServerConfig;
use tokio::signal::unix::Signal;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio::time::interval_at;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::acs::signature::AccessKey;
use crate::app::names::Names;
use crate::app::serve::ServeError;
use crate::config::ResourceSettings;
use crate::config::ServiceSettings;
use crate::config::host::Host;
use crate::config::host::Name;
use crate::config::keys;
use crate::config::keys::Keys;
use crate::config::keys::KeysError;
use crate::config::keys::Which;
use crate::config::private;
use crate::config::private::PrivateError;
use crate::config::tls;
use crate::config::tls::CertificateFiles;
use crate::config::tls::TlsError;
use crate::model::ResourceId;
use crate::supervisor::Asker;

/// How often the certificate is looked at without being asked: it is renewed a month before its end.
const LOOK: Duration = Duration::from_secs(12 * 3_600);

/// Where a resource's keys are, and what they are now.
#[derive(Debug)]
pub(super) struct Resource {
    pub(super) id: ResourceId,
    name: String,
    keys: Keys,
}

/// Where the certificate comes from.
#[derive(Debug)]
enum Certificate {
    /// Files of somebody's.
    Given(CertificateFiles),
    /// The service makes it, for these names.
    Own { dir: PathBuf, names: Vec<Name> },
}

impl Certificate {
    /// Reads it, and makes it before that where that is due.
    fn load(&self) -> Result<Arc<ServerConfig>, TlsError> {
        match self {
            Self::Given(files) => tls::load(files),
            Self::Own { dir, names } => tls::load(&tls::ready(dir, names, Timestamp::now())?),
        }
    }
}

/// What is read again, where it is, and who is told.
#[derive(Debug)]
pub(super) struct Reload {
    pub(super) resources: Vec<Resource>,
    keys_dir: PathBuf,
    keys: watch::Sender<Vec<(Asker, AccessKey)>>,
    certificate: Certificate,
    tls: watch::Sender<Arc<ServerConfig>>,
    endpoint: Host,
    connections_dir: PathBuf,
}

/// Keys, as those are told of them who check signatures.
type KeysReceiver = watch::Receiver<Vec<(Asker, AccessKey)>>;

/// The certificate, as those are told of it who serve.
type TlsReceiver = watch::Receiver<Arc<ServerConfig>>;

impl Reload {
    /// Reads all for the first time, and makes what is not there.
    pub(super) fn begin(
        service: &ServiceSettings,
        resources: &[ResourceSettings],
        names: &Names,
    ) -> Result<(Self, KeysReceiver, TlsReceiver), ServeError> {
        let keys_dir = service.keys_dir();
        let resource = |settings: &ResourceSettings| {
            let name = settings.name.clone();
            let id = resource_id(&name);
            let keys = keys::load_or_create(&keys_dir, &name)?;
            Ok(Resource { id, name, keys })
        };
        let resources = resources.iter().map(resource).collect::<Result<Vec<_>, KeysError>>()?;
        let certificate = match &service.certificate {
            Some(files) => Certificate::Given(files.clone()),
            None => Certificate::Own { dir: service.data_dir.join("tls"), names: names.certified.clone() },
        };
        let (tls, tls_now) = watch::channel(certificate.load()?);
        let (keys, keys_now) = watch::channel(all_keys(&resources));
        let connections_dir = service.data_dir.join("connection-strings");
        let endpoint = names.endpoint.clone();
        let reload = Self { keys_dir, resources, keys, certificate, tls, endpoint, connections_dir };
        reload.write_connections()?;
        Ok((reload, keys_now, tls_now))
    }

    /// Returns what clients are to trust, where the certificate is the service's own.
    pub(super) fn authority(&self) -> Option<PathBuf> {
        match &self.certificate {
            Certificate::Given(_) => None,
            Certificate::Own { dir, .. } => Some(dir.join(tls::AUTHORITY)),
        }
    }

    /// Returns each resource's name, with the files of its keys and of its connection string.
    pub(super) fn files(&self) -> Vec<(String, PathBuf, PathBuf)> {
        let files = |Resource { name, .. }: &Resource| {
            (name.clone(), self.keys_dir.join(name), self.connections_dir.join(name))
        };
        self.resources.iter().map(files).collect()
    }

    /// Reads again whenever a signal says so, and the certificate now and then, until nobody needs it.
    pub(super) async fn run(mut self, mut asked: Signal) {
        let mut look = interval_at(Instant::now() + LOOK, LOOK);
        loop {
            let is_asked = tokio::select! {
                asked = asked.recv() => asked.is_some(),
                _ = look.tick() => false,
                () = self.keys.closed() => return,
            };
            // Files are slow.
            let read = tokio::task::spawn_blocking(move || {
                if is_asked {
                    self.read_keys();
                }
                self.read_certificate();
                tracing::info!(
                    "{} read again",
                    if is_asked { "keys and certificate were" } else { "the certificate was" }
                );
                self
            });
            match read.await {
                Ok(reload) => self = reload,
                Err(error) => return tracing::error!(%error, "keys and certificate are not read any more"),
            }
        }
    }

    fn read_keys(&mut self) {
        for resource in &mut self.resources {
            match keys::load(&self.keys_dir, &resource.name) {
                Ok(keys) => resource.keys = keys,
                Err(error) => tracing::error!(%error, "keys stay as they were"),
            }
        }
        self.keys.send_replace(all_keys(&self.resources));
        if let Err(error) = self.write_connections() {
            tracing::error!(%error, "a connection string stays as it was");
        }
    }

    fn read_certificate(&self) {
        match self.certificate.load() {
            Ok(config) => drop(self.tls.send_replace(config)),
            Err(error) => tracing::error!(%error, "the certificate stays as it was"),
        }
    }

    /// Writes what clients connect by, for each resource; it has the first key in it.
    fn write_connections(&self) -> Result<(), PrivateError> {
        private::make_dir(&self.connections_dir)?;
        self.resources.iter().try_for_each(|resource| {
            let text = connection(&self.endpoint, &resource.keys.primary);
            private::write(&self.connections_dir.join(&resource.name), text.as_bytes())
        })
    }
}

/// Returns the id of a resource: the same for as long as it has its name.
pub(super) fn resource_id(name: &str) -> ResourceId {
    ResourceId(Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()))
}

/// Returns all keys, with whose they are.
fn all_keys(resources: &[Resource]) -> Vec<(Asker, AccessKey)> {
    let keys = |resource: &Resource| {
        let Keys { primary, secondary } = resource.keys.clone();
        let asker = |which: Which| Asker { resource: resource.id, key: which.as_str() };
        [(asker(Which::Primary), primary), (asker(Which::Secondary), secondary)]
    };
    resources.iter().flat_map(keys).collect()
}

fn connection(endpoint: &Host, key: &AccessKey) -> Zeroizing<String> {
    Zeroizing::new(format!("endpoint=https://{endpoint}/;accesskey={}\n", *key.to_base64()))
}
