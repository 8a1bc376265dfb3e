//! Access lists: one key owns everything, and nobody else can be let in. Clients send and read
//! these all the same.

use s3s::{
    S3Result,
    dto::{Grant, Grantee, Owner, Permission, Type},
    s3_error,
};

/// The name of the owner in answers.
const OWNER: &str = "wavetank";

/// Refuses a canned list that would let others in: to take it and do nothing would be worse.
pub(super) fn accept(canned: Option<&str>) -> S3Result<()> {
    match canned {
        None | Some("private" | "bucket-owner-full-control" | "bucket-owner-read") => Ok(()),
        Some(_) => Err(s3_error!(
            AccessControlListNotSupported,
            "objects belong to the one key of this endpoint: x-amz-acl is private, or absent"
        )),
    }
}

/// Who owns everything.
pub(super) fn owner() -> Owner {
    Owner { display_name: Some(OWNER.to_owned()), id: Some(OWNER.to_owned()) }
}

/// The list of everything.
pub(super) fn grants() -> Vec<Grant> {
    let grantee = Grantee {
        display_name: Some(OWNER.to_owned()),
        email_address: None,
        id: Some(OWNER.to_owned()),
        type_: Type::from_static(Type::CANONICAL_USER),
        uri: None,
    };
    let permission = Permission::from_static(Permission::FULL_CONTROL);
    vec![Grant { grantee: Some(grantee), permission: Some(permission) }]
}
