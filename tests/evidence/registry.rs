//! A real OCI registry, Debian's `docker-registry`, on loopback, filled over its
//! own API. `cargo xtask test` installs it.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use aws_lc_rs::digest;
use fromguard_core::image::Digest;
use serde_json::Value;
use serde_json::json;

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The registry, until it is dropped.
pub(crate) struct Registry {
    process: Child,
    pub(crate) port: u16,
    _folder: tempfile::TempDir,
}

impl Registry {
    /// Starts an empty one that asks for no credentials.
    pub(crate) fn start() -> Registry {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("config.yml");
        let root = folder.path().join("storage");
        let text = format!(
            "version: 0.1\nlog: {{level: info, formatter: json}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '127.0.0.1:0'}}\n",
            root.display()
        );
        std::fs::write(&config, text).expect("the configuration is written");
        let mut process = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker-registry is installed: `cargo xtask test` does it");
        let mut log = BufReader::new(process.stderr.take().expect("it is piped"));
        let port = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).expect("its log") > 0, "docker-registry ended at once");
            if let Some((_, rest)) = line.split_once("listening on 127.0.0.1:") {
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                break digits.parse().expect("a port");
            }
        };
        // It must not wait for somebody to read its log.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Registry { process, port, _folder: folder }
    }

    /// Pushes a manifest as it is, under a tag or its digest.
    pub(crate) fn push(
        &self,
        repository: &str,
        reference: Option<&str>,
        kind: &str,
        manifest: &Value,
    ) -> Digest {
        let body = serde_json::to_vec(manifest).expect("JSON");
        let digest = digest_of(&body);
        let reference = reference.map_or_else(|| digest.to_string(), str::to_owned);
        let path = format!("/v2/{repository}/manifests/{reference}");
        let (status, _) = self.send("PUT", &path, kind, &body);
        assert_eq!(status, 201, "{path}");
        digest
    }

    /// Pushes a blob; answers its descriptor.
    pub(crate) fn blob(&self, repository: &str, kind: &str, bytes: &[u8]) -> Value {
        let (status, headers) = self.send("POST", &format!("/v2/{repository}/blobs/uploads/"), "", b"");
        assert_eq!(status, 202);
        let location =
            headers.lines().find_map(|line| line.strip_prefix("Location: ")).expect("where to put it");
        let path = location.split_once("//").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
        let path = path.expect("a whole URL");
        let digest = digest_of(bytes);
        let separator = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{separator}digest={digest}");
        let (status, _) = self.send("PUT", &path, "application/octet-stream", bytes);
        assert_eq!(status, 201, "{path}");
        json!({"mediaType": kind, "digest": digest.as_str(), "size": bytes.len()})
    }

    /// Pushes an image whose source label is `label`, so that each has its own digest.
    pub(crate) fn image(&self, repository: &str, tag: Option<&str>, label: &str) -> Digest {
        let config = json!({"architecture": "amd64", "os": "linux", "config": {"Labels": {"org.opencontainers.image.source": label}}});
        let config = serde_json::to_vec(&config).expect("JSON");
        let config = self.blob(repository, "application/vnd.oci.image.config.v1+json", &config);
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []});
        self.push(repository, tag, MANIFEST, &manifest)
    }

    /// Pushes an index of images that are there.
    pub(crate) fn index(&self, repository: &str, tag: &str, children: &[&Digest]) -> Digest {
        let children: Vec<Value> = children
            .iter()
            .map(|digest| json!({"mediaType": MANIFEST, "digest": digest.as_str(), "size": self.size(repository, digest)}))
            .collect();
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": children});
        self.push(repository, Some(tag), INDEX, &index)
    }

    fn size(&self, repository: &str, digest: &Digest) -> usize {
        let (status, answer) = self.send("GET", &format!("/v2/{repository}/manifests/{digest}"), "", b"");
        assert_eq!(status, 200);
        answer.split_once("\r\n\r\n").map_or(0, |(_, body)| body.len())
    }

    /// One request; answers the status and everything else as text.
    fn send(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the registry listens");
        let kind = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n{kind}Accept: {MANIFEST}, {INDEX}\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.port,
            body.len()
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, answer)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The SHA-256 digest of bytes.
pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    let hex: String =
        digest::digest(&digest::SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Digest::parse(&format!("sha256:{hex}")).expect("a digest")
}
