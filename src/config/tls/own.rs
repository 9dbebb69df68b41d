//! Certificates that the service makes for itself: an authority that may certify its names alone, and what it signs.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::tz::Offset;
use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::CidrSubnet;
use rcgen::DnType;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::GeneralSubtree;
use rcgen::IsCa;
use rcgen::Issuer;
use rcgen::KeyPair;
use rcgen::KeyUsagePurpose;
use rcgen::NameConstraints;
use rcgen::PublicKeyData;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::UnixTime;
use rustls::pki_types::pem::PemObject;
use rustls::sign::CertifiedKey;
use sha2::Digest;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::config::host::Name;
use crate::config::private;
use crate::config::private::PrivateError;
use crate::config::tls::AUTHORITY;
use crate::config::tls::CertificateFiles;
use crate::config::tls::TlsError;
use crate::config::tls::read;
use crate::config::tls::read_chain;

/// How long clients can trust the authority: longer than a machine lives.
const AUTHORITY_DAYS: i32 = 20 * 365;

/// How long a certificate is good for, from a day ago on: clients take none of more than 397 days (Apple's platforms).
const DAYS: i32 = 395;

/// A certificate that is good for less than this is made anew.
const RENEWED: SignedDuration = SignedDuration::from_hours(30 * 24);

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Who signs: a key, and its certificate in PEM.
struct Authority {
    key: KeyPair,
    pem: String,
}

/// Sees to it that there is a certificate for `names` in `dir` that is good for a while. A new authority is made where
/// there is none, and where the one that is there may not certify a name: clients have to be told of it.
///
/// # Errors
///
/// The file system refuses, or a name cannot be certified.
pub fn ready(dir: &Path, names: &[Name], now: Timestamp) -> Result<CertificateFiles, TlsError> {
    private::make_dir(dir)?;
    let files = CertificateFiles { certificate: dir.join("server.pem"), key: dir.join("server.key") };
    let authority = match Authority::load(dir)? {
        Some(authority) => authority,
        None => Authority::make(dir, names, now)?,
    };
    if read(&files).is_ok_and(|(chain, key)| {
        let provider = rustls::crypto::ring::default_provider();
        let is_pair = CertifiedKey::from_der(chain.clone(), key, &provider).is_ok();
        is_pair && authority.has_certified(&chain, names, now + RENEWED).is_ok()
    }) {
        return Ok(files);
    }
    let mut signed = authority.sign(names, now)?;
    if authority.has_certified(&signed.chain()?, names, now).is_err() {
        tracing::warn!(
            "the certificate authority is made anew, for names that it may not certify: clients have to trust it"
        );
        let authority = Authority::make(dir, names, now)?;
        signed = authority.sign(names, now)?;
        authority.has_certified(&signed.chain()?, names, now).map_err(TlsError::Made)?;
    }
    private::write(&files.key, signed.key.as_bytes())?;
    private::write(&files.certificate, signed.pem.as_bytes())?;
    tracing::info!("a certificate has been made");
    Ok(files)
}

/// A certificate and its key, in PEM.
struct Signed {
    pem: String,
    key: Zeroizing<String>,
}

impl Signed {
    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let chain = CertificateDer::pem_slice_iter(self.pem.as_bytes()).collect::<Result<_, _>>();
        chain.map_err(|_| TlsError::Made(rustls::CertificateError::BadEncoding.into()))
    }
}

impl Authority {
    fn load(dir: &Path) -> Result<Option<Self>, TlsError> {
        let text = |path: &Path| match std::fs::read_to_string(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            read => read.map(Some).map_err(PrivateError::new(path, "read")),
        };
        let path = dir.join("ca.key");
        let (Some(pem), Some(key)) = (text(&dir.join(AUTHORITY))?, text(&path)?.map(Zeroizing::new)) else {
            return Ok(None);
        };
        // Whether it is a certificate.
        read_chain(&dir.join(AUTHORITY))?;
        let key = KeyPair::from_pem(&key).map_err(|cause| TlsError::Authority { path, cause })?;
        Ok(Some(Self { key, pem }))
    }

