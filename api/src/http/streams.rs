//! Open streams of events: how many there may be, for one key and in all, so that no caller takes
//! the room of the others.
use crate::http::limits::Limits;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What is open, by key.
pub(crate) struct Streams {
    all: usize,
    of_one_key: usize,
    open: Mutex<HashMap<String, usize>>,
}

/// Room for one stream, for as long as it is held.
pub(crate) struct Room {
    streams: Arc<Streams>,
    key: String,
}

impl Streams {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Streams {
            all: limits.streams,
            of_one_key: limits.streams_of_one_key,
            open: Mutex::default(),
        })
    }

    /// Room for one more stream of this key; none when it has as many as it may, or all have.
    pub(crate) fn room(self: &Arc<Self>, key: &str) -> Option<Room> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_this = open.get(key).copied().unwrap_or_default();
        if of_this >= self.of_one_key || open.values().sum::<usize>() >= self.all {
            return None;
        }
        open.insert(key.to_owned(), of_this + 1);
        Some(Room { streams: Arc::clone(self), key: key.to_owned() })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_leaves_room_for_others() {
        let limits = Limits { streams: 3, streams_of_one_key: 2, ..Limits::default() };
        let streams = Streams::new(&limits);
        let first = streams.room("a").unwrap();
        let _second = streams.room("a").unwrap();
        assert!(streams.room("a").is_none());
        let other = streams.room("b").unwrap();
        assert!(streams.room("c").is_none());
        drop(first);
        assert!(streams.room("c").is_some());
        drop(other);
        assert_eq!(*streams.open.lock().unwrap(), HashMap::from([("a".to_owned(), 1)]));
    }
}
