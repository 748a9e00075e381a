//! Until all gateways have rotated as often as is wanted, and one of them has died meanwhile.

use crate::{
    Failure,
    documents::ROTATE_EVERY,
    fleet::{GATEWAYS, Life},
    kill::kill_one,
    load::Course,
};
use std::{array, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// From one look at the rotations to the next.
const PACE: Duration = Duration::from_millis(100);
/// The longest without a word.
const SILENCE: Duration = Duration::from_secs(5);
/// With more failures than this, all is known.
const MOST_FAILURES: u64 = 1000;
/// As long as three rotations should take is too long for one.
const PATIENCE: Duration = Duration::from_secs(3 * ROTATE_EVERY);

pub(crate) async fn watch(wanted: usize, course: &Course) -> Result<(), Failure> {
    let begin = Instant::now();
    let (mut told, mut rotated, mut rotations) = (begin, begin, 0);
    let mut death = None;
    loop {
        sleep(PACE).await;
        let lives = lives(course);
        let count = course.rotations.count(lives);
        if count > rotations || told.elapsed() > SILENCE {
            told = Instant::now();
            let seconds = begin.elapsed().as_secs();
            println!("{}, {seconds} s", course.tally.line(count));
        }
        if count > rotations {
            (rotations, rotated) = (count, told);
        }
        if rotations >= wanted / 2 && death.is_none() {
            let fleet = Arc::clone(&course.fleet);
            death = Some(tokio::spawn(async move { kill_one(&fleet).await }));
        }
        let is_back = death.as_ref().is_some_and(|death| death.is_finished());
        if is_back && rotations >= wanted && all_sign(course, lives) {
            break;
        }
        if rotated.elapsed() > PATIENCE {
            return Err(format!("no rotation for {} seconds", PATIENCE.as_secs()).into());
        }
        if course.tally.failures() > MOST_FAILURES {
            return Err("too many failures to go on".into());
        }
    }
    match death {
        Some(death) => death.await?,
        None => Ok(()),
    }
}

fn lives(course: &Course) -> [Option<Life>; GATEWAYS] {
    array::from_fn(|gateway| course.fleet.life(gateway))
}

fn all_sign(course: &Course, lives: [Option<Life>; GATEWAYS]) -> bool {
    lives
        .into_iter()
        .enumerate()
        .all(|(gateway, life)| life.is_some_and(|life| course.rotations.has_signed(gateway, life)))
}