    fn make(dir: &Path, names: &[Name], now: Timestamp) -> Result<Self, TlsError> {
        let key = KeyPair::generate().map_err(TlsError::Make)?;
        let mut params = params(&key);
        let subtree = |name: &Name| match name {
            Name::Dns(name) => GeneralSubtree::DnsName(name.clone()),
            Name::Ip(ip) => {
                GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*ip, if ip.is_ipv4() { 32 } else { 128 }))
            }
        };
        // There are names and addresses among them: of a kind that is not listed all would be permitted.
        let permitted_subtrees = names.iter().map(subtree).collect();
        params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
        be_valid(&mut params, now, AUTHORITY_DAYS);
        let pem = params.self_signed(&key).map_err(TlsError::Make)?.pem();
        // Certificate and key go together whenever this is cut short: without a certificate both are made anew.
        let path = dir.join(AUTHORITY);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(PrivateError::new(&path, "replaced")(error).into());
            }
            _ => (),
        }
        private::write(&dir.join("ca.key"), Zeroizing::new(key.serialize_pem()).as_bytes())?;
        private::write(&path, pem.as_bytes())?;
        Ok(Self { key, pem })
    }

    fn sign(&self, names: &[Name], now: Timestamp) -> Result<Signed, TlsError> {
        let key = KeyPair::generate().map_err(TlsError::Make)?;
        let texts: Vec<_> = names
            .iter()
            .map(|name| match name {
                Name::Dns(name) => name.clone(),
                Name::Ip(ip) => ip.to_string(),
            })
            .collect();
        let mut params = CertificateParams::new(texts).map_err(TlsError::Make)?;
        params.distinguished_name.remove(DnType::CommonName);
        params.distinguished_name.push(DnType::CommonName, "Reelgraph");
        be_valid(&mut params, now, DAYS);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let issuer = Issuer::new(self::params(&self.key), &self.key);
        let certificate = params.signed_by(&key, &issuer).map_err(TlsError::Make)?;
        Ok(Signed { pem: certificate.pem(), key: Zeroizing::new(key.serialize_pem()) })
    }

    /// Returns whether clients that trust this authority will take the certificate for all names at `at`.
    fn has_certified(&self, chain: &[CertificateDer<'_>], names: &[Name], at: Timestamp) -> Result<(), rustls::Error> {
        let refused = || rustls::Error::from(rustls::CertificateError::BadEncoding);
        let [certificate] = chain else { return Err(refused()) };
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).map_err(|_| refused())?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let verifier = verifier.map_err(|_| refused())?;
        let at = std::time::Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0));
        names.iter().try_for_each(|name| {
            let name = match name {
                Name::Dns(name) => ServerName::try_from(name.as_str()).map_err(|_| refused())?,
                Name::Ip(ip) => ServerName::IpAddress((*ip).into()),
            };
            verifier.verify_server_cert(certificate, &[], &name, &[], UnixTime::since_unix_epoch(at)).map(drop)
        })
    }
}

