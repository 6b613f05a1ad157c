//! Tests of requests to hosts that the catalog does not know.

use bytes::Bytes;

use super::super::*;
use crate::{
    event::{Data, Direction, EventKind, Origin, Process},
    secret::Secret,
    tracker::{MatchedBy, Service},
};

/// The results for a process `/srv/intake` that posts `body` to `path` of its
/// own host.
fn post(path: &str, body: &str) -> Output {
    let service = Service {
        name: "intake".into(),
        exe: Some("/srv/*".to_owned()),
        ..Service::default()
    };
    let examiner = Examiner::new(Catalog::builtin(), TokenKey::from_bytes([1; 32]))
        .with_services(Services::new(vec![service]));
    let mut pipeline = Pipeline::from(examiner);
    let origin = Origin {
        source: Source::OpenSsl,
        process: Some(Arc::new(Process {
            exe: Some("/srv/intake".to_owned()),
            ..Process::default()
        })),
        local: None,
        peer: None,
        one_way: false,
        blindness: None,
    };
    let length = body.len();
    let text = format!(
        "POST {path} HTTP/1.1\r\nHost: api.clinic.example\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let data = Data {
        direction: Direction::Sent,
        offset: 0,
        bytes: Secret::new(Bytes::from(text)),
    };
    let mut out = Output::default();
    for kind in [EventKind::Opened(Arc::new(origin)), EventKind::Data(data)] {
        let event = Event {
            time: Timestamp(1),
            stream: StreamId {
                owner: 1,
                handle: 1,
                born: 1,
            },
            place: None,
            kind,
        };
        pipeline.push(&event, &mut out);
    }
    pipeline.finish(&mut out);
    out
}

#[test]
fn a_path_that_others_have_needs_the_body_of_the_protocol() {
    let segment = r#"{"type":"track","event":"Booked","userId":"u-1","messageId":"m-1",
        "properties":{"email":"jane.roe@example.com"}}"#;
    let own = r#"{"event":"booked","email":"jane.roe@example.com"}"#;
    for (path, body, expected) in [
        ("/v1/track", segment, Some("segment")),
        ("/v1/track", own, None),
        ("/patients", segment, None),
    ] {
        let out = post(path, body);
        let trackers: Vec<_> = out
            .findings
            .iter()
            .map(|one| &*one.recipient.tracker)
            .collect();
        assert_eq!(trackers, Vec::from_iter(expected), "{path} {body}");
        let noted = out
            .notes
            .iter()
            .any(|note| matches!(note, Note::TrackerRequest(_)));
        assert_eq!(noted, expected.is_some(), "{path} {body}");
        for finding in &out.findings {
            assert_eq!(finding.recipient.matched_by, MatchedBy::Protocol);
            assert_eq!(finding.process.service.as_deref(), Some("intake"));
        }
    }
}
