//! Whose certificates are believed: those of the system's authorities, or of the
//! ones that the operator names for a registry, and of nobody else.

use std::path::Path;
use std::sync::Arc;
use std::sync::OnceLock;

use hyper_rustls::ConfigBuilderExt;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Makes TLS configurations; the system's authorities are read once.
#[derive(Default)]
pub(super) struct Trust {
    system: OnceLock<ClientConfig>,
}

impl Trust {
    /// The configuration for a row; `authorities` is its file in PEM.
    pub(super) fn config(&self, authorities: Option<&Path>) -> Result<ClientConfig, String> {
        match authorities {
            None => Ok(self.system.get_or_init(system).clone()),
            Some(path) => of_file(path),
        }
    }
}

/// Without authorities every certificate is refused, and nothing else fails.
fn system() -> ClientConfig {
    match builder().with_native_roots() {
        Ok(builder) => builder.with_no_client_auth(),
        Err(error) => {
            tracing::warn!(%error, "the system's certificate authorities cannot be read: no registry is believed");
            builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth()
        }
    }
}

fn of_file(path: &Path) -> Result<ClientConfig, String> {
    let wrong =
        |why: String| format!("the certificate authorities in {} cannot be used: {why}", path.display());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))? {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(wrong("it holds none in PEM".to_owned()));
    }
    Ok(builder().with_root_certificates(roots).with_no_client_auth())
}

fn builder() -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has TLS 1.2 and 1.3")
}
