//! A record that the kernel tells, in the place of the small world's: played in the test by `sim`.
use sim::World;
use sim::fact::Fact;
use sim::time::{SimDuration, SimTime};
use sqlx::PgPool;
use std::sync::Arc;

/// Makes the record that of a bundled scenario some days after its start, and gives its world.
pub(crate) async fn record(pool: &PgPool, name: &str, days: i64) -> World {
    let bundled = sim::bundled::BUNDLED.iter().find(|scenario| scenario.name == name).unwrap();
    let scenario = sim::scenario::parse(name, bundled.text.as_bytes()).unwrap();
    let (seed, start) = (scenario.seed, scenario.start.time());
    let mut world = World::new(Arc::new(scenario), seed);
    let mut facts: Vec<Fact> = Vec::new();
    let at = start + SimDuration::days(days);
    if days > 0 {
        world.advance(at, &mut |fact| facts.push(fact));
    }
    let date = |at: SimTime| at.to_datetime().unwrap();
    let fingerprint = jobs::conductor::fingerprint(&facts).unwrap();
    let change = "UPDATE world SET name = $1, scenario = $2, seed = $3, starts_at = $4,
        released_through = $5, released_seq = $6, released_fingerprint = $7,
        materialized_through = $5, materialized_seq = $6";
    sqlx::query(change)
        .bind(name)
        .bind(bundled.text)
        .bind(seed.cast_signed())
        .bind(date(start))
        .bind(date(at))
        .bind(facts.last().map_or(0, |fact| fact.seq as i64))
        .bind(fingerprint)
        .execute(pool)
        .await
        .unwrap();
    world
}
