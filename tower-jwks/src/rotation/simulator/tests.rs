use super::{
    campaign::{Campaign, Report},
    generate,
    promises::Broken,
    run,
};
use crate::rotation::rule::Rule;
use std::{
    env,
    sync::atomic::{AtomicU64, Ordering},
};

/// What breaks without each rule.
const NEEDED: [(Rule, Broken); 21] = [
    (Rule::AnnounceForPropagation, Broken::EveryTokenVerifies),
    (Rule::AnnounceForMaxAge, Broken::EveryTokenVerifies),
    (Rule::AnnounceForGrace, Broken::EveryTokenVerifies),
    (Rule::AnnounceForSkew, Broken::EveryTokenVerifies),
    (Rule::AnnounceWhenRead, Broken::EveryTokenVerifies),
    (Rule::RetireForPropagation, Broken::EveryTokenVerifies),
    (Rule::RetireForTokenLife, Broken::EveryTokenVerifies),
    (Rule::RetireForSkew, Broken::EveryTokenVerifies),
    (Rule::RetireWhenRead, Broken::EveryTokenVerifies),
    (Rule::SignWithinLease, Broken::EveryTokenVerifies),
    (Rule::PublishWithinLease, Broken::EveryTokenVerifies),
    (Rule::LeaseFromTheQuestion, Broken::EveryTokenVerifies),
    (Rule::PublishTheUnion, Broken::EveryTokenVerifies),
    (Rule::EpochNeverDown, Broken::OneEpoch),
    (Rule::WriteOnlyOverWhatWasRead, Broken::OneEpoch),
    (Rule::PromiseFirst, Broken::EveryTokenVerifies),
    (Rule::OnlyTheFirstUnannounced, Broken::EveryTokenVerifies),
    (Rule::RevokedIsGone, Broken::RevokedIsRefused),
    (Rule::AnswerWithinPromise, Broken::EveryTokenVerifies),
    (Rule::RetiredStaysRetired, Broken::EveryTokenVerifies),
    (Rule::NotPastItsEnd, Broken::SignerIsPublished),
];

/// One with which what is rare comes early.
const SEED: u64 = 200_000;

const fn without(rule: Rule, broken: Broken) -> Campaign {
    Campaign {
        without: Some(rule),
        only: Some(broken),
        ..campaign(20_000)
    }
}

const fn campaign(schedules: u64) -> Campaign {
    Campaign {
        seed: SEED,
        schedules,
        without: None,
        only: None,
    }
}

fn quietly(_: &Report) {}

#[test]
fn no_schedule_breaks_a_promise() {
    let campaign = campaign(2_000);
    let report = campaign.run(quietly);
    if let Some(failure) = &report.failure {
        panic!("{failure:?}\n{}", campaign.explain(failure));
    }
    assert!(report.counts.tokens > 500_000, "{report}");
    assert!(report.counts.verifications > 1_000_000, "{report}");
}

#[test]
fn the_simulator_finds_what_breaks_without_each_rule() {
    for (rule, broken) in NEEDED {
        let report = without(rule, broken).run(quietly);
        let found = report.failure.map(|failure| failure.broken);
        assert_eq!(
            found,
            Some(broken),
            "without {rule:?}: {}",
            report.schedules
        );
    }
}

#[test]
fn a_break_is_told_by_what_led_to_it_and_little_else() {
    let campaign = without(Rule::SignWithinLease, Broken::EveryTokenVerifies);
    let failure = campaign.run(quietly).failure.expect("the rule is needed");
    let timeline = campaign.explain(&failure);
    let last = timeline.lines().last().unwrap();
    assert!(
        last.contains("BROKEN      verifier 0 refuses a token of k"),
        "{timeline}"
    );
    for event in [
        "signs from",
        "retired from",
        "gone",
        "fetches",
        "mints a token with",
    ] {
        assert!(timeline.contains(event), "{event}:\n{timeline}");
    }
    let kept_away = [
        "is cut off from the store",
        "is frozen",
        "its next read takes",
    ];
    assert!(
        kept_away.iter().any(|event| timeline.contains(event)),
        "{timeline}"
    );
    assert!(timeline.lines().count() < 60, "{timeline}");
}

/// All of them, for who wants to see why each rule is there.
#[test]
#[ignore = "prints what breaks without each rule"]
fn show_what_breaks_without_each_rule() {
    for (rule, broken) in NEEDED {
        let campaign = without(rule, broken);
        if let Some(failure) = campaign.run(quietly).failure {
            println!("\n=== without {rule:?}\n{}", campaign.explain(&failure));
        }
    }
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
        only: None,
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
    assert!(report.failure.is_none(), "a promise was broken");
}
