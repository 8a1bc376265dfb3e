//! Studies on workers: asked for over the API, cut into batches, played by any number of processes on
//! any machine, and put together in the one order that counts. So the result is the same, byte for byte,
//! as that of one thread.
//!
//! Studies stand beside the world: they need none, wait for none, and stop no clock. Their batches come
//! from no facts and are in no ledger; the rows of `store::studies::parts` take its place. One **director**
//! in all processes ([`director`]) begins studies, hands out the batches of a round, counts what was
//! played, asks for the next round, and stores the documents. **Players** ([`player`]), a queue of their
//! own in every process that works, play what is handed out. Neither has anything that the database does
//! not have: a director that dies is followed by another, which counts the same batches again, and a
//! batch whose player dies is handed out anew and comes out the same.
mod assembly;
mod cache;
mod director;
mod documents;
mod outcome;
mod player;

pub(crate) use director::Director;
pub(crate) use player::Player;

use serde::{Deserialize, Serialize};
use std::time::Duration;
use store::studies::parts::PartKey;
use study::arms::{Compiled, Source, compile};
use study::result::ScenarioText;

/// What errors call a study that comes over the API.
pub const FILE_NAME: &str = "study";

/// How patient the director is.
#[derive(Clone, Copy, Debug)]
pub struct StudyTimeouts {
    /// After which time a batch that was fetched and that nobody plays counts as lost.
    pub lost: Duration,
    /// How long it waits after the object store has failed, at first; twice as long each time, up to a
    /// minute.
    pub store_again: Duration,
}

impl Default for StudyTimeouts {
    fn default() -> Self {
        StudyTimeouts { lost: Duration::from_secs(10), store_again: Duration::from_secs(1) }
    }
}

/// A batch on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Wire {
    study: i64,
    round: i32,
    place: i32,
}

impl From<Wire> for PartKey {
    fn from(wire: Wire) -> Self {
        PartKey { study: wire.study, round: wire.round, place: wire.place }
    }
}

/// Makes a stored study ready to be played.
///
/// # Errors
/// What is wrong with it: it was right when it was asked for, under another release perhaps.
fn compile_stored(text: &store::studies::running::Text) -> Result<Compiled, String> {
    let scenarios: Vec<ScenarioText> = serde_json::from_value(text.scenarios.clone())
        .map_err(|error| format!("its scenarios are stored in another form: {error}"))?;
    let load = |name: &str| {
        let found = scenarios.iter().find(|scenario| scenario.name == name);
        let found = found.ok_or_else(|| format!("the scenario {name:?} is not stored with it"))?;
        Ok((name.to_owned(), found.text.clone().into_bytes()))
    };
    let source = Source { file_name: FILE_NAME, bytes: text.study.as_bytes() };
    compile(source, &load).map_err(|error| error.to_string())
}
