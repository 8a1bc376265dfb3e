//! The rows that a release writes because the kernel alone decides them: builds as they wait and
//! run, images added by commands, and triage decisions.
//!
//! A build goes through several facts in one window; its row is written once, as the last one
//! leaves it.
use crate::catalogue::{SHARED_NAMESPACE, array_literal, image_packages};
use crate::db::instant;
use crate::error::Error;
use sim::fact::{Cause, Justification, NewImage};
use sim::ids::{AdvisoryId, BuildId, ImageId};
use sim::time::SimTime;
use sqlx::PgConnection;

/// The state of a build at the end of a window. A field that is `None` keeps its stored value.
#[derive(Clone, Debug, Default)]
pub struct BuildState {
    /// What is known when the window tells it: image, cause, and when it was asked for.
    pub request: Option<(ImageId, Cause, SimTime)>,
    /// `pending`, `running`, `merged` or `finishing`.
    pub status: &'static str,
    /// When the first attempt began.
    pub started: Option<SimTime>,
    /// When attempts flaked: those of this window, which are added to the stored ones.
    pub flaked: Vec<SimTime>,
    /// When the attempts after them began; added likewise.
    pub restarted: Vec<SimTime>,
    /// When it ended: without running, or with documents still to be made.
    pub finished: Option<SimTime>,
    /// How many attempts began.
    pub attempts: Option<u32>,
    /// The builder's name.
    pub builder: Option<String>,
    /// The build that covers it.
    pub merged_into: Option<BuildId>,
}

fn maybe(at: Option<SimTime>) -> Result<Option<chrono::DateTime<chrono::Utc>>, Error> {
    at.map(instant).transpose()
}

/// Instants as the text of an array: Postgres takes no array of arrays of different lengths.
fn instants(ats: &[SimTime]) -> Result<String, Error> {
    let texts = ats.iter().map(|at| Ok(instant(*at)?.to_rfc3339()));
    Ok(format!("{{{}}}", texts.collect::<Result<Vec<_>, Error>>()?.join(",")))
}

/// Writes the states of builds: those requested (or bootstrapped) in the window, and earlier ones.
pub async fn builds(
    conn: &mut PgConnection,
    states: &[(BuildId, BuildState)],
) -> Result<(), Error> {
    let new: Vec<_> = states.iter().filter(|(_, state)| state.request.is_some()).collect();
    if !new.is_empty() {
        insert_builds(conn, &new).await?;
    }
    // Attempts are added to those of before, which a row that is inserted knows nothing of.
    let known = |state: &BuildState| {
        state.request.is_none() || !state.flaked.is_empty() || !state.restarted.is_empty()
    };
    let known: Vec<_> = states.iter().filter(|(_, state)| known(state)).collect();
    if known.is_empty() { Ok(()) } else { update_builds(conn, &known).await }
}

type States<'a> = [&'a (BuildId, BuildState)];

