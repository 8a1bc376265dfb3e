//! A wire between a browser and the API that can be cut: what goes over it is passed on as it is,
//! and what the browser sent can be read.
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

#[derive(Default)]
struct State {
    cut: AtomicBool,
    sent: Mutex<Vec<u8>>,
    open: Mutex<JoinSet<()>>,
}

/// The wire; it ends with the test.
pub(crate) struct Wire {
    /// Where the browser finds its end.
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

impl Wire {
    /// To an API.
    pub(crate) async fn to(api: SocketAddr) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<State>::default();
        let accepting = state.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if accepting.cut.load(Ordering::SeqCst) {
                    continue;
                }
                let (near_in, near_out) = near.into_split();
                let (far_in, far_out) = TcpStream::connect(api).await.unwrap().into_split();
                let mut open = accepting.open.lock().unwrap();
                open.spawn(pass(near_in, far_out, Some(accepting.clone())));
                open.spawn(pass(far_in, near_out, None));
            }
        });
        Wire { address, state }
    }

    /// All that goes over it ends, and nothing new begins.
    pub(crate) fn cut(&self) {
        self.state.cut.store(true, Ordering::SeqCst);
        self.state.sent.lock().unwrap().clear();
        self.state.open.lock().unwrap().abort_all();
    }

    /// It is whole again.
    pub(crate) fn mend(&self) {
        self.state.cut.store(false, Ordering::SeqCst);
    }

    /// What the browser has sent since it was cut the last time, in small letters.
    pub(crate) fn sent(&self) -> String {
        String::from_utf8_lossy(&self.state.sent.lock().unwrap()).to_lowercase()
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, kept: Option<Arc<State>>) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(read) = from.read(&mut bytes).await {
        if read == 0 || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
        if let Some(state) = &kept {
            state.sent.lock().unwrap().extend(&bytes[..read]);
        }
    }
}
