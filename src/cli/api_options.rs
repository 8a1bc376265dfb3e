//! How the API is served: where it listens, what signs its tokens, and its limits.
use super::metrics::MetricsOptions;
use crate::services::Services;
use anyhow::{Context, Result, bail};
use api::auth::TokenKey;
use api::{Limits, Settings};
use jobs::webhooks::AddressPolicy;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use telemetry::metrics::Metrics;
use tokio::net::TcpListener;

/// The file of the data directory that keeps the key of tokens.
const TOKEN_KEY_FILE: &str = "token.key";

#[derive(clap::Args, Clone, Debug)]
pub(super) struct ApiOptions {
    /// The address of the API. It speaks plain HTTP: beyond this machine, put a proxy with TLS
    /// before it.
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "WAVETANK_LISTEN",
        default_value = "127.0.0.1:8080",
        help_heading = "API"
    )]
    pub(super) listen: SocketAddr,
    /// What the API's tokens are signed with: at least 32 bytes, the same for all processes that
    /// serve one API. Without it: a key in the data directory, or one that this process makes up.
    #[arg(
        long,
        value_name = "SECRET",
        env = "WAVETANK_TOKEN_KEY",
        hide_env_values = true,
        help_heading = "API"
    )]
    token_key: Option<String>,
    /// How many requests of one API key are served a second, at length; four times as many at once.
    #[arg(
        long,
        value_name = "N",
        env = "WAVETANK_RATE_LIMIT",
        default_value = "200",
        help_heading = "API"
    )]
    rate_limit: NonZeroU32,
    /// Requests come through a proxy: take the client's address from the last entry of
    /// X-Forwarded-For.
    #[arg(long, env = "WAVETANK_BEHIND_PROXY", help_heading = "API")]
    behind_proxy: bool,
    /// Let anybody pull the images of the shared catalogue from the registry at /v2/; without it, every
    /// pull needs an API key as its password.
    #[arg(long, env = "WAVETANK_REGISTRY_ANONYMOUS", help_heading = "API")]
    registry_anonymous: bool,
    /// Let pages of this origin (https://host) call the API from a browser; can be repeated.
    #[arg(
        long = "allow-origin",
        value_name = "ORIGIN",
        env = "WAVETANK_ALLOW_ORIGIN",
        value_delimiter = ',',
        help_heading = "API"
    )]
    allowed_origins: Vec<String>,
    #[command(flatten, next_help_heading = "Webhooks")]
    pub(super) webhooks: AddressPolicy,
    #[command(flatten)]
    pub(super) metrics: MetricsOptions,
    /// Serve the pages from this directory (static/ of the sources) instead of those inside the
    /// program: for those who change them.
    #[arg(long, value_name = "DIR", env = "WAVETANK_STATIC_DIR", help_heading = "API")]
    static_dir: Option<PathBuf>,
}

impl ApiOptions {
    /// Takes the address, before anything slow begins.
    pub(super) async fn bind(&self) -> Result<TcpListener> {
        TcpListener::bind(self.listen).await.with_context(|| {
            format!(
                "cannot listen on {}\nhint: another program may use it; choose one with --listen \
                 127.0.0.1:8081, or any free one with --listen 127.0.0.1:0",
                self.listen
            )
        })
    }

    /// What signs tokens.
    pub(super) fn token_key(&self, services: &Services) -> Result<TokenKey> {
        if let Some(secret) = &self.token_key {
            return TokenKey::new(secret.as_bytes()).context(
                "WAVETANK_TOKEN_KEY is too short: it needs at least 32 bytes\n\
                 hint: make one with `openssl rand -hex 32`",
            );
        }
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        let mut secret = hex::encode(secret);
        if let Some(dir) = services.data_dir() {
            match dir.private(TOKEN_KEY_FILE)? {
                Some(kept) => secret = kept,
                None => dir.keep_private(TOKEN_KEY_FILE, &secret)?,
            }
        }
        let Some(key) = TokenKey::new(secret.trim().as_bytes()) else {
            bail!("{TOKEN_KEY_FILE} in the data directory is damaged\nhint: delete it");
        };
        Ok(key)
    }

    /// The same, with images of the shared catalogue for everybody.
    pub(super) fn with_anonymous_pulls(&self) -> Self {
        ApiOptions { registry_anonymous: true, ..self.clone() }
    }

    /// The rest, for the API.
    pub(super) fn settings(&self, metrics: &Metrics) -> Settings {
        Settings {
            limits: Limits { requests_per_second: self.rate_limit, ..Limits::default() },
            behind_proxy: self.behind_proxy,
            registry_anonymous: self.registry_anonymous,
            generated: Vec::new(),
            allowed_origins: self.allowed_origins.clone(),
            webhooks: self.webhooks,
            metrics: metrics.clone(),
            static_dir: self.static_dir.clone(),
        }
    }
}
