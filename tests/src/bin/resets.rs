//! Connections that their server resets: `resets serve PORT`, and `resets
//! connect PORT COUNT`, where each connection begins a request.
#![expect(clippy::print_stdout, reason = "the test reads it")]

use std::{
    env,
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::ExitCode,
    thread,
};

use anyhow::{Context as _, Result, bail, ensure};

/// How many connections are made at a time.
const THREADS: usize = 2;
/// How a request begins that is never finished.
const BEGINNING: &[u8] = b"GET /health HTTP/1.1\r\nHost: shop.example.com\r\n";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("resets: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", port] => serve(port.parse()?),
        ["connect", port, count] => connect(port.parse()?, count.parse()?),
        _ => bail!("serve PORT, or connect PORT COUNT"),
    }
}

fn serve(port: u16) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).context("bind")?;
    println!("listening");
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for peer in listener.incoming() {
                    // Unread received data turns closing into a reset. It does
                    // not matter if the peer is gone already.
                    drop(peer.and_then(|peer| peer.peek(&mut [0])));
                }
            });
        }
    });
    Ok(())
}

fn connect(port: u16, count: usize) -> Result<()> {
    let one = || -> io::Result<usize> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.write_all(BEGINNING)?;
        match stream.read(&mut [0]) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(1),
            Err(error) => Err(error),
            Ok(_) => Ok(0),
        }
    };
    let resets = thread::scope(|scope| -> Result<usize> {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    (0..count / THREADS)
                        .map(|_| one())
                        .sum::<io::Result<usize>>()
                })
            })
            .collect();
        let mut resets = 0;
        for thread in threads {
            resets += thread.join().expect("no panics")?;
        }
        Ok(resets)
    })?;
    ensure!(resets == count, "{resets} of {count} were reset");
    Ok(())
}
