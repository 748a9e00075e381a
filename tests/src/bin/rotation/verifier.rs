//! A verifier of another language, as a process.

use crate::{Failure, tally::Tally};
use std::{
    collections::HashMap,
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    task::JoinHandle,
    time::timeout,
};

/// How soon it has to be there, and how soon it has to have answered everything at the end.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is waiting for its answer: told of when the answer is not `ok`.
type Waiting = Arc<Mutex<HashMap<u64, String>>>;

pub(crate) struct Verifier {
    name: String,
    process: Child,
    input: tokio::sync::Mutex<Input>,
    answers: JoinHandle<()>,
    waiting: Waiting,
    tally: Arc<Tally>,
}

struct Input {
    writer: ChildStdin,
    questions: u64,
}

impl Verifier {
    /// What it writes first is its name; what it does besides goes into that, too.
    pub(crate) async fn start(
        command: &mut Command,
        keeping: &str,
        tally: Arc<Tally>,
    ) -> Result<Self, Failure> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let writer = process.stdin.take().ok_or("no input")?;
        let output = process.stdout.take().ok_or("no output")?;
        let mut lines = BufReader::new(output).lines();
        let library = timeout(PATIENCE, lines.next_line()).await??;
        let library = library.ok_or("a verifier did not start")?;
        let name = format!("{library}, {keeping}");
        let waiting = Waiting::default();
        let answers = read(
            lines,
            name.clone(),
            Arc::clone(&waiting),
            Arc::clone(&tally),
        );
        Ok(Self {
            name,
            process,
            input: tokio::sync::Mutex::new(Input {
                writer,
                questions: 0,
            }),
            answers: tokio::spawn(answers),
            waiting,
            tally,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) async fn verify(&self, jwt: &str, what: &str) {
        let mut input = self.input.lock().await;
        let id = input.questions;
        input.questions += 1;
        lock(&self.waiting).insert(id, what.to_owned());
        let line = format!("{id} {jwt}\n");
        if input.writer.write_all(line.as_bytes()).await.is_err() {
            lock(&self.waiting).remove(&id);
            self.tally
                .failed(format_args!("{} cannot be asked any more", self.name));
        }
    }

    /// When all is answered; what is not has failed.
    pub(crate) async fn end(mut self) {
        drop(self.input);
        let answered = timeout(PATIENCE, self.answers).await;
        if !matches!(answered, Ok(Ok(()))) {
            let _ = self.process.start_kill();
        }
        for what in lock(&self.waiting).values() {
            self.tally
                .failed(format_args!("{}: no answer for {what}", self.name));
        }
    }
}

async fn read(
    mut lines: Lines<BufReader<ChildStdout>>,
    name: String,
    waiting: Waiting,
    tally: Arc<Tally>,
) {
    while let Ok(Some(line)) = lines.next_line().await {
        let (id, answer) = line.split_once(' ').unwrap_or(("", &line));
        let what = id.parse().ok().and_then(|id| lock(&waiting).remove(&id));
        let Some(what) = what else {
            tally.failed(format_args!("{name} says {line:?}"));
            continue;
        };
        tally.verified();
        if answer != "ok" {
            tally.failed(format_args!("{name}: {what}: {answer}"));
        }
    }
}

fn lock(waiting: &Waiting) -> MutexGuard<'_, HashMap<u64, String>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
