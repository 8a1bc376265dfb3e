//! What an event is about beyond its row of the timeline: the version of the image with its digest and
//! tags, and for a scan what was open in it. All of it as it was at the event's instant, so that it
//! reads the same for ever.
use sqlx::FromRow;

/// The particulars of an event.
#[derive(Clone, Debug, FromRow)]
pub struct EventDetails {
    /// The version it concerns; of a scan of one image, the one that was current.
    pub version: Option<i32>,
    /// The digest of that version.
    pub digest: Option<String>,
    /// The tags that it was published under.
    pub tags: Option<Vec<String>>,
    /// Critical advisories that were open in it, for a scan of one image.
    pub critical: Option<i64>,
    /// High ones.
    pub high: Option<i64>,
    /// Medium ones.
    pub medium: Option<i64>,
    /// Low ones.
    pub low: Option<i64>,
}

/// The columns of [`EventDetails`], of rows joined by [`JOINS`].
pub(super) const COLUMNS: &str = "v.version, v.digest, v.tags, s.critical, s.high, s.medium, s.low";

/// Joins the details to rows `t` of the timeline.
pub(super) const JOINS: &str = "
    LEFT JOIN LATERAL (
        SELECT CASE
            WHEN t.kind = 'scanned' THEN (
                SELECT max(known.version) FROM image_versions known
                WHERE known.image_id = t.image_id AND known.published_at <= t.at)
            WHEN t.kind IN ('build_finished', 'usage_changed', 'usage_ended',
                            'attestation_tampered')
                THEN (t.data ->> 'version')::integer
        END AS version) n ON true
    LEFT JOIN image_versions v ON v.image_id = t.image_id AND v.version = n.version
    LEFT JOIN LATERAL (
        SELECT coalesce(sum(c.critical), 0) AS critical, coalesce(sum(c.high), 0) AS high,
               coalesce(sum(c.medium), 0) AS medium, coalesce(sum(c.low), 0) AS low
        FROM finding_counts c
        WHERE c.image_id = v.image_id AND c.version = v.version AND c.at <= t.at
    ) s ON t.kind = 'scanned' AND v.version IS NOT NULL";
