//! Which PostgreSQL: every distribution puts the server's programs somewhere else, several major
//! versions may stand side by side, and an existing cluster runs only on the one that made it.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use super::{OLDEST_MAJOR, account::Account, pgdata};
use crate::EmbeddedError;

/// Where installers put the server, besides `/usr/lib/postgresql/<major>/bin`.
const PLACES: [&str; 7] = [
    "/usr/pgsql-{}/bin",
    "/usr/local/opt/postgresql@{}/bin",
    "/opt/homebrew/opt/postgresql@{}/bin",
    "/usr/lib/postgresql{}/bin",
    "/usr/libexec/postgresql{}",
    "/usr/local/pgsql/bin",
    "/usr/local/bin",
];
/// Major versions that are looked for in places whose name holds one, newest first.
const MAJORS: std::ops::RangeInclusive<u32> = OLDEST_MAJOR..=30;

/// The server's programs.
#[derive(Debug, Clone)]
pub(super) struct Binaries {
    /// The directory that holds them.
    pub(super) dir: PathBuf,
}

impl Binaries {
    /// The programs to use for the cluster at `pgdata`: of its own major version if it exists,
    /// else the first place that holds a version new enough.
    pub(super) fn find(
        chosen: Option<&Path>,
        pgdata: &Path,
        account: &Account,
        data_dir: &Path,
    ) -> Result<Self, EmbeddedError> {
        let dirs = match chosen {
            Some(dir) if complete(dir) => vec![dir.to_owned()],
            Some(dir) => return Err(EmbeddedError::OverrideUnusable { path: dir.into() }),
            None => candidates(),
        };
        let wanted = pgdata::major_version(pgdata)?;
        let mut found = Vec::new();
        let mut first_error = None;
        for dir in dirs {
            match version(&dir, account, data_dir) {
                Ok((major, version)) if serves(major, wanted.as_deref()) => {
                    tracing::info!(%version, dir = %dir.display(), "PostgreSQL found");
                    return Ok(Self { dir });
                }
                Ok((_, version)) => found.push((version, dir)),
                // The data directory is out of reach whichever version we take.
                Err(error @ EmbeddedError::Unreachable { .. }) => return Err(error),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        Err(match (wanted, found.is_empty(), first_error) {
            (_, true, Some(error)) => error,
            (_, true, None) => EmbeddedError::PostgresNotFound { looked: looked() },
            (Some(cluster), false, _) => EmbeddedError::ClusterVersion {
                path: pgdata.into(),
                cluster,
                found: listed(&found),
            },
            (None, false, _) => {
                let (found, bin) = found.swap_remove(0);
                EmbeddedError::PostgresTooOld { found, bin, minimum: OLDEST_MAJOR }
            }
        })
    }

    /// The path of one of the programs.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// Whether a server of this major version runs the existing cluster, or may make a new one.
fn serves(major: u32, cluster: Option<&str>) -> bool {
    cluster.map_or(major >= OLDEST_MAJOR, |cluster| cluster == major.to_string())
}

fn listed(found: &[(String, PathBuf)]) -> String {
    let all: Vec<_> = found.iter().map(|(v, dir)| format!("{v} in {}", dir.display())).collect();
    all.join(", ")
}

/// Whether the directory holds a server, not only a client.
fn complete(dir: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|name| dir.join(name).is_file())
}

/// Every directory that holds a server, the most deliberate choice first.
fn candidates() -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> = Vec::new();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        dirs.push(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    dirs.extend(debian());
    for place in PLACES {
        if place.contains("{}") {
            dirs.extend(MAJORS.rev().map(|n| place.replace("{}", &n.to_string()).into()));
        } else {
            dirs.push(place.into());
        }
    }
    if let Some(path) = env::var_os("PATH") {
        dirs.extend(env::split_paths(&path));
    }
    if let Ok(program) = env::current_exe() {
        dirs.extend(downloaded(&program));
    }
    let mut seen = Vec::new();
    dirs.retain(|dir| {
        let fresh = dir.is_absolute() && complete(dir) && !seen.contains(dir);
        seen.push(dir.clone());
        fresh
    });
    dirs
}

/// Debian's and Ubuntu's directories, the highest version first.
fn debian() -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir("/usr/lib/postgresql") else { return Vec::new() };
    let mut majors: Vec<u32> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    majors.sort_unstable_by(|a, b| b.cmp(a));
    majors.iter().map(|major| format!("/usr/lib/postgresql/{major}/bin").into()).collect()
}

/// Where `scripts/setup.sh` puts a server that it downloads: `postgres/bin` in Cargo's target
/// directory. A program there is at most four levels below it
/// (`target/<triple>/release/deps/<test>`).
fn downloaded(program: &Path) -> impl Iterator<Item = PathBuf> {
    program.ancestors().skip(1).take(4).map(|dir| dir.join("postgres/bin"))
}

fn looked() -> String {
    "pg_config --bindir, /usr/lib/postgresql/*/bin, Homebrew's and RHEL's directories, PATH, \
     target/postgres/bin"
        .into()
}

/// Asks the server for its version: the major one, and the text. It is asked as the user it will
/// run as and from inside the data directory, so that missing rights show here, with a name.
fn version(dir: &Path, account: &Account, data_dir: &Path) -> Result<(u32, String), EmbeddedError> {
    let program = dir.join("postgres");
    let broken =
        |reason: String| EmbeddedError::PostgresBroken { program: program.clone(), reason };
    let output = account.command(&program).current_dir(data_dir).arg("--version").output();
    let output = match output {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let target = if account.obstacle(dir).is_some() { dir } else { data_dir };
            return Err(account.unreachable(target));
        }
        Err(error) => return Err(broken(error.to_string())),
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(broken(said.lines().next().unwrap_or("no message").to_owned()));
    }
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    parse(&text).ok_or_else(|| broken(format!("unexpected version {text:?}")))
}

