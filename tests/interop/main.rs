//! The unmodified SDKs of ACS control recordings of live calls here, and load what was recorded, by nothing but a
//! connection string and their environment. What they loaded is judged by what is in it.

#[path = "../support/mod.rs"]
mod support;

mod judge;
mod matrix;

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::matrix::Column;
use crate::support::program::Program;
use crate::support::server::Server;

/// An SDK, and what tells its story.
#[derive(Debug, Clone, Copy)]
enum Sdk {
    Python { version: &'static str, kind: &'static str },
    JavaScript { version: &'static str },
}

/// Returns where the SDKs are, each version in an environment of its own.
fn environments() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("interop")
}

fn story(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(file)
}

/// Returns where stories in Python find what they share with others.
fn support() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support")
}

impl Sdk {
    fn version(self) -> &'static str {
        let (Self::Python { version, .. } | Self::JavaScript { version }) = self;
        version
    }

    fn name(self) -> String {
        match self {
            Self::Python { version, kind } => format!("Python {version} {kind}"),
            Self::JavaScript { version } => format!("JavaScript {version}"),
        }
    }

    /// Returns what a service is to be told for it: since 1.6.0 they load files by no name but Microsoft's.
    fn settings(self) -> &'static str {
        match self.version() {
            "1.6.0" => "content-url = \"https://rec.asm.skype.com\"\nconnect-proxy = \"127.0.0.1:0\"",
            _ => "",
        }
    }

    /// Returns what tells the story to a server, in the environment that README tells users to have.
    fn command(self, server: &Server) -> Command {
        let env = environments();
        let authority = server.authority();
        let mut command = match self {
            Self::Python { version, kind } => {
                let mut command = Command::new(env.join(format!("py-{version}/bin/python")));
                command.arg(story("story.py")).args(["--kind", kind]).arg("--authority").arg(&authority);
                command.env("REQUESTS_CA_BUNDLE", &authority).env("SSL_CERT_FILE", &authority);
                command.env("NO_PROXY", "localhost");
                command
            }
            Self::JavaScript { version } => {
                let mut command = Command::new(env.join("node"));
                command.arg(story("story.mjs")).arg("--sdk").arg(env.join(format!("js-{version}")));
                // It takes its proxy by the host of the service, also where it loads from another.
                command.env("NODE_EXTRA_CA_CERTS", &authority).env_remove("NO_PROXY");
                command
            }
        };
        command.env("PYTHONPATH", support());
        assert!(Path::new(command.get_program()).exists(), "{command:?}: scripts/interop installs it");
        for name in ["HTTP_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name);
        }
        match server.told("tunnels to the service ") {
            Some(proxy) => command.env("HTTPS_PROXY", proxy),
            None => command.env_remove("HTTPS_PROXY"),
        };
        command.args(["--reelgraph", env!("CARGO_BIN_EXE_reelgraph")]);
        command.arg("--connection").arg(server.connection()).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// Lets the SDK tell its story; judges what it loaded, and returns what it did.
    #[track_caller]
    fn record(self, server: &Server) -> Column {
        let (name, out) = (self.name(), server.path(&self.name().replace(' ', "-")));
        std::fs::create_dir_all(&out).expect("the temporary directory can be written");
        let mut command = self.command(server);
        command.arg("--out").arg(&out).arg("--tone").arg(judge::write_tone(&out));
        let output = Program::start(&mut command).finish();
        assert!(output.status.success(), "{name}: {}\n{}\n{}", output.stdout, output.stderr, server.log());
        let told: Value = serde_json::from_str(&output.stdout).expect("one JSON document");
        assert_eq!(told["version"], self.version(), "{name}");
        let recordings = told["recordings"].as_array().expect("an array");
        assert_eq!(recordings.len(), 4, "{name}");
        recordings.iter().for_each(|recording| judge::check(&name, recording));
        let done = told["done"].as_array().expect("an array").iter().filter_map(Value::as_str).map(str::to_owned);
        Column { name, done: done.collect() }
    }
}

#[test]
fn the_sdks_record_here() {
    let versions: [&[Sdk]; 4] = [
        &[Sdk::Python { version: "1.6.0", kind: "sync" }, Sdk::Python { version: "1.6.0", kind: "aio" }],
        &[Sdk::Python { version: "1.5.0", kind: "sync" }, Sdk::Python { version: "1.5.0", kind: "aio" }],
        &[Sdk::JavaScript { version: "1.6.0" }],
        &[Sdk::JavaScript { version: "1.5.1" }],
    ];
    // Each version has a server of its own, and its stories are told one behind the other: the machine has few cores.
    let columns = std::thread::scope(|scope| {
        let threads = versions.map(|sdks| {
            scope.spawn(move || {
                let server = Server::start(sdks[0].settings());
                let columns: Vec<_> = sdks.iter().map(|sdk| sdk.record(&server)).collect();
                server.end(&[]);
                columns
            })
        });
        threads.map(|thread| thread.join().expect("its story is told"))
    });
    let columns: Vec<_> = columns.into_iter().flatten().collect();
    matrix::check(&columns);
}

#[test]
fn what_was_recorded_is_there_when_the_service_was_killed() {
    let server = Server::start("");
    let kept = server.path("kept.json");
    let tell = |server: &Server, what: &str| {
        let mut command = Command::new(environments().join("py-1.6.0/bin/python"));
        command.env("PYTHONPATH", support());
        command.arg(story("restart.py")).arg(what).args(["--reelgraph", env!("CARGO_BIN_EXE_reelgraph")]);
        command.arg("--connection").arg(server.connection()).arg("--authority").arg(server.authority());
        command.arg("--tone").arg(judge::write_tone(&server.path(""))).arg("--kept").arg(&kept);
        let output = Program::start(command.env("PYTHONDONTWRITEBYTECODE", "1")).finish();
        assert!(output.status.success(), "{what}: {}\n{}", output.stderr, server.log());
    };
    tell(&server, "keep");
    let server = server.kill_and_start_again();
    tell(&server, "find");
    server.end(&[]);
}
