//! A remembered token is valid at the very times at which another is.

use super::*;
use serde_json::json;

#[tokio::test]
async fn at_every_time_a_remembered_token_counts_as_one_that_is_verified_then() {
    let now = NOW.as_secs();
    let tokens = [
        signed(&json!({})),
        signed(&json!({"iat": null})),
        signed(&json!({"nbf": now + 50})),
        signed(&json!({"nbf": now - 50, "iat": now - 20})),
        signed(&json!({"exp": now + 60})),
    ];
    let times = (now - 130..now + 130).chain(now + 550..now + 670);
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        for token in &tokens {
            for time in times.clone() {
                gateway.clock.set(NOW);
                gateway.ask(token).await.unwrap();
                let verified = gateway.source.verified();
                gateway.clock.set(UnixTime::from_secs(time));
                let remembered = gateway.ask(token).await.map(drop);
                assert_eq!(gateway.source.verified(), verified, "it is remembered");
                let now = gateway.verifier.verify(token).map(drop);
                let now = now.map_err(|refusal| (401, refusal.reason()));
                assert_eq!(remembered, now, "at {time}");
            }
        }
    }
}

#[tokio::test]
async fn a_remembered_token_ends_where_its_leeway_does_and_leaves_the_memory() {
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        let token = signed(&json!({}));
        gateway.ask(&token).await.unwrap();
        gateway.clock.set(after(NOW, 600 + 59));
        gateway.ask(&token).await.unwrap();
        assert_eq!(gateway.entries(), 1);
        gateway.clock.set(after(NOW, 600 + 60));
        let refused = gateway.ask(&token).await.unwrap_err();
        assert_eq!(refused, (401, R::Expired));
        assert_eq!(gateway.entries(), 0);
        assert_eq!(gateway.source.verified(), 1);
    }
}

#[tokio::test]
async fn a_clock_that_goes_back_refuses_it_for_as_long_as_that_lasts() {
    for (claim, refusal) in [("iat", R::IssuedInFuture), ("nbf", R::NotYetValid)] {
        for known_by in BOTH {
            let gateway = Gateway::new(known_by);
            let token = signed(&json!({"iat": null, claim: NOW.as_secs()}));
            gateway.ask(&token).await.unwrap();
            gateway
                .clock
                .set(NOW.saturating_sub(Duration::from_secs(61)));
            assert_eq!(gateway.ask(&token).await.unwrap_err(), (401, refusal));
            gateway
                .clock
                .set(NOW.saturating_sub(Duration::from_secs(60)));
            gateway.ask(&token).await.unwrap();
            assert_eq!(gateway.source.verified(), 1, "it was not forgotten");
        }
    }
}

#[tokio::test]
async fn the_leeway_is_that_of_the_verifier() {
    for known_by in BOTH {
        let (source, clock) = (Source::of(&[key(ALGORITHM)]), clock());
        let verifier = builder(&source, &clock).leeway(Duration::ZERO);
        let verifier = verifier.known_by(known_by).build().unwrap();
        let behind = Echo::new();
        let service = AccessTokenLayer::new(verifier).layer(behind.clone());
        let token = signed(&json!({}));
        let ask = async || ask(&service, &behind, get_with(&token)).await.map(drop);
        assert_eq!(ask().await, Ok(()));
        clock.set(after(NOW, 599));
        assert_eq!(ask().await, Ok(()));
        clock.set(after(NOW, 600));
        assert_eq!(ask().await, Err((401, R::Expired)));
    }
}
