//! Health information sent where it belongs: health records, payers,
//! registries, the company's own services. The recipients are no trackers, so
//! there is nothing to report.

use crate::{
    encode,
    format::Request,
    generator::Case,
    label::{EventLabel, Kind, Label},
    person::Person,
    rng::Rng,
};

/// One such request.
pub fn case(rng: &mut Rng) -> Case {
    let person = Person::new(rng);
    let (first, last, birth) = (&person.first, &person.last, &person.birth);
    let json = "application/json";
    let (name, method, host, target, kind, body) = match rng.range(0, 6) {
        0 => (
            "FHIR patient",
            "POST",
            "fhir.ehr.example.org",
            "/r4/Patient".to_owned(),
            "application/fhir+json",
            serde_json::json!({"resourceType": "Patient", "name": [{"family": last, "given": [first]}], "birthDate": birth, "telecom": [{"system": "email", "value": person.email}]}).to_string(),
        ),
        1 => (
            "FHIR condition",
            "POST",
            "fhir.ehr.example.org",
            "/r4/Condition".to_owned(),
            "application/fhir+json",
            serde_json::json!({"resourceType": "Condition", "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F33.1"}]}, "subject": {"reference": format!("Patient/{}", person.id)}}).to_string(),
        ),
        2 => (
            "payer eligibility",
            "POST",
            "api.payer.example.net",
            "/eligibility/v3".to_owned(),
            json,
            serde_json::json!({"subscriber": {"memberId": rng.digits(10), "firstName": first, "lastName": last, "dateOfBirth": birth}, "provider": {"npi": "1245319599"}}).to_string(),
        ),
        3 => (
            "NPI registry",
            "GET",
            "npiregistry.cms.hhs.gov",
            "/api/?version=2.1&number=1245319599".to_owned(),
            "",
            String::new(),
        ),
        4 => (
            "pharmacy order",
            "POST",
            "orders.pharmacy.example.com",
            "/v2/prescriptions".to_owned(),
            json,
            serde_json::json!({"patient": {"name": person.name(), "dob": birth, "phone": person.phone}, "drug": "Sertraline 50mg", "ndc": "0049-4900-66"}).to_string(),
        ),
        5 => (
            "own service",
            "POST",
            "intake.internal.example.com",
            "/api/v1/assessments".to_owned(),
            json,
            serde_json::json!({"email": person.email, "assessment": "PHQ-9", "score": 17}).to_string(),
        ),
        _ => (
            "own form",
            "POST",
            "www.example.com",
            "/appointments".to_owned(),
            "application/x-www-form-urlencoded",
            format!("email={}&reason=Anxiety&date=2026-12-01", encode::percent(&person.email)),
        ),
    };
    let headers = if kind.is_empty() {
        vec![]
    } else {
        vec![("Content-Type".to_owned(), kind.to_owned())]
    };
    Case {
        request: Request {
            method: method.to_owned(),
            host: host.to_owned(),
            target,
            headers,
            body: body.into_bytes(),
        },
        label: Label {
            packet: 0,
            template: format!("elsewhere {name}"),
            platform: "none".to_owned(),
            weight: 0,
            kind: Kind::Elsewhere,
            events: vec![EventLabel::default()],
        },
    }
}
