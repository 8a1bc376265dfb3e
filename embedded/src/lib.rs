//! The services Wavetank brings along, so that one command is enough to start: a private
//! PostgreSQL cluster and an S3 endpoint, both inside one data directory.
//!
//! They are real: the same sqlx and S3 client code talks to them as to a database server or an
//! object store elsewhere. `DATABASE_URL` and `S3_ENDPOINT` replace them, one or both.
//!
//! ```text
//! <data-dir>/wavetank.lock     held while a process uses the directory
//! <data-dir>/postgres/         the cluster          <data-dir>/postgres.log  what it says
//! <data-dir>/s3/               objects and the key that signs requests for them
//! ```
#![cfg_attr(not(test), deny(clippy::cast_possible_truncation, clippy::cast_sign_loss))]

mod data_dir;
mod error;
mod postgres;
mod s3;

pub use data_dir::DataDir;
pub use error::EmbeddedError;
pub use postgres::{EmbeddedPostgres, PostgresOptions};
pub use s3::{Durability as S3Durability, EmbeddedS3};
