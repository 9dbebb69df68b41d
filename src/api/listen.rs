//! Where requests are taken: connections, with a bound and with deadlines, until the service ends.
//!
//! ```text
//!  http ──────────────────────────────────► requests
//!  admin ─────────────────────────────────► requests of whoever runs it
//!  https ───── TLS ───────────────────────► requests
//!  connect ─── CONNECT host:port ──► https
//! ```
//!
//! Not by axum's own server, nor by `axum-server`: neither bounds connections, and neither takes one that comes out of
//! a tunnel.

use std::convert::Infallible;
use std::future::ready;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::HttpService;
use hyper::service::Service;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use hyper_util::service::TowerToHyperService;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt;
use rustls::ServerConfig;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::api::answered::Answered;
use crate::api::arrival::Arrival;
use crate::api::arrival::Stamped;
use crate::api::connect;
use crate::api::connections::Connections;
use crate::api::connections::Place;

/// Connections of each listener: far more than clients have that ask for something, and few enough descriptors.
const CONNECTIONS_MAX: usize = 512;

/// Longest that a TLS handshake may take.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);

/// Longest that the head of a request may take, and that a connection may be idle before it.
const HEAD_DEADLINE: Duration = Duration::from_secs(30);

/// Largest head of a request. A connection has no more than this in memory.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Longest that nothing of an answer may be taken by the other side, in milliseconds.
const STALL_MS: u32 = 30_000;

/// Longest that answers may take when the service ends.
const CLOSE_DEADLINE: Duration = Duration::from_secs(10);

/// How long nothing is accepted after that has failed: there is no room in the process, and trying is of no use.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What bytes of a connection come and go by.
trait Io: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Io for T {}

/// Where connections come from.
#[derive(Debug)]
pub struct Listeners {
    /// Requests without encryption.
    pub http: TcpListener,
    /// Requests with TLS.
    pub https: TcpListener,
    /// Requests of whoever runs the service, if they are wanted.
    pub admin: Option<TcpListener>,
    /// Tunnels to the service itself, if they are wanted.
    pub connect: Option<TcpListener>,
    /// Hosts, with their ports, that tunnels may be asked to.
    pub tunnelled: Vec<String>,
}

/// What connections are answered with.
struct Server {
    router: Router,
    admin: Router,
    tls: watch::Receiver<Arc<ServerConfig>>,
    secure: Arc<Connections>,
    tunnelled: Vec<String>,
    ended: watch::Receiver<()>,
}

/// What is spoken at a listener.
#[derive(Debug, Clone, Copy)]
enum Speaks {
    Http,
    Admin,
    Https,
    Connect,
}

/// Answers requests until `end` comes, and then until those have been answered that are being answered.
pub async fn serve(
    Listeners { http, https, admin, connect, tunnelled }: Listeners,
    router: Router,
    admin_router: Router,
    tls: watch::Receiver<Arc<ServerConfig>>,
    end: impl Future<Output = ()>,
) {
    let (ending, ended) = watch::channel(());
    let [plain, own, secure, tunnels] = [(); 4].map(|()| Connections::new(CONNECTIONS_MAX));
    let server = Arc::new(Server { router, admin: admin_router, tls, secure: Arc::clone(&secure), tunnelled, ended });
    let mut accepting = JoinSet::new();
    accepting.spawn(accept(http, Speaks::Http, plain, Arc::clone(&server)));
    accepting.spawn(accept(https, Speaks::Https, secure, Arc::clone(&server)));
    if let Some(admin) = admin {
        accepting.spawn(accept(admin, Speaks::Admin, own, Arc::clone(&server)));
    }
    if let Some(connect) = connect {
        accepting.spawn(accept(connect, Speaks::Connect, tunnels, Arc::clone(&server)));
    }
    drop(server);
    end.await;
    accepting.shutdown().await;
    ending.send_replace(());
    if timeout(CLOSE_DEADLINE, ending.closed()).await.is_err() {
        tracing::warn!("answers that took too long were cut off");
    }
}

