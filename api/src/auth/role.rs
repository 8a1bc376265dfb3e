//! What a caller may do.
use std::fmt;

/// The role of a key. What each may do is declared by the resources (`http/access.rs`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Everything, the clock and the keys of others included; never bound to a tenant.
    Admin,
    /// Reads, and asks for builds, scans and evaluations.
    Editor,
    /// Reads.
    Viewer,
    /// Finishes the builds that are made outside, and reads builds.
    Orchestrator,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 4] = [Role::Admin, Role::Editor, Role::Viewer, Role::Orchestrator];

    /// The role as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Editor => "editor",
            Role::Viewer => "viewer",
            Role::Orchestrator => "orchestrator",
        }
    }

    /// The role of that name.
    pub fn parse(text: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
