//! A PostgreSQL server of the tests' own: installed where it is missing, started on
//! loopback with a data folder that is thrown away, stopped when dropped.

use std::env;
use std::fs;
use std::hash::BuildHasher;
use std::hash::RandomState;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::Ipv4Addr;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use anyhow::Context;
use anyhow::bail;

/// The variable that names the server to the tests: its URL, as a superuser.
pub(crate) const URL_VARIABLE: &str = "FROMGUARD_TEST_POSTGRES_URL";

/// Where Debian puts the server's programs, which are on nobody's path.
const DEBIAN_FOLDER: &str = "/usr/lib/postgresql";

/// What the server says once it can be connected to.
const READY: &str = "database system is ready to accept connections";

/// Users that the server may run as where we are root, which it refuses to run as.
const USERS: [&str; 2] = ["postgres", "nobody"];

/// A running server.
pub(crate) struct Postgres {
    /// `postgres://…` of a superuser.
    pub(crate) url: String,
    server: Child,
    data: PathBuf,
}

impl Postgres {
    /// Starts a server. A `durable` one syncs its commits to the disk, as in real life: benchmarks
    /// want that, tests only want to be quick.
    pub(crate) fn start(durable: bool) -> anyhow::Result<Postgres> {
        let programs = programs()?;
        let user = user_to_run_as()?;
        let data = env::temp_dir().join(format!("fromguard-postgres-{}", std::process::id()));
        fs::create_dir(&data).with_context(|| format!("{} cannot be made", data.display()))?;
        if let Some((uid, gid)) = user {
            chown(&data, Some(uid), Some(gid))?;
        }
        // The standard library seeds each `RandomState` from the operating system's randomness.
        let password = format!("{:016x}", RandomState::new().hash_one(0));
        let started = serve(&programs, &data, user, &password, durable);
        if started.is_err() {
            let _ = fs::remove_dir_all(&data);
        }
        let (server, port) = started?;
        let url = format!("postgres://fromguard:{password}@127.0.0.1:{port}/postgres");
        Ok(Postgres { url, server, data })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGQUIT: it ends at once, and nobody needs the data any more.
        let asked = Command::new("kill").arg("-QUIT").arg(self.server.id().to_string()).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.server.kill();
        }
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.data);
    }
}

/// Makes the data folder and starts the server; answers once it can be connected to.
fn serve(
    programs: &Path,
    data: &Path,
    user: Option<(u32, u32)>,
    password: &str,
    durable: bool,
) -> anyhow::Result<(Child, u16)> {
    let cluster = data.join("cluster");
    let password_file = data.join("password");
    let mut file = fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&password_file)?;
    file.write_all(password.as_bytes())?;
    if let Some((uid, gid)) = user {
        chown(&password_file, Some(uid), Some(gid))?;
    }
    let mut initdb = as_user(programs.join("initdb"), data, user);
    initdb
        .args(["--username=fromguard", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"])
        .arg(format!("--pwfile={}", password_file.display()))
        .arg(format!("--pgdata={}", cluster.display()));
    let made = initdb.output().context("initdb could not be run")?;
    if !made.status.success() {
        bail!("initdb failed: {}", String::from_utf8_lossy(&made.stderr));
    }

    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let mut command = as_user(programs.join("postgres"), data, user);
    command.arg("-D").arg(&cluster).args(["-p", &port.to_string()]);
    let mut settings = vec![
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=400",
        "shared_buffers=64MB",
    ];
    if !durable {
        settings.extend(["fsync=off", "full_page_writes=off"]);
    }
    for setting in settings {
        command.args(["-c", setting]);
    }
    let mut server =
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().context("postgres could not be run")?;
    let mut log = BufReader::new(server.stderr.take().context("the log is piped")?);
    let mut said = String::new();
    while !said.contains(READY) {
        if log.read_line(&mut said)? == 0 {
            bail!("the PostgreSQL server ended before it was ready:\n{said}");
        }
    }
    // Somebody has to read what it says, or it waits for that.
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    Ok((server, port))
}

fn as_user(program: PathBuf, folder: &Path, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env("LC_ALL", "C");
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}

/// The folder of the server's programs; they are installed where they are missing.
fn programs() -> anyhow::Result<PathBuf> {
    if let Some(found) = find_programs() {
        return Ok(found);
    }
    eprintln!("PostgreSQL is not on this machine: installing Debian's package `postgresql`");
    for arguments in [&["update"][..], &["install", "--yes", "--no-install-recommends", "postgresql"]] {
        let done = Command::new("apt-get")
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(Stdio::null())
            .status();
        if !done.is_ok_and(|status| status.success()) {
            bail!(
                "the tests need a PostgreSQL server, and `apt-get {}` failed: install PostgreSQL 14 or newer, \
                 so that `initdb` and `postgres` are on the path",
                arguments.join(" ")
            );
        }
    }
    find_programs().context("the package `postgresql` is installed and brought no initdb")
}

fn find_programs() -> Option<PathBuf> {
    let on_path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>());
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(DEBIAN_FOLDER)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")))
        })
        .collect();
    versions.sort_unstable();
    let by_version = versions.into_iter().rev().map(|(_, folder)| folder);
    let mut folders = on_path.into_iter().flatten().chain(by_version);
    folders.find(|folder| ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file()))
}

/// Whom to run the server as: `None` for ourselves, which it takes from anybody but root.
fn user_to_run_as() -> anyhow::Result<Option<(u32, u32)>> {
    let is_root = fs::metadata("/proc/self").is_ok_and(|ourselves| ourselves.uid() == 0);
    if !is_root {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").context("/etc/passwd cannot be read")?;
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    let found = USERS.iter().find_map(|name| ids(name));
    found.map(Some).context("PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`")
}
