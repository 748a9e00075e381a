//! The command line.

use crate::{help, ring::Ring};
use lexopt::{Arg, Parser, ValueExt};
use std::{
    ffi::{OsStr, OsString},
    fmt,
    path::PathBuf,
    time::Duration,
};
use tower_jwks::{Algorithm, ConfigError, KeyEncryptionKey, RotationPolicy};

/// What the command line asks for.
pub(crate) enum Asked {
    Help(&'static str),
    Version,
    Task(Task),
}

pub(crate) enum Task {
    Init(Ring, New),
    Status(Ring),
    Rotate(Ring),
    Revoke(Ring, String),
    Import(Ring, PathBuf),
}

/// What a new ring is to be like.
pub(crate) struct New {
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) policy: RotationPolicy,
}

/// What was not done, and why.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    /// For what is wrong with the command line.
    usage: bool,
}

impl Failure {
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            usage: false,
        }
    }

    fn usage(message: impl fmt::Display, command: Option<Command>) -> Self {
        let command = command.map_or(String::new(), |command| format!(" {}", command.name()));
        Self {
            message: format!("{message}; `tower-jwks{command} --help` says more"),
            usage: true,
        }
    }

    pub(crate) const fn code(&self) -> u8 {
        if self.usage { 2 } else { 1 }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Init,
    Status,
    Rotate,
    Revoke,
    Import,
}

impl Command {
    const ALL: [Self; 5] = [
        Self::Init,
        Self::Status,
        Self::Rotate,
        Self::Revoke,
        Self::Import,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Status => "status",
            Self::Rotate => "rotate",
            Self::Revoke => "revoke",
            Self::Import => "import",
        }
    }

    const fn help(self) -> &'static str {
        match self {
            Self::Init => help::INIT,
            Self::Status => help::STATUS,
            Self::Rotate => help::ROTATE,
            Self::Revoke => help::REVOKE,
            Self::Import => help::IMPORT,
        }
    }

    /// What it is about, besides the directory.
    const fn object(self) -> Option<&'static str> {
        match self {
            Self::Init | Self::Status | Self::Rotate => None,
            Self::Revoke => Some("KID"),
            Self::Import => Some("PEM"),
        }
    }
}

/// What was read of the command line so far.
#[derive(Default)]
struct Read {
    command: Option<Command>,
    directory: Option<PathBuf>,
    object: Option<OsString>,
    kek_file: Option<PathBuf>,
    kek_env: Option<String>,
    algorithm: Option<Algorithm>,
    key: Option<PathBuf>,
    times: Vec<(&'static str, Duration)>,
}

/// Reads the arguments that follow the program's name.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Asked, Failure> {
    let mut parser = Parser::from_args(arguments);
    let mut read = Read::default();
    match read.all(&mut parser) {
        Ok(Some(asked)) => Ok(asked),
        Ok(None) => read.task().map(Asked::Task),
        Err(error) => Err(Failure::usage(error, read.command)),
    }
}

impl Read {
    /// Something other than a task, if it is asked for.
    fn all(&mut self, parser: &mut Parser) -> Result<Option<Asked>, lexopt::Error> {
        loop {
            if self.awaits_kid()
                && let Some(mut rest) = parser.try_raw_args()
                && rest.peek().is_some_and(is_kid)
            {
                self.object = rest.next();
                continue;
            }
            let Some(argument) = parser.next()? else {
                return Ok(None);
            };
            match argument {
                Arg::Short('h') | Arg::Long("help") => {
                    let text = self.command.map_or(help::ALL, Command::help);
                    return Ok(Some(Asked::Help(text)));
                }
                Arg::Short('V') | Arg::Long("version") => return Ok(Some(Asked::Version)),
                Arg::Long("json") => {}
                Arg::Long("kek-file") => self.kek_file = Some(parser.value()?.into()),
                Arg::Long("kek-env") => self.kek_env = Some(parser.value()?.string()?),
                Arg::Long("algorithm") if self.is_init() => {
                    self.algorithm = Some(parser.value()?.parse()?);
                }
                Arg::Long("key") if self.is_init() => self.key = Some(parser.value()?.into()),
                Arg::Long(name) if self.is_init() && time(name).is_some() => {
                    let name = time(name).unwrap_or_default();
                    let text = parser.value()?.string()?;
                    let time = humantime::parse_duration(&text)
                        .map_err(|why| format!("--{name}: no time such as `10m`: {why}"))?;
                    self.times.push((name, time));
                }
                Arg::Value(value) => self.value(value)?,
                other @ (Arg::Short(_) | Arg::Long(_)) => return Err(other.unexpected()),
            }
        }
    }

