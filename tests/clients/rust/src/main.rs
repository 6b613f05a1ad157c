//! reqwest: HOST PATH BODY-FILE COUNT requests of one client, HTTP/2 where the server
//! has it.

use std::{env, error::Error, fs};

use reqwest::blocking::Client;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let mut next = || arguments.next().ok_or("HOST PATH BODY-FILE COUNT");
    let url = format!("https://{}{}", next()?, next()?);
    let (body, count) = (fs::read(next()?)?, next()?.parse::<u32>()?);
    let client = Client::new();
    for _ in 0..count {
        let request = client.post(&url).header("Content-Type", "application/json");
        request.body(body.clone()).send()?.error_for_status()?.bytes()?;
    }
    Ok(())
}
