//! The sandbox, the sink and the clients themselves, without phiwatch: the sink
//! must report exactly what a client sent.

use std::fs;

use anyhow::Result;
use tests::{
    Sandbox, Side, Sink,
    client::{self, Job},
    nginx, patient, sha256,
    sink::Options,
};

#[test]
fn every_client_reaches_the_sink() -> Result<()> {
    let sandbox = Sandbox::new()?;
    let mut sink = Sink::start(&sandbox, Options::default())?;
    let mut expected = 0;
    for length in [1, 20_000, 1 << 20] {
        let body = client::body(sandbox.folder(), length)?;
        for client in client::ALL {
            let host = "graph.facebook.com";
            client.send(
                &sandbox,
                Job {
                    host,
                    path: "/x",
                    body: &body,
                    count: 1,
                },
            )?;
            expected += 1;
            let requests = sink.requests(expected)?;
            let last = &requests[expected - 1];
            assert_eq!(requests.len(), expected, "{}", client.name);
            assert_eq!(last.body_length, length as u64, "{}", client.name);
            assert_eq!(
                last.body_sha256,
                sha256(&fs::read(&body)?),
                "{}",
                client.name
            );
            assert_eq!(
                (&*last.method, &*last.host),
                ("POST", host),
                "{}",
                client.name
            );
        }
    }
    Ok(())
}

#[test]
fn clients_keep_connections_alive() -> Result<()> {
    let sandbox = Sandbox::new()?;
    let mut sink = Sink::start(&sandbox, Options::default())?;
    let body = client::body(sandbox.folder(), 100)?;
    let clients: Vec<_> = client::ALL
        .iter()
        .filter(|client| client.keeps_alive)
        .collect();
    for (number, client) in clients.iter().enumerate() {
        let host = "shop.example.com";
        client.send(
            &sandbox,
            Job {
                host,
                path: "/x",
                body: &body,
                count: 5,
            },
        )?;
        let requests = sink.requests((number + 1) * 5)?;
        let last = requests
            .last()
            .map(|request| (request.connection, request.ordinal));
        assert_eq!(last, Some((number as u64, 4)), "{}", client.name);
    }
    Ok(())
}

#[test]
fn a_slow_sink_makes_a_non_blocking_client_wait() -> Result<()> {
    let sandbox = Sandbox::new()?;
    let mut sink = Sink::start(
        &sandbox,
        Options {
            slow: true,
            ..Options::default()
        },
    )?;
    let body = client::body(sandbox.folder(), 1 << 20)?;
    let job = Job {
        host: "graph.facebook.com",
        path: "/x",
        body: &body,
        count: 1,
    };
    let waits: u32 = client::NONBLOCKING.send(&sandbox, job)?.trim().parse()?;
    assert!(waits > 10, "WANT_WRITE only {waits} times");
    assert_eq!(sink.requests(1)?[0].body_sha256, sha256(&fs::read(&body)?));
    Ok(())
}

#[test]
fn nginx_passes_on_what_it_is_sent() -> Result<()> {
    let sandbox = Sandbox::new()?;
    let mut sink = Sink::start(
        &sandbox,
        Options {
            port: 8080,
            tls: false,
            ..Options::default()
        },
    )?;
    let _nginx = nginx::start(&sandbox)?;
    let body = client::body(sandbox.folder(), 20_000)?;
    let job = Job {
        host: "graph.facebook.com",
        path: "/x",
        body: &body,
        count: 1,
    };
    client::CURL.send(&sandbox, job)?;
    let connections = sink.connections(1)?;
    let requests = sink.requests(1)?;
    assert_eq!(
        (connections.len(), requests.len()),
        (1, 1),
        "nginx asked the application once"
    );
    assert_eq!(requests[0].body_sha256, sha256(&fs::read(&body)?));
    assert_eq!(
        (&*requests[0].host, requests[0].length),
        (job.host, connections[0].length)
    );
    Ok(())
}

#[test]
fn only_the_sandbox_is_reachable() -> Result<()> {
    let sandbox = Sandbox::new()?;
    let mut curl = sandbox.command(Side::Watched, "cat");
    let cgroup = sandbox.run(curl.arg("/proc/self/cgroup"))?;
    let name = sandbox
        .cgroup()
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    assert!(String::from_utf8_lossy(&cgroup.stdout).contains(&*name));
    let mut routes = sandbox.command(Side::Watched, "ip");
    let routes = sandbox.run(routes.args(["route"]))?;
    assert_eq!(String::from_utf8_lossy(&routes.stdout), "");
    Ok(())
}

#[test]
fn the_patient_has_the_hashes_of_her_values() {
    assert_eq!(patient::EMAIL_SHA256, sha256(patient::EMAIL.as_bytes()));
    assert_eq!(
        patient::PHONE_SHA256,
        sha256(patient::PHONE.trim_start_matches('+').as_bytes())
    );
}