async fn insert_builds(conn: &mut PgConnection, new: &States<'_>) -> Result<(), Error> {
    let request = || new.iter().filter_map(|(_, state)| state.request.as_ref());
    let causes = request().map(|(_, cause, _)| encode(cause)).collect::<Result<Vec<_>, _>>()?;
    let requested = request().map(|(_, _, at)| instant(*at)).collect::<Result<Vec<_>, _>>()?;
    let started = new.iter().map(|(_, s)| maybe(s.started)).collect::<Result<Vec<_>, _>>()?;
    let finished = new.iter().map(|(_, s)| maybe(s.finished)).collect::<Result<Vec<_>, _>>()?;
    // The API may have written the row as pending already; its instants were provisional.
    sqlx::query(
        "INSERT INTO build_events AS b (id, image_id, tenant_namespace, trigger, cause, status,
             requested_at, started_at, finished_at, attempts, builder, merged_into)
         SELECT new.id, image, i.tenant_namespace, trigger, cause::jsonb, status, requested,
                started, finished, coalesce(attempts, 0), builder, merged
         FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[],
                     $6::timestamptz[], $7::timestamptz[], $8::timestamptz[], $9::integer[],
                     $10::text[], $11::bigint[])
              AS new (id, image, trigger, cause, status, requested, started, finished, attempts,
                      builder, merged)
         JOIN images i ON i.id = new.image
         ON CONFLICT (id) DO UPDATE SET
             cause = excluded.cause, trigger = excluded.trigger, status = excluded.status,
             requested_at = excluded.requested_at,
             started_at = coalesce(b.started_at, excluded.started_at),
             finished_at = coalesce(excluded.finished_at, b.finished_at),
             attempts = greatest(excluded.attempts, b.attempts),
             builder = coalesce(excluded.builder, b.builder),
             merged_into = coalesce(excluded.merged_into, b.merged_into)",
    )
    .bind(new.iter().map(|(id, _)| id.0 as i64).collect::<Vec<_>>())
    .bind(request().map(|(image, _, _)| i64::from(image.0)).collect::<Vec<_>>())
    .bind(request().map(|(_, cause, _)| cause.trigger().as_str()).collect::<Vec<_>>())
    .bind(causes)
    .bind(new.iter().map(|(_, s)| s.status).collect::<Vec<_>>())
    .bind(requested)
    .bind(started)
    .bind(finished)
    .bind(new.iter().map(|(_, s)| s.attempts.map(|n| n as i32)).collect::<Vec<_>>())
    .bind(new.iter().map(|(_, s)| s.builder.as_deref()).collect::<Vec<_>>())
    .bind(new.iter().map(|(_, s)| s.merged_into.map(|id| id.0 as i64)).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

async fn update_builds(conn: &mut PgConnection, known: &States<'_>) -> Result<(), Error> {
    let started = known.iter().map(|(_, s)| maybe(s.started)).collect::<Result<Vec<_>, _>>()?;
    let finished = known.iter().map(|(_, s)| maybe(s.finished)).collect::<Result<Vec<_>, _>>()?;
    let flaked = known.iter().map(|(_, s)| instants(&s.flaked)).collect::<Result<Vec<_>, _>>()?;
    let restarted = known.iter().map(|(_, s)| instants(&s.restarted));
    let restarted = restarted.collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "UPDATE build_events AS b SET
             status = new.status, started_at = coalesce(b.started_at, new.started),
             finished_at = coalesce(new.finished, b.finished_at),
             attempts = coalesce(new.attempts, b.attempts),
             builder = coalesce(new.builder, b.builder),
             merged_into = coalesce(new.merged, b.merged_into),
             flaked_at = b.flaked_at || new.flaked::timestamptz[],
             restarted_at = b.restarted_at || new.restarted::timestamptz[]
         FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::timestamptz[],
                     $5::integer[], $6::text[], $7::bigint[], $8::text[], $9::text[])
              AS new (id, status, started, finished, attempts, builder, merged, flaked, restarted)
         WHERE b.id = new.id",
    )
    .bind(known.iter().map(|(id, _)| id.0 as i64).collect::<Vec<_>>())
    .bind(known.iter().map(|(_, s)| s.status).collect::<Vec<_>>())
    .bind(started)
    .bind(finished)
    .bind(known.iter().map(|(_, s)| s.attempts.map(|n| n as i32)).collect::<Vec<_>>())
    .bind(known.iter().map(|(_, s)| s.builder.as_deref()).collect::<Vec<_>>())
    .bind(known.iter().map(|(_, s)| s.merged_into.map(|id| id.0 as i64)).collect::<Vec<_>>())
    .bind(flaked)
    .bind(restarted)
    .execute(conn)
    .await?;
    Ok(())
}

fn encode(cause: &Cause) -> Result<String, Error> {
    serde_json::to_string(cause).map_err(|source| Error::Encode { what: "cause", source })
}

