//! The order of lists of what happens: the latest first, or the earliest.
use store::read::Direction;

/// A parameter `order_by` whose values are the name of a field, and the same with `-` before it.
macro_rules! order_by {
    ($(#[$doc:meta])* $name:ident: $earliest:tt, $latest:tt) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, poem_openapi::Enum)]
        pub(crate) enum $name {
            /// The earliest first.
            #[oai(rename = $earliest)]
            Earliest,
            /// The latest first.
            #[oai(rename = $latest)]
            Latest,
        }

        impl From<$name> for store::read::Direction {
            fn from(order: $name) -> Self {
                match order {
                    $name::Earliest => store::read::Direction::Ascending,
                    $name::Latest => store::read::Direction::Descending,
                }
            }
        }
    };
}

order_by! {
    /// By when it was asked for.
    ByRequested: "requested_at", "-requested_at"
}
order_by! {
    /// By when it was detected.
    ByDetected: "detected_at", "-detected_at"
}
order_by! {
    /// By when it was published.
    ByPublished: "published_at", "-published_at"
}
order_by! {
    /// By when it was recorded.
    ByRecorded: "recorded_at", "-recorded_at"
}
order_by! {
    /// By when it happened.
    ByTime: "at", "-at"
}

/// The direction that a parameter asks for; the latest first when it is absent.
pub(crate) fn direction(order: Option<impl Into<Direction>>) -> Direction {
    order.map_or_else(Direction::default, Into::into)
}
