//! Lines on standard error, for people. Where nobody reads them any more (`wavetank run ... 2>&1 |
//! head`) nothing fails: the command is asked to stop, as any other program would have been.
use std::fmt::Arguments;
use std::io::{ErrorKind, Write};
use std::sync::LazyLock;
use tokio_util::sync::CancellationToken;

/// Cancelled when the reader of standard error has gone away.
pub(super) static UNREAD: LazyLock<CancellationToken> = LazyLock::new(CancellationToken::new);

/// Writes a line.
pub(super) fn line(text: Arguments<'_>) {
    let written = writeln!(std::io::stderr().lock(), "{text}");
    if written.is_err_and(|error| error.kind() == ErrorKind::BrokenPipe) {
        UNREAD.cancel();
    }
}

/// Tells people something, on standard error.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::cli::say::line(format_args!($($text)*))
    };
}
pub(super) use say;
