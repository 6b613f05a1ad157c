//! The bytes of the record, which other programs read.

use super::*;

/// A finding in which everything is said.
fn whole() -> Finding {
    Finding {
        schema: SCHEMA,
        id: "5d41402abc4b2a76b9719d911017c592".to_owned(),
        time: Timestamp(1_764_038_463_123_456_789),
        kind: Kind::Request,
        severity: Severity::Critical,
        why: "Because.".to_owned(),
        labels: vec![Label::Attempted, Label::IpOnlyUnauth],
        recipient: RecipientRecord {
            tracker: "meta".into(),
            owner: "Meta Platforms".into(),
            category: Some(Category::Ads),
            host: "graph.facebook.com".to_owned(),
            matched_by: MatchedBy::HostAndPath,
        },
        identifiers: vec![Identifier::Email],
        health: vec![Health::Condition],
        fields: vec![FieldRecord {
            class: Class::Identifier(Identifier::Email),
            form: Some(Form::Sha256),
            path: "body.em".to_owned(),
            rule: "email.key.hash",
            masked: "a…".to_owned(),
            token: Some(Token(0xabc)),
            labels: vec![FieldLabel::Unhashed, FieldLabel::Confirmed],
        }],
        request: Some(RequestRecord {
            method: "POST".to_owned(),
            host: Some("clinic.example".to_owned()),
            path: "/{id}".to_owned(),
            protocol: Protocol::Http1,
            status: Some(200),
            bytes: 9,
            body_bytes: 8,
        }),
        contact: None,
        process: ProcessRecord {
            pid: Some(7),
            exe: Some("/bin/x".to_owned()),
            comm: Some("x".to_owned()),
            cgroup: Some("/c".to_owned()),
            container: Some("d".to_owned()),
            unit: Some("x.service".to_owned()),
            service: Some("shop".to_owned()),
        },
        peer: PeerRecord {
            addr: Some("[2001:db8::7]:443".parse().unwrap()),
            sni: Some("graph.facebook.com".to_owned()),
            host_source: HostSource::HostHeader,
        },
        source: Some(Source::OpenSsl),
        completeness: Completeness::Complete,
        person: Some(Token(1)),
        people: Some(3),
        evidence: Some(EvidenceRecord {
            file: "a.pcapng".to_owned(),
            packet: 5,
        }),
        states: vec!["CA"],
    }
}

/// The same, as far as nothing is known.
fn bare() -> Finding {
    let mut finding = Finding {
        time: Timestamp(0),
        kind: Kind::Page,
        severity: Severity::Info,
        labels: Vec::new(),
        identifiers: Vec::new(),
        health: Vec::new(),
        request: None,
        process: ProcessRecord::default(),
        source: None,
        completeness: Completeness::Gap,
        person: None,
        people: None,
        evidence: None,
        states: Vec::new(),
        ..whole()
    };
    finding.recipient.category = None;
    finding.peer = PeerRecord {
        addr: None,
        sni: None,
        host_source: HostSource::None,
    };
    for field in &mut finding.fields {
        field.class = Class::Health(Health::Condition);
        field.form = None;
        field.token = None;
        field.labels = Vec::new();
    }
    finding
}

#[test]
fn the_record_is_as_it_always_was() {
    for (finding, record) in [
        (
            whole(),
            r#"{"schema":"phiwatch.finding/1","id":"5d41402abc4b2a76b9719d911017c592","time":"2025-11-25T02:41:03.123456789Z","kind":"request","severity":"critical","why":"Because.","labels":["attempted","ip_only_unauth"],"recipient":{"tracker":"meta","owner":"Meta Platforms","category":"ads","host":"graph.facebook.com","matched_by":"host+path"},"identifiers":["email"],"health":["condition"],"fields":[{"class":"email","form":"sha256","path":"body.em","rule":"email.key.hash","masked":"a…","token":"00000000000000000000000000000abc","labels":["unhashed","confirmed"]}],"request":{"method":"POST","host":"clinic.example","path":"/{id}","protocol":"http/1.1","status":200,"bytes":9,"body_bytes":8},"process":{"pid":7,"exe":"/bin/x","comm":"x","cgroup":"/c","container":"d","unit":"x.service","service":"shop"},"peer":{"addr":"[2001:db8::7]:443","sni":"graph.facebook.com","host_source":"host-header"},"source":"openssl","completeness":"complete","person":"00000000000000000000000000000001","people":3,"evidence":{"file":"a.pcapng","packet":5},"states":["CA"]}"#,
        ),
        (
            bare(),
            r#"{"schema":"phiwatch.finding/1","id":"5d41402abc4b2a76b9719d911017c592","time":"1970-01-01T00:00:00.000000000Z","kind":"page","severity":"info","why":"Because.","recipient":{"tracker":"meta","owner":"Meta Platforms","category":"other","host":"graph.facebook.com","matched_by":"host+path"},"identifiers":[],"health":[],"fields":[{"class":"condition","form":"asked","path":"body.em","rule":"email.key.hash","masked":"a…","token":""}],"request":null,"process":{"pid":null,"exe":null,"comm":null,"cgroup":null,"container":null,"unit":null,"service":null},"peer":{"addr":null,"sni":null,"host_source":"none"},"source":"unknown","completeness":"gap","person":null,"evidence":null}"#,
        ),
    ] {
        assert_eq!(serde_json::to_string(&finding).unwrap(), record);
    }
}