async fn accept(listener: TcpListener, speaks: Speaks, places: Arc<Connections>, server: Arc<Server>) {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be taken");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some(place) = places.enter() else { continue };
        let prepared = stream.set_nodelay(true).and_then(|()| {
            // Longest that nothing is acknowledged, and that the other side's window is closed.
            setsockopt(&stream, sockopt::TcpUserTimeout, &STALL_MS)?;
            Stamped::new(stream)
        });
        let stream = match prepared {
            Ok(stream) => stream,
            Err(error) => {
                tracing::debug!(%error, "a connection is gone already");
                continue;
            }
        };
        let arrival = stream.arrival();
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            match speaks {
                Speaks::Http => server.answer(stream, arrival, place, &server.router).await,
                Speaks::Admin => server.answer(stream, arrival, place, &server.admin).await,
                Speaks::Https => server.secure(stream, arrival, place).await,
                Speaks::Connect => server.tunnel(stream, arrival, place).await,
            }
        });
    }
}

impl Server {
    /// Answers what is asked on a connection.
    async fn answer(&self, io: impl Io, arrival: Arrival, place: Arc<Place>, router: &Router) {
        let service = |mut request: Request<Incoming>| {
            request.extensions_mut().insert(arrival.clone());
            let (busy, answer) = (place.busy(), TowerToHyperService::new(router.clone()).call(request));
            async { answer.await.map(|response| response.map(|body| Body::new(Answered { body, _busy: busy }))) }
        };
        self.drive(io, service_fn(service), &place).await;
    }

    /// Answers what is asked on a connection with TLS.
    async fn secure(&self, io: impl Io, arrival: Arrival, place: Arc<Place>) {
        let config = Arc::clone(&self.tls.borrow());
        let shaken = tokio::select! {
            shaken = timeout(HANDSHAKE_DEADLINE, TlsAcceptor::from(config).accept(io)) => shaken,
            () = place.lost() => return,
        };
        match shaken {
            Ok(Ok(io)) => self.answer(io, arrival, place, &self.router).await,
            Ok(Err(error)) => tracing::debug!(%error, "no TLS"),
            Err(_) => tracing::debug!("no TLS in time"),
        }
    }

    /// Takes what comes out of a tunnel as a connection with TLS.
    async fn tunnel(self: &Arc<Self>, io: impl Io, arrival: Arrival, place: Arc<Place>) {
        let service = |mut request: Request<Incoming>| {
            let response = connect::answer(&request, &self.tunnelled);
            if response.status().is_success() {
                let (server, upgrade) = (Arc::clone(self), hyper::upgrade::on(&mut request));
                let arrival = arrival.clone();
                tokio::spawn(async move {
                    if let (Ok(io), Some(place)) = (upgrade.await, server.secure.enter()) {
                        server.secure(TokioIo::new(io), arrival, place).await;
                    }
                });
            }
            ready(Ok::<_, Infallible>(response))
        };
        self.drive(io, service_fn(service), &place).await;
    }

    /// Speaks HTTP until the other side has enough, its place is another's, or the service ends.
    async fn drive<S>(&self, io: impl Io, service: S, place: &Place)
    where
        S: HttpService<Incoming, ResBody = Body, Error = Infallible>,
        S::Future: Send + 'static,
    {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_DEADLINE).max_buf_size(HEAD_BYTES_MAX);
        let mut connection = pin!(http.serve_connection(TokioIo::new(io), service).with_upgrades());
        let mut ended = self.ended.clone();
        tokio::select! {
            done = connection.as_mut() => {
                return done.unwrap_or_else(|error| tracing::debug!(%error, "a connection has failed"));
            }
            () = place.lost() => return,
            _ = ended.changed() => (),
        }
        if !place.is_idle() {
            connection.as_mut().graceful_shutdown();
            connection.await.unwrap_or_else(|error| tracing::debug!(%error, "a connection has failed"));
        }
    }
}

#[cfg(test)]
mod tests;