/// An image that a command added, with what follows from it.
#[derive(Clone, Debug)]
pub struct CreatedImage<'a> {
    /// The fact.
    pub new: &'a NewImage,
    /// When.
    pub at: SimTime,
}

/// Writes images that commands added. The API wrote them already, with a provisional instant.
pub async fn images(conn: &mut PgConnection, images: &[CreatedImage<'_>]) -> Result<(), Error> {
    if images.is_empty() {
        return Ok(());
    }
    let ats = images.iter().map(|i| instant(i.at)).collect::<Result<Vec<_>, _>>()?;
    let main = |i: &CreatedImage<'_>| i.new.packages.first().map(|p| i64::from(p.0));
    let ids: Vec<i64> = images.iter().map(|i| i64::from(i.new.image.0)).collect();
    sqlx::query(
        "INSERT INTO images (id, name, description, base_image_id, depth, main_package_id,
             own_packages, tenant_namespace, created_at)
         SELECT new.id, new.name, '', base,
                coalesce((SELECT below.depth + 1 FROM images below WHERE below.id = base), 0),
                main, own::bigint[], coalesce(c.tenant_namespace, $8), at
         FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::text[],
                     $6::timestamptz[], $7::bigint[]) AS new (id, name, base, main, own, at, owner)
         LEFT JOIN customers c ON c.id = new.owner
         ORDER BY new.id
         ON CONFLICT (id) DO UPDATE SET
             depth = excluded.depth, main_package_id = excluded.main_package_id,
             own_packages = excluded.own_packages, created_at = excluded.created_at",
    )
    .bind(&ids)
    .bind(images.iter().map(|i| &*i.new.name).collect::<Vec<_>>())
    .bind(images.iter().map(|i| i.new.base.map(|b| i64::from(b.0))).collect::<Vec<_>>())
    .bind(images.iter().map(main).collect::<Vec<_>>())
    .bind(images.iter().map(|i| array_literal(&i.new.packages)).collect::<Vec<_>>())
    .bind(ats)
    .bind(images.iter().map(|i| i.new.owner.map(|o| i64::from(o.0))).collect::<Vec<_>>())
    .bind(SHARED_NAMESPACE)
    .execute(&mut *conn)
    .await?;
    Ok(image_packages(conn, &ids).await?)
}

/// Writes judgements of false positives.
pub async fn triages(
    conn: &mut PgConnection,
    triages: &[(ImageId, AdvisoryId, SimTime, Justification)],
) -> Result<(), Error> {
    if triages.is_empty() {
        return Ok(());
    }
    let ats = triages.iter().map(|(_, _, at, _)| instant(*at)).collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "INSERT INTO triages (image_id, advisory_id, at, justification, tenant_namespace)
         SELECT new.*, i.tenant_namespace
         FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::text[])
              AS new (image, advisory, at, justification)
         JOIN images i ON i.id = new.image
         ON CONFLICT DO NOTHING",
    )
    .bind(triages.iter().map(|(image, ..)| i64::from(image.0)).collect::<Vec<_>>())
    .bind(triages.iter().map(|(_, advisory, ..)| i64::from(advisory.0)).collect::<Vec<_>>())
    .bind(ats)
    .bind(triages.iter().map(|(.., why)| why.as_str()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes which findings are wrong, whether a scanner has made them yet or not: the answer key of
/// exports, which nothing in the world reads.
pub async fn false_positives(
    conn: &mut PgConnection,
    wrong: &[(ImageId, AdvisoryId)],
) -> Result<(), Error> {
    if wrong.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO false_positives (image_id, advisory_id)
         SELECT * FROM unnest($1::bigint[], $2::bigint[]) ON CONFLICT DO NOTHING",
    )
    .bind(wrong.iter().map(|(image, _)| i64::from(image.0)).collect::<Vec<_>>())
    .bind(wrong.iter().map(|(_, advisory)| i64::from(advisory.0)).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}