/// What an authority signs by, and is known by: both follow from its key.
fn params(key: &KeyPair) -> CertificateParams {
    let mut params = CertificateParams::default();
    let digest = Sha256::digest(key.subject_public_key_info());
    let name = format!("Reelgraph {:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3]);
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

/// From a day ago, for clocks that are late.
fn be_valid(params: &mut CertificateParams, now: Timestamp, days: i32) {
    let date = |at: Timestamp| {
        let date = Offset::UTC.to_datetime(at);
        rcgen::date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    params.not_before = date(now - DAY);
    params.not_after = date(now + DAY * days);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    const TODAY: &str = "2026-11-29T12:00:00Z";

    fn now() -> Timestamp {
        TODAY.parse().expect("a time")
    }

    fn names(dns: &[&str]) -> Vec<Name> {
        let dns = dns.iter().map(|name| Name::Dns((*name).to_owned()));
        dns.chain([Name::Ip([127, 0, 0, 1].into())]).collect()
    }

    struct Dir(tempfile::TempDir);

    impl Dir {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("a directory"))
        }

        fn ready(&self, dns: &[&str], at: Timestamp) -> Result<CertificateFiles, TlsError> {
            ready(&self.0.path().join("tls"), &names(dns), at)
        }

        fn text(&self, file: &str) -> String {
            std::fs::read_to_string(self.0.path().join("tls").join(file)).expect("it is there")
        }

        /// Certificate and authority, to see which of them are made anew.
        fn both(&self) -> [String; 2] {
            ["server.pem", "ca.pem"].map(|file| self.text(file))
        }

        fn openssl(&self, args: &[&str]) -> (bool, String) {
            let output = Command::new("openssl").args(args).current_dir(self.0.path().join("tls")).output();
            let output = output.expect("openssl is installed");
            let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            (output.status.success(), text.concat())
        }
    }

    #[test]
    fn others_take_the_certificate_and_nobody_else_reads_the_keys() {
        let dir = Dir::new();
        let files = dir.ready(&["localhost", "rec.example.com"], Timestamp::now()).expect("it is made");
        crate::config::tls::load(&files).expect("it can be served with");
        for name in ["-verify_hostname", "localhost", "-verify_hostname", "rec.example.com", "-verify_ip", "127.0.0.1"]
            .chunks(2)
        {
            let args = [
                "verify",
                "-x509_strict",
                "-purpose",
                "sslserver",
                "-CAfile",
                "ca.pem",
                name[0],
                name[1],
                "server.pem",
            ];
            assert_eq!(dir.openssl(&args), (true, "server.pem: OK\n".to_owned()), "{name:?}");
        }
        assert!(!dir.openssl(&["verify", "-CAfile", "ca.pem", "-verify_hostname", "a.example.com", "server.pem"]).0);
        let days = |file, days: i64| {
            dir.openssl(&["x509", "-noout", "-in", file, "-checkend", &(days * 86_400).to_string()]).0
        };
        assert!(days("server.pem", 393) && !days("server.pem", 396) && days("ca.pem", 7_000));
        for file in ["ca.pem", "ca.key", "server.pem", "server.key"] {
            let mode = dir.0.path().join("tls").join(file).metadata().expect("it is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    }

    #[test]
    fn the_authority_can_certify_nobody_else() {
        let dir = Dir::new();
        dir.ready(&["localhost"], Timestamp::now()).expect("it is made");
        let name = dir.openssl(&["x509", "-noout", "-subject", "-in", "ca.pem"]).1;
        assert!(name.contains("CN = Reelgraph "), "{name}");
        for other in ["DNS:bank.example", "IP:10.0.0.1", "IP:2001:db8::1", "DNS:localhost,DNS:bank.example"] {
            std::fs::write(dir.0.path().join("tls/names"), format!("subjectAltName={other}"))
                .expect("it can be written");
            let request =
                ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/O=x"];
            let request = [&request[..], &["-keyout", "other.key", "-out", "other.csr"]].concat();
            assert!(dir.openssl(&request).0);
            let sign = [
                "x509",
                "-req",
                "-in",
                "other.csr",
                "-CA",
                "ca.pem",
                "-CAkey",
                "ca.key",
                "-extfile",
                "names",
                "-out",
                "other.pem",
            ];
            assert!(dir.openssl(&sign).0);
            let (is_taken, told) = dir.openssl(&["verify", "-CAfile", "ca.pem", "other.pem"]);
            assert!(!is_taken && told.contains("permitted subtree violation"), "{other}: {told}");
        }
    }

    #[test]
    fn a_certificate_is_made_anew_when_it_must_be_and_an_authority_when_it_must_not_certify_a_name() {
        let dir = Dir::new();
        let (one, two) = (&["localhost", "example.com"][..], &["localhost", "example.com", "other.net"][..]);
        dir.ready(one, now()).expect("it is made");
        let [certificate, authority] = dir.both();
        // Weeks later, and for fewer names.
        dir.ready(&one[..1], now() + DAY * 300).expect("it is there");
        assert_eq!(dir.both(), [certificate.clone(), authority.clone()]);
        // Nearly a year later; for a name below one that was there.
        dir.ready(one, now() + DAY * 370).expect("it is made");
        let [renewed, same] = dir.both();
        assert!(renewed != certificate && same == authority);
        dir.ready(&["localhost", "a.example.com"], now() + DAY * 370).expect("it is made");
        let [below, same] = dir.both();
        assert!(below != renewed && same == authority);
        dir.ready(two, now()).expect("they are made");
        let [other, another] = dir.both();
        assert!(other != below && another != authority);
        // Half of a pair, and something else.
        for (file, text) in
            [("server.key", dir.text("ca.key")), ("server.pem", dir.text("ca.pem")), ("server.pem", "x".to_owned())]
        {
            std::fs::write(dir.0.path().join("tls").join(file), text).expect("it can be written");
            let files = dir.ready(two, now()).expect("it is made");
            crate::config::tls::load(&files).expect("it can be served with");
        }
        assert_eq!(dir.text("ca.pem"), another);
    }

    #[test]
    fn an_authority_that_somebody_broke_is_told_and_not_replaced() {
        for file in ["ca.pem", "ca.key"] {
            let dir = Dir::new();
            dir.ready(&["localhost"], now()).expect("it is made");
            std::fs::write(dir.0.path().join("tls").join(file), "nonsense").expect("it can be written");
            let told = dir.ready(&["localhost"], now()).expect_err("it is broken").to_string();
            assert!(told.contains(file), "{told}");
            std::fs::remove_file(dir.0.path().join("tls").join(file)).expect("it is there");
            dir.ready(&["localhost"], now()).expect("it is made");
        }
    }
}
