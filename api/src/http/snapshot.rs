//! One snapshot of the database and the instant that a request asks about.
use crate::http::problem::{Code, Problem};
use crate::http::time::Instant;
use sqlx::{PgConnection, Postgres, Transaction};
use store::read::Moment;
use store::read::world::Position;

/// One snapshot of the database and the instant that is asked about.
pub(crate) struct Snapshot {
    tx: Transaction<'static, Postgres>,
    /// Where the world stands.
    pub(crate) position: Position,
    /// What is asked about.
    pub(crate) moment: Moment,
}

impl Snapshot {
    pub(crate) fn new(
        tx: Transaction<'static, Postgres>,
        position: Position,
        moment: Moment,
    ) -> Self {
        Snapshot { tx, position, moment }
    }

    /// Speaks of this instant from now on.
    pub(crate) fn go_back(&mut self, as_of: Instant) -> Result<(), Problem> {
        let released = Instant::from(self.position.released_through);
        if as_of > released {
            let detail = format!("The world has come to {released}; {as_of} is later.");
            return Err(Problem::new(Code::AsOfInFuture, detail));
        }
        if let Some(from) = self.position.history_from.map(Instant::from).filter(|at| as_of < *at) {
            let detail = format!("History is kept from {from} on; {as_of} is earlier.");
            return Err(Problem::new(Code::AsOfBeforeHistory, detail));
        }
        self.moment = Moment { as_of: as_of.datetime(), newest: false };
        Ok(())
    }

    /// The connection to read on.
    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// The instant of the answer.
    pub(crate) fn as_of(&self) -> Instant {
        self.moment.as_of.into()
    }

    /// Whether the answer can never change again. Commands are taken at the instant up to which
    /// all is done, so that instant itself may still gain something.
    pub(crate) fn settled(&self) -> bool {
        !self.moment.newest && self.moment.as_of < self.position.materialized_through
    }
}
