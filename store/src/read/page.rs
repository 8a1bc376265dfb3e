//! A page of a list and the length of the whole list, from one statement: where finding the entries
//! is expensive, it is done once for both.
use super::TOTAL_BOUND;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder, Row};

/// The bound of a total whose entries are expensive to find: a page of the usual size. (A larger page
/// is still counted to its end.)
pub(super) const EXPENSIVE_COUNT_BOUND: i64 = 25;

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows of the page.
    pub rows: Vec<T>,
    /// How many the list has on all pages.
    pub total: Total,
}

/// How many entries a list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// How many, as far as was counted.
    pub count: i64,
    /// Whether that is all.
    pub exact: bool,
}

impl Total {
    /// From a count that went one beyond the bound, if there was more.
    pub const fn bounded(counted: i64, bound: i64) -> Self {
        if counted > bound {
            Total { count: bound, exact: false }
        } else {
            Total { count: counted, exact: true }
        }
    }
}

/// Which part of a list a statement reads.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slice {
    /// A page of so many rows, found once, before what is shown of them is looked up.
    Page(i64),
    /// How many there are, up to the bound of totals and one more. Nothing of a row is kept for it,
    /// so that an index may answer alone.
    Total,
}

impl Slice {
    /// Begins the common table expression `page`, which is what is read.
    pub(super) const fn page(self) -> &'static str {
        match self {
            Slice::Page(_) => "page AS MATERIALIZED (",
            Slice::Total => "page AS (",
        }
    }

    /// How many rows are read.
    pub(super) const fn limit(self) -> i64 {
        match self {
            Slice::Page(limit) => limit,
            Slice::Total => TOTAL_BOUND + 1,
        }
    }
}

/// How far a list is counted.
pub(super) struct Bound(i64);

/// A row that says how many there are.
struct Counted<T>(T, i64);

impl<'r, T: FromRow<'r, PgRow>> FromRow<'r, PgRow> for Counted<T> {
    fn from_row(row: &'r PgRow) -> sqlx::Result<Self> {
        Ok(Counted(T::from_row(row)?, row.try_get("total")?))
    }
}

/// Adds to a statement's common table expressions: `page`, the rows that are to be shown, and
/// `total`, a number `n`. `list` writes the list from a place on (none: its beginning), in order,
/// with a limit. (What a lateral join finds comes in the order of its left side. Where that is the
/// list's order it is not sorted again, so that the limit ends the search.)
///
/// The first page is cut from what was found for the total. (Rows of a materialized expression are
/// read in the order in which they were found.) Counts up to `bound`, or as far as the page
/// reaches, and says how far that is.
pub(super) fn find<P>(
    query: &mut QueryBuilder<Postgres>,
    bound: i64,
    after: Option<P>,
    limit: i64,
    list: impl Fn(&mut QueryBuilder<Postgres>, Option<P>, i64),
) -> Bound {
    let counted = limit.max(bound + 1);
    query.push("found AS MATERIALIZED (");
    list(query, None, counted);
    query.push("), total AS (SELECT count(*) AS n FROM found), page AS MATERIALIZED (");
    match after {
        None => _ = query.push("SELECT * FROM found LIMIT ").push(limit),
        Some(_) => list(query, after, limit),
    }
    query.push(") ");
    Bound(counted - 1)
}

/// The same where finding costs next to nothing, but order does: `all` writes the list in no order,
/// with a limit, and only the page is put in order.
pub(super) fn find_cheap(
    query: &mut QueryBuilder<Postgres>,
    bound: i64,
    limit: i64,
    all: impl Fn(&mut QueryBuilder<Postgres>, i64),
    page: impl Fn(&mut QueryBuilder<Postgres>, i64),
) -> Bound {
    let counted = limit.max(bound + 1);
    query.push("total AS (SELECT count(*) AS n FROM (");
    all(query, counted);
    query.push(") found), page AS MATERIALIZED (");
    page(query, limit);
    query.push(") ");
    Bound(counted - 1)
}

/// Runs a statement that shows `(SELECT n FROM total) AS total` beside each row.
pub(super) async fn fetch<T>(
    conn: &mut PgConnection,
    mut query: QueryBuilder<Postgres>,
    Bound(bound): Bound,
) -> sqlx::Result<Page<T>>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let rows: Vec<Counted<T>> = query.build_query_as().fetch_all(conn).await?;
    let total = Total::bounded(rows.first().map_or(0, |row| row.1), bound);
    Ok(Page { rows: rows.into_iter().map(|row| row.0).collect(), total })
}
