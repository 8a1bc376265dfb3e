//! What is run, as a part of queries: every list that asks who runs something asks by the same indexes.
use super::Moment;

/// What is run of an image, or by a customer (`of`: the condition on one of them), as `u`. (IS TRUE:
/// no index is to be read for what holds for nearly all.)
pub(super) fn in_use(moment: Moment, of: &str) -> String {
    in_use_in_order(moment, of, "")
}

/// The same in an order (` ORDER BY ...`), so that the first rows come from an index without the
/// others.
pub(super) fn in_use_in_order(moment: Moment, of: &str, order: &str) -> String {
    if moment.newest {
        return format!(
            "(SELECT u.* FROM customer_image_usage u
              WHERE u.valid_to IS NULL AND (u.valid_from <= $1) IS TRUE AND u.{of}{order}
              OFFSET 0) u"
        );
    }
    format!(
        "(SELECT u.* FROM customer_image_usage u
          WHERE CASE WHEN u.valid_to IS NULL THEN 'infinity' ELSE u.valid_to END > $1
            AND u.valid_from <= $1 AND u.{of}{order} OFFSET 0) u"
    )
}
