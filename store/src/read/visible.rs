//! What a tenant sees of a list: its own entries and those of the shared catalogue. Row security
//! says so too, but only by passing over the entries of all others.
use super::Direction;
use sim::catalogue::SHARED_NAMESPACE;
use sqlx::{Postgres, QueryBuilder};

/// Whose entries are listed.
#[derive(Clone, Copy, Debug, Default)]
pub enum Visible<'a> {
    /// Everybody's that the session may see.
    #[default]
    All,
    /// Those of one namespace.
    Of(&'a str),
    /// A tenant's own and the catalogue's.
    To(&'a str),
}

impl<'a> Visible<'a> {
    /// What a caller (a tenant, or the platform) sees, or of that only one namespace.
    pub fn new(caller: Option<&'a str>, only: Option<&'a str>) -> Self {
        match (only, caller) {
            (Some(namespace), _) => Visible::Of(namespace),
            (None, Some(tenant)) => Visible::To(tenant),
            (None, None) => Visible::All,
        }
    }

    /// Writes a list in the order of `keys` of the alias `alias`, each part of it by `part`: from
    /// SELECT to its conditions, of a namespace if one is given.
    pub(super) fn list(
        self,
        query: &mut QueryBuilder<Postgres>,
        (alias, keys): (&str, &[&str]),
        direction: Direction,
        limit: i64,
        part: impl Fn(&mut QueryBuilder<Postgres>),
    ) {
        let namespace = format!("{alias}.tenant_namespace");
        let end = |query: &mut QueryBuilder<Postgres>, keys: &[&str]| {
            query.push(direction.order(keys)).push(" LIMIT ").push(limit);
        };
        match self {
            Visible::All => {
                part(query);
                end(query, keys);
            }
            // In the order of the index that has the namespaces apart: the planner would read all.
            Visible::Of(only) => {
                part(query);
                query.push(format!(" AND {namespace} BETWEEN ")).push_bind(only.to_owned());
                query.push(" AND ").push_bind(only.to_owned());
                end(query, &[&[namespace.as_str()], keys].concat());
            }
            Visible::To(tenant) => {
                query.push(format!("SELECT {alias}.* FROM ("));
                for (n, of) in [tenant, SHARED_NAMESPACE].into_iter().enumerate() {
                    query.push(if n == 0 { "(" } else { " UNION ALL (" });
                    part(query);
                    query.push(format!(" AND {namespace} = ")).push_bind(of.to_owned());
                    end(query, keys);
                    query.push(")");
                }
                query.push(format!(") {alias}"));
                end(query, keys);
            }
        }
    }
}
