//! How crates that check access tokens behave when the endpoint of the keys misbehaves: a table, in
//! Markdown, with a column for each crate.
//!
//! ```text
//! cargo run --release                # all of it
//! cargo run --release -- jwt-auth 1 6  # the crates with that in their name, rows of these numbers
//! ```

mod peer;
mod peers;
mod provider;
mod rows;
mod token;
mod trial;

use peer::Peer;
use rows::Row;
use std::{env, process::ExitCode, thread, time::Duration};
use tokio::runtime;

/// No row takes as long, by its own limits.
const LIMIT: Duration = Duration::from_secs(150);

struct Column {
    name: &'static str,
    rows: Vec<Row>,
}

fn column<P: Peer>() -> Column {
    Column {
        name: P::NAME,
        rows: rows::all::<P>(),
    }
}

fn main() -> ExitCode {
    // The peers' clients would ask it for the keys, and it could not know them.
    if let Some(proxy) = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
        .into_iter()
        .find(|name| env::var_os(name).is_some())
    {
        eprintln!("unset {proxy}: everything here is on loopback");
        return ExitCode::FAILURE;
    }

    let (numbers, names): (Vec<_>, Vec<_>) = env::args()
        .skip(1)
        .partition(|argument| argument.starts_with(|c: char| c.is_ascii_digit()));
    let mut columns = vec![
        column::<peers::TowerOAuth2ResourceServer>(),
        column::<peers::JwtAuthorizer>(),
        column::<peers::OAuthResourceServer>(),
        column::<peers::AxumJwtAuth>(),
    ];
    #[cfg(feature = "ours")]
    columns.push(column::<peers::Ours>());
    columns
        .retain(|column| names.is_empty() || names.iter().any(|name| column.name.contains(name)));
    let Some(first) = columns.first() else {
        eprintln!("no peer has such a name");
        return ExitCode::FAILURE;
    };

    print_row("", columns.iter().map(|column| column.name.to_owned()));
    print_row("---", columns.iter().map(|_| "---".to_owned()));
    for (index, row) in first.rows.iter().enumerate() {
        if numbers.is_empty() || numbers.iter().any(|number| row.title.starts_with(number)) {
            print_row(row.title, cells(&columns, index).into_iter());
        }
    }
    ExitCode::SUCCESS
}

fn print_row(title: &str, cells: impl Iterator<Item = String>) {
    println!("| {title} | {} |", cells.collect::<Vec<_>>().join(" | "));
}

fn cells(columns: &[Column], index: usize) -> Vec<String> {
    let cell = |column: &Column| cell(&column.rows[index]);
    if !columns[0].rows[index].together {
        return columns.iter().map(cell).collect();
    }
    thread::scope(|scope| {
        let threads: Vec<_> = columns
            .iter()
            .map(|column| scope.spawn(move || cell(column)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| "panics".to_owned()))
            .collect()
    })
}

/// In a runtime of its own, with which everything ends that a peer leaves running.
fn cell(row: &Row) -> String {
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("the system has threads to give");
    let cell = runtime.block_on(async {
        let running = tokio::spawn(tokio::time::timeout(LIMIT, (row.run)()));
        match running.await {
            Ok(Ok(Ok(cell) | Err(cell))) => cell,
            Ok(Err(_)) => format!("not done after {LIMIT:?}"),
            Err(_) => "panics".to_owned(),
        }
    });
    runtime.shutdown_background();
    cell
}
