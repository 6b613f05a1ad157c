//! The HTTP server: metrics, health, readiness, reload and a landing page.
//!
//! Input: a listening socket and the shared [`State`]. Output: responses, and a
//! [`ReloadRequest`] for every `POST /-/reload`. A connection serves one
//! request and has a deadline, so that slow or silent clients cannot use up the
//! bounded number of connections.

#[cfg(test)]
mod tests;

use std::{
    convert::Infallible,
    future::Future,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::JoinSet,
    time,
};

use super::Metrics;

/// Connections that are open at the same time; others wait to be accepted.
const MAX_CONNECTIONS: usize = 64;
/// Time that a client has to send the head of its request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// Time from accepting a connection to closing it.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(30);
/// Time that open connections get to finish at shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);
/// Pause after an accept that failed, for example because no file descriptor
/// was left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Bytes that hyper buffers for the head of a request; its minimum.
const MAX_HEAD_BYTES: usize = 8 * 1024;

/// The content type of the text exposition format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
const TEXT_TYPE: &str = "text/plain; charset=utf-8";
const HTML_TYPE: &str = "text/html; charset=utf-8";

const LANDING_PAGE: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><title>phiwatch</title></head>\
<body><h1>phiwatch</h1><ul>\
<li><a href=\"/metrics\">Metrics</a></li>\
<li><a href=\"/-/healthy\">Healthy</a></li>\
<li><a href=\"/-/ready\">Ready</a></li>\
</ul></body></html>\n";

/// A request to load the configuration again. The receiver answers with success
/// or with the text of the error.
pub type ReloadRequest = oneshot::Sender<Result<(), String>>;

/// What the server reports.
pub struct State {
    metrics: Arc<Metrics>,
    reload: mpsc::Sender<ReloadRequest>,
    /// A remark if phiwatch is ready, otherwise the reason why it is not.
    ready: Mutex<Result<String, String>>,
}

impl State {
    /// Not ready yet. Requests to reload go to `reload`.
    pub fn new(metrics: Arc<Metrics>, reload: mpsc::Sender<ReloadRequest>) -> Self {
        Self {
            metrics,
            reload,
            ready: Mutex::new(Err("starting".to_owned())),
        }
    }

    /// Says that phiwatch watches, and what.
    pub fn set_ready(&self, what: impl Into<String>) {
        self.set(Ok(what.into()));
    }

    /// Says that phiwatch does not watch, and why.
    pub fn set_not_ready(&self, reason: impl Into<String>) {
        self.set(Err(reason.into()));
    }

    fn set(&self, ready: Result<String, String>) {
        *self.ready.lock().unwrap_or_else(PoisonError::into_inner) = ready;
    }

    fn ready(&self) -> Result<String, String> {
        self.ready
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Limits that tests make small.
#[derive(Clone, Copy)]
struct Limits {
    connections: usize,
    header: Duration,
    connection: Duration,
}

/// Serves until `shutdown` completes, then closes every connection.
pub async fn serve(listener: TcpListener, state: Arc<State>, shutdown: impl Future<Output = ()>) {
    let limits = Limits {
        connections: MAX_CONNECTIONS,
        header: HEADER_TIMEOUT,
        connection: CONNECTION_TIMEOUT,
    };
    serve_within(limits, listener, state, shutdown).await;
}

async fn serve_within(
    limits: Limits,
    listener: TcpListener,
    state: Arc<State>,
    shutdown: impl Future<Output = ()>,
) {
    let mut shutdown = std::pin::pin!(shutdown);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept(), if connections.len() < limits.connections => {
                match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(connection(limits, stream, Arc::clone(&state)));
                    }
                    Err(error) => pause_after(&error).await,
                }
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
    drop(listener);
    let finish = async { while connections.join_next().await.is_some() {} };
    if time::timeout(SHUTDOWN_TIMEOUT, finish).await.is_err() {
        connections.shutdown().await;
    }
}

async fn pause_after(error: &io::Error) {
    tracing::warn!(%error, "cannot accept a connection");
    time::sleep(ACCEPT_PAUSE).await;
}

async fn connection(limits: Limits, stream: TcpStream, state: Arc<State>) {
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        async move { Ok::<_, Infallible>(answer(&request, &state).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .keep_alive(false)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    match time::timeout(limits.connection, served).await {
        Ok(Ok(())) => {}
        // A bad request is the client's problem, not the operator's.
        Ok(Err(_)) => tracing::debug!("a connection ended early"),
        Err(_) => tracing::debug!("a connection ran into its deadline"),
    }
}

async fn answer(request: &Request<Incoming>, state: &State) -> Response<Full<Bytes>> {
    let (path, method) = (request.uri().path(), request.method());
    let reads = method == Method::GET || method == Method::HEAD;
    match path {
        "/" | "/metrics" | "/-/healthy" | "/-/ready" if !reads => not_allowed("GET, HEAD"),
        "/-/reload" if method != Method::POST => not_allowed("POST"),
        "/" => reply(StatusCode::OK, HTML_TYPE, LANDING_PAGE),
        "/metrics" => match state.metrics.encode() {
            Ok(text) => reply(StatusCode::OK, METRICS_TYPE, text),
            Err(error) => reply(
                StatusCode::INTERNAL_SERVER_ERROR,
                TEXT_TYPE,
                format!("{error}\n"),
            ),
        },
        "/-/healthy" => reply(StatusCode::OK, TEXT_TYPE, "healthy\n"),
        "/-/ready" => match state.ready() {
            Ok(what) => reply(StatusCode::OK, TEXT_TYPE, format!("ready: {what}\n")),
            Err(reason) => reply(
                StatusCode::SERVICE_UNAVAILABLE,
                TEXT_TYPE,
                format!("not ready: {reason}\n"),
            ),
        },
        "/-/reload" => reload(state).await,
        _ => reply(StatusCode::NOT_FOUND, TEXT_TYPE, "not found\n"),
    }
}

async fn reload(state: &State) -> Response<Full<Bytes>> {
    let (sender, receiver) = oneshot::channel();
    if state.reload.try_send(sender).is_err() {
        let text = "a reload is under way, or nobody takes it\n";
        return reply(StatusCode::SERVICE_UNAVAILABLE, TEXT_TYPE, text);
    }
    match receiver.await {
        Ok(Ok(())) => reply(StatusCode::OK, TEXT_TYPE, "reloaded\n"),
        Ok(Err(error)) => reply(StatusCode::BAD_REQUEST, TEXT_TYPE, format!("{error}\n")),
        Err(_) => reply(
            StatusCode::SERVICE_UNAVAILABLE,
            TEXT_TYPE,
            "shutting down\n",
        ),
    }
}

fn not_allowed(allowed: &'static str) -> Response<Full<Bytes>> {
    let mut response = reply(
        StatusCode::METHOD_NOT_ALLOWED,
        TEXT_TYPE,
        "method not allowed\n",
    );
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

fn reply(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
