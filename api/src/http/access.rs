//! Who may call what, as each resource declares it.
use crate::auth::Role;
use crate::http::state::ApiState;

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody, without a key.
    Public,
    /// Whoever can sign it: the operation checks that itself.
    Signed,
    /// Every key but an orchestrator's.
    Read,
    /// Every key.
    Builds,
    /// Who may ask for work: editors and admins.
    Edit,
    /// Who finishes builds that are made outside, and admins.
    Orchestrate,
    /// The platform's own keys, but an orchestrator's: no tenant's.
    PlatformRead,
    /// The platform's own editors, and admins: no tenant's.
    PlatformEdit,
    /// Admins alone.
    Admin,
}

impl Access {
    /// The roles whose keys may call; none: no key is needed.
    pub(crate) const fn roles(self) -> Option<&'static [Role]> {
        match self {
            Access::Public | Access::Signed => None,
            Access::Read | Access::PlatformRead => Some(&[Role::Admin, Role::Editor, Role::Viewer]),
            Access::Builds => Some(&Role::ALL),
            Access::Edit | Access::PlatformEdit => Some(&[Role::Admin, Role::Editor]),
            Access::Orchestrate => Some(&[Role::Admin, Role::Orchestrator]),
            Access::Admin => Some(&[Role::Admin]),
        }
    }

    /// Whether keys of tenants may not call, whatever their role.
    pub(crate) const fn is_of_platform(self) -> bool {
        matches!(self, Access::PlatformRead | Access::PlatformEdit)
    }
}

/// A resource of the API: its operations, declared beside them, and who may call each. The
/// specification shows it (`x-roles`), the authorizer enforces it, and a test fails for an operation
/// that no resource lists.
pub(crate) trait Resource: poem_openapi::OpenApi {
    /// The ids of the operations, each with who may call it.
    const OPERATIONS: &'static [(&'static str, Access)];

    /// The endpoints, with what they work with.
    fn new(state: &ApiState) -> Self;
}
