//! Certificates of the service: somebody's, or its own by an authority of its own.
//!
//! ```text
//!  tls/ca.pem       what clients are told to trust: it may certify the names of this service, and no others
//!  tls/ca.key
//!  tls/server.pem   what the service shows, and its key
//!  tls/server.key
//! ```

mod own;

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem;
use rustls::pki_types::pem::PemObject;

use crate::config::private::PrivateError;
pub use own::ready;

/// The authority's certificate, in the directory of certificates.
pub const AUTHORITY: &str = "ca.pem";

/// What the service speaks.
const PROTOCOL: &[u8] = b"http/1.1";

/// Files of a certificate and its key, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, and those that lead to what clients trust.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file system refused.
    #[error(transparent)]
    Io(#[from] PrivateError),
    /// A file is not what it should be.
    #[error("{} cannot be read: {cause}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why. Not a `source`: the text has it already.
        cause: pem::Error,
    },
    /// Certificate and key do not go together, or are of no use.
    #[error("{} and {} cannot be used: {cause}", files.certificate.display(), files.key.display())]
    Unusable {
        /// The files.
        files: CertificateFiles,
        /// Why. Not a `source`: the text has it already.
        cause: rustls::Error,
    },
    /// The authority's key is none.
    #[error("{} is no key: {cause}; remove it to get a new authority, which clients have to trust", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// Why. Not a `source`: the text has it already.
        cause: rcgen::Error,
    },
    /// A certificate cannot be made.
    #[error("no certificate can be made: {0}")]
    Make(rcgen::Error),
    /// One that was made does not do what it was made for.
    #[error("a certificate for these names cannot be used: {0}")]
    Made(rustls::Error),
}

/// Chooses who does the arithmetic of TLS, for the whole process. Called once, before anything else of TLS.
pub fn install_provider() {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("there is a provider of TLS's algorithms already");
    }
}

/// Reads a certificate and its key, to serve with.
///
/// # Errors
///
/// They are not there, or cannot be used.
pub fn load(files: &CertificateFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let (chain, key) = read(files)?;
    let unusable = |cause| TlsError::Unusable { files: files.clone(), cause };
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).map_err(unusable)?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(Arc::new(config))
}

fn read(files: &CertificateFiles) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let chain = read_chain(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key);
    Ok((chain, key.map_err(|cause| TlsError::Pem { path: files.key.clone(), cause })?))
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.and_then(|chain| if chain.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(chain) });
    chain.map_err(|cause| TlsError::Pem { path: path.to_owned(), cause })
}
