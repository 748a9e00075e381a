//! A verifier: a service behind that fetches the set, keeps it, and verifies tokens with it.

use super::{
    promises::Broken,
    random::Random,
    scenario::{SECOND, Scenario, Tick, VerifierPlan},
    timeline::{Who, kids_of, seconds},
    token::{Answer, Token},
    world::{Event, World},
};

pub(super) struct Verifier {
    pub(super) ahead: Tick,
    pub(super) asks: usize,
    ignores_ages: bool,
    delay: Tick,
    /// What it verifies with. It does not fetch again because of a key that it does not know.
    set: Option<Answer>,
    is_fetching: bool,
    random: Random,
}

impl Verifier {
    pub(super) fn new(scenario: &Scenario, place: usize, plan: &VerifierPlan) -> Self {
        Self {
            ahead: plan.ahead,
            asks: plan.asks,
            ignores_ages: plan.ignores_ages,
            delay: plan.delay.min(scenario.times.grace * SECOND),
            set: None,
            is_fetching: false,
            random: Random::part(scenario.seed, 0x100 + place as u64),
        }
    }

    fn current(&self, now: Tick) -> Option<&Answer> {
        self.set.as_ref().filter(|set| now < set.kept_until)
    }
}

impl World<'_> {
    pub(super) fn look(&mut self, place: usize) {
        let now = self.now;
        let verifier = &mut self.verifiers[place];
        let next = match self.scenario.jitter {
            true => now + verifier.random.between(1..=6),
            false => now + 1,
        };
        let fetch = !verifier.is_fetching && verifier.current(now).is_none();
        self.push(next, Event::Look(place));
        self.forget_expired();
        if fetch {
            self.fetch(place);
        }
    }

    /// Asks the replicas in turn, until one answers.
    fn fetch(&mut self, place: usize) {
        let first = self.verifiers[place].asks;
        let replicas = self.replicas.len();
        let mut in_turn = (0..replicas).map(|turn| (first + turn) % replicas);
        let Some((answer, max_age)) = in_turn.find_map(|replica| self.publish(replica)) else {
            self.counts.unavailable += self.tokens.len() as u64;
            return;
        };
        let verifier = &mut self.verifiers[place];
        let times = &self.scenario.times;
        let kept = match verifier.ignores_ages {
            true => (times.max_age + times.grace) * SECOND,
            false => verifier.delay + max_age.as_secs() * SECOND,
        };
        let kept_until = self.now + kept;
        let answer = Answer {
            kept_until,
            ..answer
        };
        verifier.is_fetching = true;
        let arrives = self.now + verifier.delay;
        self.note_fetch(place, &answer);
        self.check_revoked(place, &answer);
        self.push(arrives, Event::Answer(place, answer));
    }

    /// Only what it did not have before is worth a line.
    fn note_fetch(&mut self, place: usize, answer: &Answer) {
        let before = self.verifiers[place].set.as_ref();
        if before.is_none_or(|set| set.kids != answer.kids || set.from != answer.from) {
            self.note(Who::Verifier(place), || {
                let (kids, until) = (kids_of(&answer.kids), seconds(answer.kept_until));
                let Answer { from, epoch, .. } = answer;
                format!(
                    "fetches {kids} (epoch {epoch}) from replica {from}, and keeps it until {until}"
                )
            });
        }
    }

    fn check_revoked(&mut self, place: usize, answer: &Answer) {
        for kid in &answer.kids {
            let Some(revocation) = self.store.revocation(*kid).copied() else {
                continue;
            };
            let promise = &revocation.promise;
            let longest =
                promise.propagation + promise.clock_skew + promise.max_age + promise.grace;
            let too_old = revocation.at + longest.as_secs() * SECOND;
            if answer.kept_until > too_old {
                let until = seconds(answer.kept_until);
                let (revoked, too_old) = (seconds(revocation.at), seconds(too_old));
                self.fail(Broken::RevokedIsRefused, || {
                    format!(
                        "verifier {place} accepts k{kid} until {until}, which was revoked at {revoked}, \
                         and is to be accepted until {too_old} at most"
                    )
                });
            }
        }
    }

    pub(super) fn keep(&mut self, place: usize, answer: Answer) {
        let verifier = &mut self.verifiers[place];
        verifier.set = Some(answer);
        verifier.is_fetching = false;
        self.verify_all(place, true);
    }

    /// Verifies all tokens that are alive. What a verifier says of a token changes when it has another set,
    /// when its clock steps, and not between; and no token is newer than itself.
    pub(super) fn verify_all(&mut self, place: usize, set_is_new: bool) {
        let mut tokens = std::mem::take(&mut self.tokens);
        for token in &tokens {
            self.verify(place, token, set_is_new);
        }
        std::mem::swap(&mut self.tokens, &mut tokens);
    }

    /// Verifies a token with the set that the verifier has just got, or with one that may be too old.
    pub(super) fn verify(&mut self, place: usize, token: &Token, set_is_new: bool) {
        let verifier = &self.verifiers[place];
        let set = match set_is_new {
            true => verifier.set.as_ref(),
            false => verifier.current(self.now),
        };
        let Some(set) = set else { return };
        if token.expires_at <= self.clock(verifier.ahead) {
            return;
        }
        self.counts.verifications += 1;
        if set.kids.contains(&token.kid) || self.store.revocation(token.kid).is_some() {
            return;
        }
        let set = set.clone();
        let Token {
            kid,
            minted_by,
            minted,
            ..
        } = *token;
        let minted = seconds(minted);
        self.fail(Broken::EveryTokenVerifies, || {
            format!(
                "verifier {place} refuses a token of k{kid}, which replica {minted_by} minted at {minted}: it has \
                 {} (epoch {}), which replica {} answered at {}, and keeps it until {}",
                kids_of(&set.kids),
                set.epoch,
                set.from,
                seconds(set.answered),
                seconds(set.kept_until)
            )
        });
    }

    /// Forgets the tokens that are expired by any clock.
    fn forget_expired(&mut self) {
        let slowest = self.clock(0);
        self.tokens.retain(|token| token.expires_at > slowest);
    }
}
