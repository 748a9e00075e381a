use super::{
    campaign::{Campaign, Report},
    generate,
    promises::Broken,
    run,
};
use crate::key_ring::rule::Rule;
use std::{
    env,
    sync::atomic::{AtomicU64, Ordering},
};

const fn campaign(schedules: u64, without: Option<Rule>) -> Campaign {
    Campaign {
        seed: 1,
        schedules,
        without,
    }
}

fn quietly(_: &Report) {}

#[test]
fn no_schedule_breaks_a_promise() {
    let campaign = campaign(2_000, None);
    let report = campaign.run(quietly);
    if let Some(failure) = &report.failure {
        panic!("{failure:?}\n{}", campaign.explain(failure));
    }
    assert!(report.counts.tokens > 500_000, "{report}");
    assert!(report.counts.verifications > 1_000_000, "{report}");
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 0..20 {
        let [one, other] = [(); 2].map(|()| run(&generate::scenario(seed)).counts);
        assert_eq!(one, other);
    }
    assert_ne!(
        run(&generate::scenario(1)).counts,
        run(&generate::scenario(2)).counts
    );
}

/// Every many schedules, as so many milliseconds. Of two cores.
#[test]
#[ignore = "takes minutes: cargo xtask simulate"]
fn simulate() {
    let number = |name: &str, default: u64| match env::var(name) {
        Ok(value) => value.parse().expect(name),
        Err(_) => default,
    };
    let campaign = Campaign {
        seed: number("SIMULATE_SEED", 1),
        schedules: number("SIMULATE_SCHEDULES", 100_000),
        without: None,
    };
    let step = (campaign.schedules / 20).max(1);
    let told = AtomicU64::new(0);
    let report = campaign.run(|report| {
        if report.schedules / step > told.fetch_max(report.schedules / step, Ordering::Relaxed) {
            eprintln!("{report}");
        }
    });
    if let Some(failure) = &report.failure {
        println!("\n{}", campaign.explain(failure));
        println!(
            "{:?}: cargo xtask simulate --schedules 1 --seed {}",
            failure.broken, failure.seed
        );
    }
    println!("\n{report}");
    assert!(report.failure.is_none());
}

#[test]
#[ignore]
fn show() {
    let only = env::var("RULE").ok();
    for rule in Rule::ALL {
        if only
            .as_ref()
            .is_some_and(|only| *only != format!("{rule:?}"))
        {
            continue;
        }
        let campaign = campaign(20_000, Some(rule));
        let report = campaign.run(quietly);
        match &report.failure {
            Some(failure) => println!("== {rule:?} {failure:?}\n{}", campaign.explain(failure)),
            None => println!("== {rule:?}: NOT FOUND"),
        }
    }
    let _ = Broken::OneEpoch;
}
