//! TLS: with a certificate that is given, or with one of our own. Phones hand out their camera over HTTPS only.

use eyre::{Result, WrapErr, bail, eyre};
use rcgen::{CertificateParams, DnType, KeyPair};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

/// Where our own certificate is kept: devices that have accepted it once must find the same one again.
pub const OWN: &str = ".mirror/tls";
/// What the first byte of a TLS connection is (RFC 8446, 5.1: a handshake record). No request of HTTP begins so.
const HANDSHAKE: u8 = 22;
const DAY: Duration = Duration::from_secs(24 * 3600);
/// How long our own certificate is valid. Apple's devices accept none for longer than 825 days.
const VALID: u32 = 800;
/// A certificate that is older than this is made anew while it is still valid.
const RENEWED: u32 = 700;

/// Which certificate a listener shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Choice {
    /// None: plain HTTP.
    #[default]
    Off,
    /// One of our own, made when it is needed.
    SelfSigned,
    /// That certificate (with those between it and its root) and its key, PEM files.
    Given {
        /// The certificate.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
}

/// Takes TLS connections.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    /// SHA-256 of the certificate, as browsers show it: `AB:CD:…`.
    pub fingerprint: String,
    /// Whether devices have to be told to trust it.
    pub is_own: bool,
}

/// A connection: one of the two.
pub enum Secured {
    /// It speaks TLS.
    Safe(Box<TlsStream<TcpStream>>),
    /// It does not.
    Plain(TcpStream),
}

impl Tls {
    /// With that certificate; `None` for plain HTTP. Our own lies in `folder`.
    ///
    /// # Errors
    /// A file that cannot be read or is of another kind; a key that does not belong to the certificate.
    pub fn of(choice: &Choice, folder: &Path) -> Result<Option<Self>> {
        let (certificate, key) = match choice {
            Choice::Off => return Ok(None),
            Choice::Given { certificate, key } => (certificate.clone(), key.clone()),
            Choice::SelfSigned => own(folder, &names())?,
        };
        Self::read(&certificate, &key, *choice == Choice::SelfSigned).map(Some)
    }

    fn read(certificate: &Path, key: &Path, is_own: bool) -> Result<Self> {
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| eyre!("WEB_TLS_CERTIFICATE={}: {error}", certificate.display()))?;
        let first = chain.first().ok_or_else(|| {
            eyre!("WEB_TLS_CERTIFICATE={} holds no certificate: give a PEM file", certificate.display())
        })?;
        let fingerprint = fingerprint(first);
        let private = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| eyre!("WEB_TLS_KEY={} is not a private key in PEM: {error}", key.display()))?;
        // Named, because a second provider in the program would leave rustls without a default.
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, private)
            .wrap_err_with(|| format!("{} and {} do not fit together", certificate.display(), key.display()))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), fingerprint, is_own })
    }

    /// Takes a connection. Who speaks plain HTTP is recognised by the first byte.
    ///
    /// # Errors
    /// A connection that ends first, a handshake that fails.
    pub async fn accept(&self, socket: TcpStream) -> std::io::Result<Secured> {
        let mut first = [0];
        if socket.peek(&mut first).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if first[0] == HANDSHAKE {
            Ok(Secured::Safe(Box::new(self.acceptor.accept(socket).await?)))
        } else {
            Ok(Secured::Plain(socket))
        }
    }
}

/// SHA-256 of a certificate, as browsers show it.
fn fingerprint(certificate: &CertificateDer) -> String {
    let digest = Sha256::digest(certificate);
    digest.iter().enumerate().fold(String::new(), |mut text, (index, byte)| {
        // Writing into a text never fails.
        let _ = write!(text, "{}{byte:02X}", if index == 0 { "" } else { ":" });
        text
    })
}

/// The names by which others may reach this machine.
fn names() -> Vec<String> {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if !host.is_empty() && host != "localhost" {
        names.extend([format!("{host}.local"), host]);
    }
    names.extend(mirror_kit::addresses::here().iter().map(ToString::to_string));
    names
}

/// Our own certificate and its key in that folder, made if they are not there, are old, or lack one of the names.
fn own(folder: &Path, names: &[String]) -> Result<(PathBuf, PathBuf)> {
    let (certificate, key, list) = (folder.join("certificate.pem"), folder.join("key.pem"), folder.join("names"));
    let known = fs::read_to_string(&list).unwrap_or_default();
    let has_names = names.iter().all(|name| known.lines().any(|known| known == name));
    let age = fs::metadata(&certificate).and_then(|file| file.modified()).ok().and_then(|made| made.elapsed().ok());
    if has_names && key.is_file() && age.is_some_and(|age| age < DAY * RENEWED) {
        return Ok((certificate, key));
    }
    let make = || -> Result<()> {
        let mut parameters = CertificateParams::new(names.to_vec())?;
        parameters.distinguished_name.push(DnType::CommonName, "mirror");
        let now = SystemTime::now();
        parameters.not_before = (now - DAY).into();
        parameters.not_after = (now + DAY * VALID).into();
        let pair = KeyPair::generate()?;
        let made = parameters.self_signed(&pair)?;
        fs::create_dir_all(folder)?;
        // The key first, then what makes it count.
        for (path, text) in [(&key, pair.serialize_pem()), (&certificate, made.pem()), (&list, names.join("\n"))] {
            let _ = fs::remove_file(path);
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(text.as_bytes())?;
        }
        Ok(())
    };
    if let Err(error) = make() {
        bail!("no certificate could be made in {}: {error:#}", folder.display());
    }
    Ok((certificate, key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a directory")
    }

    #[test]
    fn our_own_certificate_is_made_once_and_its_key_is_for_nobody_else() {
        let folder = folder();
        let first = Tls::of(&Choice::SelfSigned, folder.path()).expect("made").expect("TLS");
        let second = Tls::of(&Choice::SelfSigned, folder.path()).expect("read").expect("TLS");
        assert_eq!(first.fingerprint, second.fingerprint);
        assert_eq!((first.fingerprint.len(), first.is_own), (95, true));
        let mode = fs::metadata(folder.path().join("key.pem")).expect("a key").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_new_name_of_the_machine_makes_a_new_certificate() {
        let folder = folder();
        let make = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let (certificate, key) = own(folder.path(), &names).expect("made");
            Tls::read(&certificate, &key, true).expect("read").fingerprint
        };
        let first = make(&["localhost", "10.0.0.1"]);
        assert_eq!(make(&["10.0.0.1"]), first);
        assert_ne!(make(&["localhost", "10.0.0.2"]), first);
    }

    #[test]
    fn files_that_cannot_be_used_are_named_with_their_key() {
        let folder = folder();
        let (certificate, key) = own(folder.path(), &["localhost".to_owned()]).expect("made");
        let given = |certificate: &Path, key: &Path| {
            let choice = Choice::Given { certificate: certificate.to_owned(), key: key.to_owned() };
            Tls::of(&choice, folder.path()).err().map(|error| format!("{error:#}"))
        };
        assert_eq!(given(&certificate, &key), None);
        assert!(given(Path::new("/nowhere.pem"), &key).expect("an error").contains("WEB_TLS_CERTIFICATE=/nowhere.pem"));
        assert!(given(&certificate, Path::new("/nowhere.pem")).expect("an error").contains("WEB_TLS_KEY=/nowhere.pem"));
        assert!(given(&key, &key).expect("an error").contains("holds no certificate"));
        let (_, other) = own(&folder.path().join("other"), &["localhost".to_owned()]).expect("made");
        assert!(given(&certificate, &other).expect("an error").contains("do not fit together"));
    }
}
