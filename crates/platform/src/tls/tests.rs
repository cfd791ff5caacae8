//! Programs that speak TLS to each other, and strangers who are not answered.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::{io::AsyncReadExt as _, net::TcpStream};
use tokio_rustls::TlsConnector;
use tonic::Status;

use super::Tls;
use crate::{
    auth::{self, testing::TestIssuer},
    config,
    rpc::testing::{TestServer, network, soon, unary},
    transport::Network,
};

/// Signs certificates of the tests.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn generate() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("an authority"))
    }

    /// Writes a certificate for a host, and whom its holder trusts.
    fn write(&self, folder: &Path, host: &str, trusted: &[&Self]) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([host.to_owned()]).expect("a host");
        let certificate = params.signed_by(&key, &self.0).expect("signed");
        let authorities: String = trusted.iter().map(|authority| authority.0.pem()).collect();
        for (name, text) in
            [("tls.crt", certificate.pem()), ("tls.key", key.serialize_pem()), ("ca.crt", authorities)]
        {
            std::fs::write(folder.join(name), text).expect("the folder can be written");
        }
    }
}

fn files(folder: &Path) -> config::Tls {
    let path = |name: &str| folder.join(name).display().to_string();
    config::Tls { certificate: path("tls.crt"), key: path("tls.key"), authority: path("ca.crt") }
}

fn by_tls(folder: &Path) -> Network {
    let files = files(folder);
    network(&[
        ("TRATO_TLS__CERTIFICATE", &files.certificate),
        ("TRATO_TLS__KEY", &files.key),
        ("TRATO_TLS__AUTHORITY", &files.authority),
    ])
}

/// A server with a certificate of an authority for a host, its certificates, and the folder of their files.
async fn server(authority: &Authority, host: &str) -> (TestServer, Tls, TempDir) {
    auth::tls::install();
    let folder = tempfile::tempdir().expect("a folder");
    authority.write(folder.path(), host, &[authority]);
    let tls = Tls::load(&files(folder.path())).expect("usable").expect("they are set");
    let server = TestServer::start_by(&TestIssuer::start().await, Some(tls.clone()), |_| {}).await;
    (server, tls, folder)
}

/// One call by a program with the files in `folder`.
async fn call(server: &TestServer, folder: &Path) -> Result<String, Status> {
    let upstream = server.upstream_by(&[&server.url], &by_tls(folder));
    soon(unary(upstream, "GetEcho", server.request(&["boss"], "hello"))).await
}

#[tokio::test]
async fn programs_of_one_authority_call_each_other_and_strangers_are_refused() {
    let ours = Authority::generate();
    let (server, _tls, _files) = server(&ours, "127.0.0.1").await;
    let caller = tempfile::tempdir().expect("a folder");
    ours.write(caller.path(), "caller", &[&ours]);

    assert_eq!(call(&server, caller.path()).await.expect("answered"), "hello");

    // A certificate of somebody else, whom the server does not know; the caller would trust the server.
    let foreign = tempfile::tempdir().expect("a folder");
    Authority::generate().write(foreign.path(), "caller", &[&ours]);
    let refused = call(&server, foreign.path()).await.expect_err("the server does not trust the caller");
    let causes = trato_types::error::chain(&refused);
    assert!(causes.contains("cannot be reached"), "{causes}");
    // The other way round: the caller does not know who signed the server's.
    let wary = tempfile::tempdir().expect("a folder");
    ours.write(wary.path(), "caller", &[&Authority::generate()]);
    let refused = call(&server, wary.path()).await.expect_err("the caller does not trust the server");
    assert!(trato_types::error::chain(&refused).contains("invalid peer certificate"), "{refused:?}");
    // Without TLS at all.
    let plain = server.upstream(&[&server.url.replace("https", "http")]);
    soon(unary(plain, "GetEcho", server.request(&["boss"], "x"))).await.expect_err("the port takes only TLS");
}

#[tokio::test]
async fn a_caller_without_a_certificate_is_not_answered() {
    let ours = Authority::generate();
    let (server, _tls, files) = server(&ours, "127.0.0.1").await;
    let mut roots = rustls::RootCertStore::empty();
    let pem = std::fs::read(files.path().join("ca.crt")).expect("written");
    for authority in certificates_in(&pem) {
        roots.add(authority).expect("an authority");
    }
    let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let address = server.url.trim_start_matches("https://");
    let stream = TcpStream::connect(address).await.expect("it listens");

    let name = "127.0.0.1".try_into().expect("an address");
    let connected = TlsConnector::from(std::sync::Arc::new(config)).connect(name, stream).await;
    let read = async {
        // With TLS 1.3 the refusal comes after the handshake, instead of the first bytes.
        let mut first = [0; 1];
        connected?.read_exact(&mut first).await
    };

    let refused = soon(read).await.expect_err("nothing is said to strangers");
    assert!(refused.to_string().contains("CertificateRequired"), "{refused}");
}

fn certificates_in(pem: &[u8]) -> Vec<rustls::pki_types::CertificateDer<'static>> {
    use rustls::pki_types::pem::PemObject as _;
    rustls::pki_types::CertificateDer::pem_slice_iter(pem).map(|one| one.expect("a certificate")).collect()
}

#[tokio::test]
async fn a_server_must_have_the_name_it_is_called_by() {
    let ours = Authority::generate();
    let (server, _tls, _files) = server(&ours, "customers.example.com").await;
    let caller = tempfile::tempdir().expect("a folder");
    ours.write(caller.path(), "caller", &[&ours]);

    let refused = call(&server, caller.path()).await.expect_err("the certificate names somebody else");

    assert!(trato_types::error::chain(&refused).contains("not valid for name"), "{refused:?}");
}

#[tokio::test]
async fn changed_files_are_used_and_broken_ones_are_not() {
    let (old, new) = (Authority::generate(), Authority::generate());
    let (server, tls, files) = server(&old, "127.0.0.1").await;
    let (of_old, of_new) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    old.write(of_old.path(), "caller", &[&old, &new]);
    new.write(of_new.path(), "caller", &[&old, &new]);
    call(&server, of_old.path()).await.expect("the server trusts the old authority");
    call(&server, of_new.path()).await.expect_err("and not yet the new one");

    std::fs::write(files.path().join("tls.key"), "no key").expect("written");
    tls.0.look();
    call(&server, of_old.path()).await.expect("the old files go on");
    new.write(files.path(), "127.0.0.1", &[&new]);
    tls.0.look();

    call(&server, of_new.path()).await.expect("the server trusts the new authority now");
    call(&server, of_old.path()).await.expect_err("the old authority is no longer trusted");
}
