//! Tests of the HTTP server.

use std::net::SocketAddr;

use super::*;

const TEST_LIMITS: Limits = Limits {
    connections: MAX_CONNECTIONS,
    header: HEADER_TIMEOUT,
    connection: CONNECTION_TIMEOUT,
};

/// A running server, and the ends of it that a test holds.
struct Served {
    address: SocketAddr,
    state: Arc<State>,
    reloads: mpsc::Receiver<ReloadRequest>,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

async fn start(limits: Limits) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let metrics = Metrics::new(&["meta"], &[]).unwrap();
    let (reload, reloads) = mpsc::channel(1);
    let state = Arc::new(State::new(Arc::new(metrics), reload));
    let (stop, stopped) = oneshot::channel::<()>();
    let served = Arc::clone(&state);
    let task = tokio::spawn(async move {
        serve_within(limits, listener, served, async {
            stopped.await.ok();
        })
        .await;
    });
    Served {
        address,
        state,
        reloads,
        stop,
        task,
    }
}

/// Sends `request` as it is and returns everything up to the end of the
/// connection.
async fn exchange(address: SocketAddr, request: &str) -> String {
    let stream = TcpStream::connect(address).await.unwrap();
    write(&stream, request).await;
    read_to_end(&stream).await
}

/// Writes all of `text`, which fits into the socket's buffer.
async fn write(stream: &TcpStream, text: &str) {
    if text.is_empty() {
        return;
    }
    stream.writable().await.unwrap();
    assert_eq!(stream.try_write(text.as_bytes()).unwrap(), text.len());
}

/// Everything up to the end of the connection. The server may reset a
/// connection whose request it refused.
async fn read_to_end(stream: &TcpStream) -> String {
    let (mut answer, mut chunk) = (Vec::new(), [0; 4_096]);
    loop {
        stream.readable().await.unwrap();
        match stream.try_read(&mut chunk) {
            Ok(length @ 1..) => answer.extend_from_slice(&chunk[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            _ => return String::from_utf8(answer).unwrap(),
        }
    }
}

/// Asserts the status, and that the response contains `expected`.
async fn check(address: SocketAddr, line: &str, status: u16, expected: &str) {
    let answer = exchange(
        address,
        &format!("{line} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    )
    .await;
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {status} ")),
        "{line}: {answer}"
    );
    assert!(answer.contains(expected), "{line}: {answer}");
}

#[tokio::test]
async fn the_routes() {
    let served = start(TEST_LIMITS).await;
    let at = served.address;
    check(
        at,
        "GET /metrics",
        200,
        "\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n",
    )
    .await;
    check(
        at,
        "GET /metrics?name=x",
        200,
        "phiwatch_people{tracker=\"other\"} 0\n",
    )
    .await;
    check(at, "GET /", 200, "href=\"/metrics\"").await;
    check(at, "GET /-/healthy", 200, "healthy").await;
    check(at, "GET /-/ready", 503, "not ready: starting").await;
    served.state.set_ready("1 library");
    check(at, "GET /-/ready", 200, "ready: 1 library").await;
    served.state.set_not_ready("no hook is attached");
    check(at, "GET /-/ready", 503, "not ready: no hook is attached").await;
    check(at, "GET /secret", 404, "not found").await;
    check(at, "POST /metrics", 405, "allow: GET, HEAD").await;
    check(at, "DELETE /", 405, "allow: GET, HEAD").await;
    check(at, "GET /-/reload", 405, "allow: POST").await;
    let head = exchange(at, "HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(
        head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
    assert!(
        exchange(at, "not HTTP at all\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 400 ")
    );
}

#[tokio::test]
async fn a_reload_answers_what_came_of_it() {
    let mut served = start(TEST_LIMITS).await;
    for (outcome, status, expected) in [
        (Ok(()), 200, "reloaded"),
        (
            Err("phiwatch.toml:2:1: wrong".to_owned()),
            400,
            "phiwatch.toml:2:1: wrong",
        ),
    ] {
        let answer = async {
            served.reloads.recv().await.unwrap().send(outcome).unwrap();
        };
        tokio::join!(
            check(served.address, "POST /-/reload", status, expected),
            answer
        );
    }
    drop(served.reloads);
    check(served.address, "POST /-/reload", 503, "nobody takes it").await;
}

#[tokio::test]
async fn a_silent_client_is_cut_off() {
    let limits = Limits {
        header: Duration::from_millis(20),
        ..TEST_LIMITS
    };
    let served = start(limits).await;
    for beginning in ["", "GET /metrics HTTP/1.1\r\nHost: "] {
        let answer = exchange(served.address, beginning).await;
        assert!(!answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    check(served.address, "GET /-/healthy", 200, "healthy").await;
}

#[tokio::test]
async fn more_connections_than_allowed_wait_for_their_turn() {
    let limits = Limits {
        connections: 1,
        connection: Duration::from_millis(20),
        ..TEST_LIMITS
    };
    let served = start(limits).await;
    let silent = TcpStream::connect(served.address).await.unwrap();
    // Answered once the silent connection has reached its deadline.
    check(served.address, "GET /-/healthy", 200, "healthy").await;
    drop(silent);
}

#[tokio::test]
async fn shutdown_closes_what_is_open() {
    let served = start(TEST_LIMITS).await;
    let silent = TcpStream::connect(served.address).await.unwrap();
    write(&silent, "GET /").await;
    check(served.address, "GET /-/healthy", 200, "healthy").await;
    served.stop.send(()).unwrap();
    served.task.await.unwrap();
    assert_eq!(read_to_end(&silent).await, "");
    assert!(TcpStream::connect(served.address).await.is_err());
}
