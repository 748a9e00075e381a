//! Requests at a steady pace, to each gateway that is there.

use crate::{
    Failure,
    callers::Callers,
    checks::Checks,
    documents::PATH,
    fleet::{Fleet, GATEWAYS, Life},
    http::get,
    jwt::Jwt,
    rotations::Rotations,
    tally::Tally,
};
use http::StatusCode;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

/// From one request to the next, at one gateway.
const PACE: Duration = Duration::from_millis(40);
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Load {
    tasks: Vec<JoinHandle<()>>,
    ending: Arc<AtomicBool>,
}

/// What the requests go through.
#[derive(Clone)]
pub(crate) struct Course {
    pub(crate) fleet: Arc<Fleet>,
    pub(crate) callers: Arc<Callers>,
    pub(crate) rotations: Arc<Rotations>,
    pub(crate) checks: Arc<Checks>,
    pub(crate) tally: Arc<Tally>,
}

impl Load {
    /// One request at a time at each gateway, so that the order of the answers is that of the signatures.
    pub(crate) fn start(course: &Course) -> Self {
        let ending = Arc::new(AtomicBool::new(false));
        let tasks = (0..GATEWAYS).map(|gateway| {
            let (course, ending) = (course.clone(), Arc::clone(&ending));
            tokio::spawn(async move {
                let mut pace = interval(PACE);
                pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
                while !ending.load(Ordering::Relaxed) {
                    pace.tick().await;
                    if let Some(life) = course.fleet.life(gateway) {
                        course.request(gateway, life).await;
                    }
                }
            })
        });
        Self {
            tasks: tasks.collect(),
            ending,
        }
    }

    pub(crate) async fn end(self) {
        self.ending.store(true, Ordering::Relaxed);
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

impl Course {
    async fn request(&self, gateway: usize, life: Life) {
        let number = gateway + 1;
        match self.backend_jwt(life).await {
            Ok(jwt) => {
                if let Err(keys) = self.rotations.signed(gateway, life, &jwt.kid) {
                    self.tally
                        .failed(format_args!("gateway {number} went back by {keys} keys"));
                }
                self.checks.follow(gateway, jwt);
            }
            // What was under way when it was killed is nobody's fault.
            Err(_) if self.fleet.life(gateway) != Some(life) => {}
            Err(error) => self.tally.failed(format_args!("gateway {number}: {error}")),
        }
    }

    async fn backend_jwt(&self, life: Life) -> Result<Jwt, Failure> {
        let authorization = format!("Bearer {}", self.callers.token()?);
        let fields = [("authorization", authorization.as_str())];
        let answer = get(life.address, PATH, &fields, PATIENCE).await?;
        if answer.status() != StatusCode::OK {
            return Err(format!("a request was answered {}", answer.status()).into());
        }
        Jwt::read(answer.into_body())
    }
}