    fn is_init(&self) -> bool {
        self.command == Some(Command::Init)
    }

    fn awaits_kid(&self) -> bool {
        self.command == Some(Command::Revoke) && self.directory.is_some() && self.object.is_none()
    }

    fn value(&mut self, value: OsString) -> Result<(), lexopt::Error> {
        let Some(command) = self.command else {
            let known = Command::ALL.into_iter();
            let found = known.into_iter().find(|known| value == known.name());
            let unknown = || format!("there is no command {value:?}");
            self.command = Some(found.ok_or_else(unknown)?);
            return Ok(());
        };
        if self.directory.is_none() {
            self.directory = Some(value.into());
        } else if command.object().is_some() && self.object.is_none() {
            self.object = Some(value);
        } else {
            return Err(Arg::Value(value).unexpected());
        }
        Ok(())
    }

    fn task(self) -> Result<Task, Failure> {
        let Some(command) = self.command else {
            return Err(Failure::usage("a command is missing", None));
        };
        let usage = |message: &str| Failure::usage(message, Some(command));
        let Some(directory) = self.directory.filter(|path| path != OsStr::new("")) else {
            return Err(usage("DIR, the ring's directory, is missing"));
        };
        let object = match (command.object(), self.object) {
            (Some(name), None) => return Err(usage(&format!("{name} is missing"))),
            (_, object) => object.unwrap_or_default(),
        };
        let new = match command {
            Command::Init => Some(New {
                policy: policy(&self.times).map_err(|error| usage(&in_options(&error)))?,
                algorithm: self.algorithm,
                key: self.key,
            }),
            _ => None,
        };
        let kek = match (self.kek_file, self.kek_env) {
            (None, None) => None,
            (Some(file), None) => Some(KeyEncryptionKey::from_file(file)),
            (None, Some(name)) => Some(KeyEncryptionKey::from_env(&name)),
            (Some(_), Some(_)) => return Err(usage("--kek-file and --kek-env exclude each other")),
        };
        let kek = kek.transpose();
        let kek = kek.map_err(|error| Failure::failed(error.to_string()))?;
        let ring = Ring::new(directory, kek);
        Ok(match (command, new) {
            (Command::Init, Some(new)) => Task::Init(ring, new),
            (Command::Init, None) | (Command::Status, _) => Task::Status(ring),
            (Command::Rotate, _) => Task::Rotate(ring),
            (Command::Revoke, _) => {
                let kid = object.into_string();
                Task::Revoke(ring, kid.map_err(|_| usage("KID is no text"))?)
            }
            (Command::Import, _) => Task::Import(ring, object.into()),
        })
    }
}

/// Whether it is a `kid` as the ring makes them, which may begin as an option does.
fn is_kid(argument: &OsStr) -> bool {
    let bytes = argument.as_encoded_bytes();
    let is_base64url = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    bytes.len() == 43 && bytes.iter().all(is_base64url)
}

/// The options that are times, by their names in a policy.
const TIMES: [(&str, &str); 5] = [
    ("max-age", "max_age"),
    ("propagation", "propagation"),
    ("grace", "grace"),
    ("clock-skew", "clock_skew"),
    ("token-life", "token_life"),
];

fn time(name: &str) -> Option<&'static str> {
    let mut times = TIMES.into_iter();
    times.find(|(time, _)| *time == name).map(|(time, _)| time)
}

fn policy(times: &[(&'static str, Duration)]) -> Result<RotationPolicy, ConfigError> {
    // Only what is promised counts: the rest is in the settings of the processes, and is here what fits all.
    let longest = Duration::from_secs(10 * 365 * 24 * 60 * 60);
    let mut policy = RotationPolicy::builder().interval(longest);
    for (name, time) in times {
        policy = match *name {
            "max-age" => policy.max_age(*time),
            "propagation" => {
                let poll = Duration::from_secs(time.as_secs() / 2);
                let usual = RotationPolicy::default().poll();
                policy.propagation(*time).poll(poll.min(usual))
            }
            "grace" => policy.grace(*time),
            "clock-skew" => policy.clock_skew(*time),
            _ => policy.token_life(*time),
        };
    }
    policy.build()
}

/// In the words of the command line.
fn in_options(error: &ConfigError) -> String {
    if error.field() == "poll" {
        return "--propagation: is under 2 seconds".to_owned();
    }
    let text = TIMES
        .into_iter()
        .fold(error.to_string(), |text, (option, field)| {
            text.replace(&format!("`{field}`"), &format!("`--{option}`"))
        });
    let field = TIMES.into_iter().find(|(_, field)| *field == error.field());
    match field {
        Some((option, field)) => text.replacen(field, &format!("--{option}"), 1),
        None => text,
    }
}
