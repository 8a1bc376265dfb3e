//! The published rules that the verdicts follow from.

/// A published text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// How envelopes are signed and verified.
    Dsse,
    /// What a bundle must hold.
    Bundle,
    /// What a client checks of a bundle.
    Client,
    /// What an entry of the log holds.
    LogEntry,
    /// How a proof of inclusion is verified.
    Inclusion,
    /// What a checkpoint says.
    Checkpoint,
    /// How a checkpoint is signed.
    SignedNote,
    /// What a trusted root says.
    TrustedRoot,
    /// What a statement is.
    Statement,
    /// What readers of statements do with what they do not know.
    Parsing,
    /// What a subject is.
    Resource,
    /// What a set of digests is.
    DigestSet,
    /// How protobuf messages are written in JSON.
    ProtoJson,
}

impl Rule {
    /// The text, and the part of it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Dsse => "DSSE protocol",
            Self::Bundle => "Sigstore bundle (sigstore_bundle.proto)",
            Self::Client => "Sigstore client specification, verification",
            Self::LogEntry => "Sigstore log entry (sigstore_rekor.proto)",
            Self::Inclusion => "RFC 9162, section 2.1.3.2",
            Self::Checkpoint => "C2SP tlog-checkpoint",
            Self::SignedNote => "C2SP signed-note",
            Self::TrustedRoot => "Sigstore trusted root (sigstore_trustroot.proto)",
            Self::Statement => "in-toto Statement v1",
            Self::Parsing => "in-toto attestation v1, parsing rules",
            Self::Resource => "in-toto ResourceDescriptor v1",
            Self::DigestSet => "in-toto DigestSet",
            Self::ProtoJson => "ProtoJSON",
        }
    }

    /// Where it is published.
    pub const fn url(self) -> &'static str {
        match self {
            Self::Dsse => "https://github.com/secure-systems-lab/dsse/blob/master/protocol.md",
            Self::Bundle => {
                "https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto"
            }
            Self::Client => {
                "https://github.com/sigstore/architecture-docs/blob/main/client-spec.md"
            }
            Self::LogEntry => {
                "https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_rekor.proto"
            }
            Self::Inclusion => "https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3.2",
            Self::Checkpoint => "https://c2sp.org/tlog-checkpoint",
            Self::SignedNote => "https://c2sp.org/signed-note",
            Self::TrustedRoot => {
                "https://github.com/sigstore/protobuf-specs/blob/main/protos/\
                 sigstore_trustroot.proto"
            }
            Self::Statement => {
                "https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md"
            }
            Self::Parsing => "https://github.com/in-toto/attestation/blob/main/spec/v1/README.md",
            Self::Resource => {
                "https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md"
            }
            Self::DigestSet => {
                "https://github.com/in-toto/attestation/blob/main/spec/v1/digest_set.md"
            }
            Self::ProtoJson => "https://protobuf.dev/programming-guides/json/",
        }
    }
}
