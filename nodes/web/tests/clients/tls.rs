//! TLS the whole way: the doors as the node opens them, and clients that speak `https` and `wss`.

use crate::mirror::{LISTENERS, Mirror, Said, Socket, colour, is_near, jpeg};
use mirror_protocols::picture;
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::client_async;
use web::server::{Places, Server};
use web::tls::{Choice, Tls};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// A connection of a client that trusts that certificate and no other.
async fn connect(address: SocketAddr, certificate: &Path) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).expect("a certificate")).expect("a root");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let socket = TcpStream::connect(address).await.expect("a connection");
    TlsConnector::from(Arc::new(config)).connect(name, socket).await
}

async fn socket(mirror: &Mirror, name: &str, path: &str, certificate: &Path) -> Socket<TlsStream<TcpStream>> {
    let safe = connect(mirror.at(name), certificate).await.expect("a handshake");
    let (socket, _) = client_async(format!("wss://localhost{path}"), safe).await.expect("a socket");
    Socket(socket)
}

/// Pictures go through the page's own socket and another system's, and every door answers requests.
async fn speaks_tls(mirror: &Mirror, certificate: &Path) {
    let mut anna = socket(mirror, "page", "/visit", certificate).await;
    anna.say(json!({"type": "open", "stream": "anna", "key": "secret"})).await;
    assert_eq!(anna.of_type("welcome").await["stream"], "anna");
    anna.of_type("credit").await;
    anna.binary(&[&[1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0][..], &jpeg([200, 30, 30])].concat()).await;
    let painted = loop {
        match anna.next().await {
            Said::Binary(bytes) => break bytes,
            Said::Text(_) => {}
            said @ Said::Closed(_) => panic!("{said:?}"),
        }
    };
    let (length, rest) = painted.split_first_chunk::<4>().expect("a length");
    assert!(is_near(colour(&rest[u32::from_le_bytes(*length) as usize..]), [200, 30, 30]));
    let mut broadcaster = socket(mirror, "DreamStream", "/ws/broadcaster/a", certificate).await;
    broadcaster.of_type("processor_info").await;
    broadcaster.say(json!({"type": "subscribe_to_processed_frames"})).await;
    broadcaster.say(json!({"type": "frame", "frame": picture::encode(&jpeg([30, 200, 30]))})).await;
    let frame = broadcaster.of_type("frame").await;
    let file = picture::decode(frame["frame"].as_str().expect("a data URL")).expect("a file");
    assert!(is_near(colour(&file), [30, 200, 30]));
    for name in LISTENERS {
        let mut safe = connect(mirror.at(name), certificate).await.expect("a handshake");
        safe.write_all(REQUEST).await.expect("sent");
        let mut text = String::new();
        let _ = safe.read_to_string(&mut text).await;
        assert!(text.starts_with("HTTP/1.1 200"), "{name}: {text}");
        // Programs of this machine need no certificate.
        assert_eq!(mirror.get(name, "/", "").status, 200, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_door_speaks_tls_with_a_certificate_of_the_mirrors_own() {
    let folder = tempfile::tempdir().expect("a directory");
    let mirror = Mirror::as_the_node(&[("WEB_TLS", "self-signed")], folder.path());
    speaks_tls(&mirror, &folder.path().join("certificate.pem")).await;
    let own = Tls::of(&Choice::SelfSigned, folder.path()).expect("read").expect("TLS");
    let told = mirror.told.join("\n");
    assert!(told.contains("the page is at https://") && told.contains("DreamStream at https://"), "{told}");
    // People compare it with what their browser shows.
    assert!(told.contains(&own.fingerprint), "{told}");
    let other = tempfile::tempdir().expect("a directory");
    Tls::of(&Choice::SelfSigned, other.path()).expect("made");
    assert!(connect(mirror.at("page"), &other.path().join("certificate.pem")).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_door_speaks_tls_with_a_certificate_that_is_given() {
    let folder = tempfile::tempdir().expect("a directory");
    Tls::of(&Choice::SelfSigned, folder.path()).expect("made");
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    let [given, with] = [&certificate, &key].map(|path| path.to_str().expect("a text"));
    let pairs = [("WEB_TLS", "on"), ("WEB_TLS_CERTIFICATE", given), ("WEB_TLS_KEY", with)];
    let own = folder.path().join("own");
    let mirror = Mirror::as_the_node(&pairs, &own);
    speaks_tls(&mirror, &certificate).await;
    assert!(!own.exists());
    let told = mirror.told.join("\n");
    assert!(told.contains("https://") && !told.contains("fingerprint"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_and_plain_programs_of_this_machine_share_an_address() {
    let folder = tempfile::tempdir().expect("a directory");
    let tls = Tls::of(&Choice::SelfSigned, folder.path()).expect("a certificate").expect("TLS");
    let router = axum::Router::new().route("/", axum::routing::get(async || "inside"));
    let here = "127.0.0.1:0".parse().expect("an address");
    let start = || Server::secured(here, Places::of(8), router, Some(tls)).expect("a free port");
    let server = std::thread::scope(|scope| scope.spawn(start).join()).expect("a server");
    let certificate = folder.path().join("certificate.pem");
    let mut safe = connect(server.address(), &certificate).await.expect("a handshake");
    let mut plain = TcpStream::connect(server.address()).await.expect("a connection");
    let mut text = String::new();
    safe.write_all(REQUEST).await.expect("sent");
    let _ = safe.read_to_string(&mut text).await;
    assert!(text.starts_with("HTTP/1.1 200") && text.ends_with("inside"), "{text}");
    text.clear();
    plain.write_all(REQUEST).await.expect("sent");
    plain.read_to_string(&mut text).await.expect("an answer");
    assert!(text.ends_with("inside"), "{text}");
    std::thread::spawn(move || drop(server)).join().expect("ended");
}
