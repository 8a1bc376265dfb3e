//! Answers that are expensive to compute are kept for as long as they hold, and worked out once for
//! all who wait for them.
use crate::http::snapshot::Snapshot;
use chrono::{DateTime, Utc};
use lru::LruCache;
use std::collections::hash_map::RandomState;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many answers are kept; the one that was not asked for the longest is forgotten first.
const ANSWERS: NonZeroUsize = NonZeroUsize::new(64).expect("it is not zero");
/// For so long the newest state's answer is given again, whatever has happened since.
const FRESH: Duration = Duration::from_secs(5);
/// For so long it is given to others while one caller works out the next.
const STALE: Duration = Duration::from_secs(60);

/// What an answer is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// The generation of the world: another world may have taken the place of the first.
    pub(crate) generation: i64,
    /// Whether the platform asks, which is told more than a tenant.
    pub(crate) platform: bool,
    /// Whom the answer is about; none: all.
    pub(crate) tenant: Option<String>,
    /// The question's parameter.
    pub(crate) extent: u32,
    /// The instant that was asked about; none: the newest state.
    pub(crate) as_of: Option<DateTime<Utc>>,
}

/// How long an answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// It may be another one the next time.
    Once,
    /// It spoke of the newest state, and says so with its instant.
    AWhile,
    /// It is about a settled instant.
    Ever,
}

impl Holds {
    /// How long what was read in a snapshot holds.
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        match (snapshot.moment.newest, snapshot.settled()) {
            (true, _) => Holds::AWhile,
            (false, true) => Holds::Ever,
            (false, false) => Holds::Once,
        }
    }
}

struct Slot<V> {
    answer: Mutex<Option<(Instant, Holds, V)>>,
    work: tokio::sync::Mutex<()>,
}

impl<V: Clone> Slot<V> {
    /// The answer if it still holds, or is at most so old.
    fn within(&self, age: Duration) -> Option<V> {
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, holds, value) = answer.as_ref()?;
        (*holds == Holds::Ever || since.elapsed() < age).then(|| value.clone())
    }
}

/// The answers to one question.
pub(crate) struct SingleFlight<V>(Mutex<LruCache<Key, Arc<Slot<V>>, RandomState>>);

impl<V> Default for SingleFlight<V> {
    fn default() -> Self {
        SingleFlight(Mutex::new(LruCache::with_hasher(ANSWERS, RandomState::new())))
    }
}

impl<V: Clone> SingleFlight<V> {
    fn slot(&self, key: Key) -> Arc<Slot<V>> {
        let new =
            || Arc::new(Slot { answer: Mutex::default(), work: tokio::sync::Mutex::default() });
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.get_or_insert(key, new))
    }

    /// The answer that is kept, or the one that `work` comes to. An error is not kept.
    pub(crate) async fn get<E>(
        &self,
        key: Key,
        work: impl Future<Output = Result<(V, Holds), E>>,
    ) -> Result<V, E> {
        let slot = self.slot(key);
        if let Some(value) = slot.within(FRESH) {
            return Ok(value);
        }
        let _working = match slot.work.try_lock() {
            Ok(working) => working,
            Err(_) => {
                if let Some(value) = slot.within(STALE) {
                    return Ok(value);
                }
                slot.work.lock().await
            }
        };
        if let Some(value) = slot.within(FRESH) {
            return Ok(value);
        }
        let (value, holds) = work.await?;
        if holds != Holds::Once {
            let mut answer = slot.answer.lock().unwrap_or_else(PoisonError::into_inner);
            *answer = Some((Instant::now(), holds, value.clone()));
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn key(tenant: Option<&str>, at: Option<i64>) -> Key {
        let as_of = at.and_then(DateTime::from_timestamp_micros);
        Key {
            generation: 0,
            platform: tenant.is_none(),
            tenant: tenant.map(str::to_owned),
            extent: 30,
            as_of,
        }
    }

    async fn ask(kept: &SingleFlight<u32>, calls: &AtomicU32, key: Key, holds: Holds) -> u32 {
        let work = async {
            let call = calls.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok::<_, ()>((call, holds))
        };
        kept.get(key, work).await.unwrap()
    }

    #[tokio::test]
    async fn sixteen_who_ask_at_once_cost_one() {
        let (kept, calls) = (SingleFlight::default(), AtomicU32::new(0));
        let asked = (0..16).map(|_| ask(&kept, &calls, key(None, None), Holds::AWhile));
        assert_eq!(futures::future::join_all(asked).await, [0; 16]);
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn tenants_instants_and_worlds_have_answers_of_their_own() {
        let (kept, calls) = (SingleFlight::default(), AtomicU32::new(0));
        for (n, key) in [key(None, None), key(Some("a"), None), key(Some("b"), None)]
            .into_iter()
            .chain([key(None, Some(1)), key(None, Some(2))])
            .chain([Key { generation: 1, ..key(None, None) }])
            .enumerate()
        {
            assert_eq!(ask(&kept, &calls, key.clone(), Holds::Ever).await, n as u32);
            assert_eq!(ask(&kept, &calls, key, Holds::Ever).await, n as u32);
        }
    }

    #[tokio::test]
    async fn what_may_change_is_worked_out_again() {
        let (kept, calls) = (SingleFlight::default(), AtomicU32::new(0));
        assert_eq!(ask(&kept, &calls, key(None, Some(1)), Holds::Once).await, 0);
        assert_eq!(ask(&kept, &calls, key(None, Some(1)), Holds::Once).await, 1);
    }

    #[tokio::test]
    async fn an_old_answer_serves_while_the_next_is_worked_out() {
        let (kept, calls) = (SingleFlight::default(), AtomicU32::new(0));
        let key = key(None, None);
        assert_eq!(ask(&kept, &calls, key.clone(), Holds::AWhile).await, 0);
        let age = |by: Duration| {
            let slot = kept.slot(key.clone());
            let mut answer = slot.answer.lock().unwrap();
            answer.as_mut().unwrap().0 = Instant::now().checked_sub(by).unwrap();
        };
        age(FRESH);
        let two = [(); 2].map(|()| ask(&kept, &calls, key.clone(), Holds::AWhile));
        assert_eq!(futures::future::join_all(two).await, [1, 0]);
        age(STALE);
        let two = [(); 2].map(|()| ask(&kept, &calls, key.clone(), Holds::AWhile));
        assert_eq!(futures::future::join_all(two).await, [2, 2]);
    }

    #[tokio::test]
    async fn an_error_is_not_kept() {
        let kept: SingleFlight<u32> = SingleFlight::default();
        let failed = kept.get(key(None, None), async { Err::<(u32, Holds), _>("no") }).await;
        assert_eq!(failed, Err("no"));
        let value = kept.get(key(None, None), async { Ok::<_, ()>((7, Holds::Ever)) }).await;
        assert_eq!(value, Ok(7));
    }
}