/// Reads `postgres (PostgreSQL) 15.18 (Debian ...)`, also `17beta1` and `18devel`.
fn parse(text: &str) -> Option<(u32, String)> {
    let version = text.split(") ").nth(1)?.split_whitespace().next()?;
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    Some((version[..digits].parse().ok()?, version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_shape_of_version() {
        let debian = "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)";
        assert_eq!(parse(debian), Some((15, "15.18".into())));
        assert_eq!(parse("postgres (PostgreSQL) 18devel"), Some((18, "18devel".into())));
        assert_eq!(parse("postgres (PostgreSQL) 9.6.24"), Some((9, "9.6.24".into())));
        assert_eq!(parse("hello"), None);
    }

    #[test]
    fn a_downloaded_server_is_found_from_every_program_of_cargo() {
        for program in [
            "/src/target/release/wavetank",
            "/src/target/debug/deps/e2e-0123456789abcdef",
            "/src/target/x86_64-unknown-linux-gnu/release/deps/e2e-0123456789abcdef",
        ] {
            let dirs: Vec<PathBuf> = downloaded(Path::new(program)).collect();
            assert!(dirs.contains(&"/src/target/postgres/bin".into()), "{program}: {dirs:?}");
        }
    }

    #[test]
    fn a_cluster_runs_on_the_version_that_made_it() {
        assert!(serves(17, Some("17")) && !serves(18, Some("17")));
        assert!(serves(OLDEST_MAJOR, None) && !serves(OLDEST_MAJOR - 1, None));
        // As told: even one that could not make a new cluster.
        assert!(serves(13, Some("13")));
    }

    #[test]
    fn an_override_without_a_server_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let account = Account::choose(&dir.path().join("none")).unwrap();
        let error = Binaries::find(Some(dir.path()), dir.path(), &account, dir.path());
        assert!(matches!(error, Err(EmbeddedError::OverrideUnusable { .. })));
    }
}
