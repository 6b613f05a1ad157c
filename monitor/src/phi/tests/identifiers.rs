//! Identifiers: the spellings of keys and values that count, and what looks
//! like them.

use super::{SHA256, check, found};

/// `class form strength` of one value under each of `keys`.
fn check_keys(keys: &str, value: &str, expected: &str) {
    for key in keys.split_whitespace() {
        assert_eq!(found(&[(key, value)]), expected, "{key} = {value}");
    }
}

#[test]
fn keys_of_emails() {
    let keys = "email em Email EMAIL e-mail e_mail $email user_email patient_email patientEmail \
        emailAddr emailAddress email_address contactEmail mail_address ud[em] user_data.em \
        ep.email up.email pid[em] cd[email] properties.$email properties.$set.$email \
        traits.email context.traits.email user.email attributes.email profileData.Email \
        merge_fields.EMAIL data.attributes.email user_identities.email query:em hem \
        email2 alt_email spouse_email billing_email secondaryEmail patientemail \
        xdm.identityMap.Email.0.id user.emails.0.value email.value";
    check_keys(keys, "jane@clinic.test", "email I3");
    let keys = "em ud[em] email user_data.em.0 hashed_email hashedEmail sha256_email_address.0 \
        email_sha256 emailHash email_md5 identifiers.0.hashed_email userIdentifiers.0.hashedEmail \
        Email_LC_SHA256 xdm.identityMap.Email_LC_SHA256.0.id email.sha256 email.hash hem \
        e_id_m e_id_s uh query:iv hashed_emails.0 sha256email email_hashed emails.0";
    check_keys(keys, SHA256, "email sha256 I2");
    check_keys("iv token key", &SHA256[..32], "");
    check_keys("query:iv", &SHA256[..32], "email md5 I2");
    for (name, kind) in [
        ("matchKeys.0.type", "matchKeys.0.values.0"),
        ("userIds.0.idType", "userIds.0.idValue"),
        ("identifiers.0.identifierType", "identifiers.0.value"),
    ] {
        let pairs = [(name, "EMAIL"), (kind, SHA256)];
        assert_eq!(found(&pairs), "email sha256 I2", "{name}");
    }
}

#[test]
fn values_of_emails() {
    let address = "jane.roe+tag@example.co.uk";
    check_keys("label note search_term message", address, "email I3");
    check_keys("distinct_id user_id uid userId", address, "email I3");
    check(&[
        ("hashed_email", address, "email I3"),
        ("note", "Jane <jane@example.com>, please", "email I3"),
        ("note", "mailto:jane@example.com", "email I3"),
        (
            "url",
            "https://a.example/u/jane@example.com/x?y=1",
            "email I3",
        ),
        ("url", "https://jane@example.com/", ""),
        ("note", "@jane at example.com", ""),
        ("note", "user@host", ""),
        ("note", "react@18.2.0 and @scope/pkg@1.2.3", ""),
        ("url.2", "jquery@3.7.1", ""),
        ("note", "icon@2x.zip", ""),
        ("note", "git@github.com", ""),
        ("note", "x@project.iam.gserviceaccount.com", ""),
        ("note", "no-reply+123@example.com", ""),
        ("user_agent", "bot/1.0 (crawler@example.com)", ""),
        ("dsn", "https://0a1b@o1.ingest.sentry.io/4", ""),
    ]);
}

#[test]
fn phones() {
    let keys = "phone ph phoneNo phone_number mobile_phone_number cellPhone $phone $mobile mobile \
        ud[ph] user_data.ph.0 up.phone ep.phone_number user.phone traits.phone contactNumber \
        homePhone work_phone daytime_phone spouse_cell_phone telephone tel msisdn \
        profileData.Phone merge_fields.PHONE phone1 sms_number PatientPhoneNumber \
        xdm.identityMap.Phone.0.id phone.number query:caller";
    for value in [
        "+1 415-562-0132",
        "4155620132",
        "(415) 562-0132 x12",
        "1.415.562.0132",
    ] {
        check_keys(keys, value, "phone I3");
    }
    check_keys("fax fax_number faxNo homeFax", "415-562-0132", "fax I3");
    check_keys(
        "ph phone_sha256 hashedPhone hashed_phone_number",
        SHA256,
        "phone sha256 I2",
    );
    check(&[
        ("phone", "001-415-562-0132", "phone I3"),
        ("phone", "415-562-0132 x12", "phone I3"),
        ("phone", "415-562-0132 Ext. 12", "phone I3"),
        ("phone", "(415) 562-0132 ext 12", "phone I3"),
        // Hashes whose first digits could be a number.
        (
            "phone",
            "11072303eb5c8cb5c5a1ebb762f11b37b07131265b46fdfe1276196bfbd3ca51",
            "phone sha256 I2",
        ),
        ("phone", "4155620132e", ""),
        ("phone", "020 7946 0018", "phone I3"),
        ("phone", "tel:+14155550132", "phone I3"),
        ("hashed_phone", "+14155620132", "phone I3"),
        ("note", "ring +44 20 7946 0018", "phone I3"),
        ("note", "ring +4915123456789.", "phone I3"),
        ("phone", "1764038463", ""),
        ("phone", "true", ""),
        ("microphone", "4155620132", ""),
        ("support_phone", "1-800-562-0132", ""),
        ("note", "+00:00", ""),
        ("note", "+283123456789012", ""),
        ("note", "+1 800 562 0132", ""),
        ("note", "4155620132", ""),
        ("note", "1-1-2026 10:00", ""),
    ]);
}

#[test]
fn names() {
    let keys = "first_name firstName lastName last_name $first_name $last_name fname merge_fields.FNAME \
        patientName patient_full_name customer.name user.name patient.name traits.name \
        properties.$set.$name contact.name surname given_name familyName mother_maiden_name \
        user_data.fn ud[fn] user.name.first name.last patient_first guardianName your-name \
        recipient.name addressInfo.firstName profileData.Name";
    check_keys(keys, "Jané O’Neil", "name I3");
    check_keys(
        "fn ud[ln] user_data.fn.0 hashedFirstName address.0.sha256_last_name f5first",
        SHA256,
        "name sha256 I2",
    );
    let keys = "name event.name events.0.name product.name items.0.name contents.0.name plan.name \
        screen.name company.name campaign.name organization_name product_name eventName \
        screen_name file_name display hostname plan_name template_name list_name fn groupName \
        app_name device_name data.product.attributes.name";
    check_keys(keys, "Jane Roe", "");
    check_keys("first_name", "user_4711", "");
    check_keys("first_name", "undefined", "");
}

#[test]
fn births() {
    let keys = "dob birth_date dateOfBirth birthdate birthday birth_dt $dob user_data.db patient_dob \
        traits.birthday DOB memberBirthDate profileData.DOB date_of_birth bday born_on";
    for value in [
        "1984-02-29",
        "02/29/1984",
        "19840229",
        "29.02.1984",
        "Feb 29, 1984",
    ] {
        check_keys(keys, value, "birth_date I3");
    }
    check(&[
        ("dob", "-315619200", "birth_date I3"),
        ("dob", "446860800000", "birth_date I3"),
        ("dob", "1984-02-29T00:00:00Z", "birth_date I3"),
        ("dob", "1984", "birth_date I1"),
        ("birthday", "02-29", "birth_date I1"),
        ("birth_year", "1984", "birth_date I1"),
        ("birthMonth", "2", "birth_date I1"),
        ("dob.year", "1984", "birth_date I1"),
        ("age", "93", "birth_date I1"),
        ("patient_age", "93", "birth_date I1"),
        ("age", "44", ""),
        ("header:age", "93", ""),
        ("cache.age", "93", ""),
        ("page", "93", ""),
        ("dob", "2.0.1", ""),
        ("db", "446860800", ""),
        ("birthday_campaign", "1984-02-29", ""),
        ("created_at", "1984-02-29", ""),
        ("admission_date", "2026-02-01", "service_date I1"),
        ("dischargeDate", "1764038463", "service_date I1"),
        (
            "date_of_surgery",
            "Feb 1, 2026",
            "service_date I1, appointment H3, procedure H3",
        ),
        ("date_of_death", "2026-02-01", "service_date I1"),
        ("last_seen", "2026-02-01", ""),
    ]);
}

#[test]
fn places() {
    let keys = "address street addr street_line_1 address1 mailing_address homeAddress address_line1 \
        traits.address.street addressLine1 patient_address billing_street_address full_address \
        address.line.0 shipping.address";
    for value in [
        "12 Elm Street",
        "P.O. Box 12",
        "Hauptstr. 12",
        "221b Baker St, London",
    ] {
        check_keys(keys, value, "address I3");
    }
    check_keys(
        "zip zp5_zip zip5 postal_cd postalCode zip_code traits.address.postal_code user_data.zp",
        "94110",
        "zip I1",
    );
    check_keys(
        "city patient_city homeCity town data.attributes.location.city",
        "Springfield",
        "city I1",
    );
    check_keys("ip_address email_address mac_address", "12 Elm Street", "");
    check(&[
        ("postcode", "SW1A 1AA", "zip I1"),
        ("postal", "K1A 0B1", "zip I1"),
        ("hashedStreetAddress", SHA256, "address sha256 I2"),
        (
            "ship_to",
            "12 Elm Street, Springfield, IL 62704",
            "address I3",
        ),
        (
            "note",
            "PO Box 12, Springfield, IL 62704-1234, USA",
            "address I3",
        ),
        ("latlng", "37.7749,-122.4194", "geo I1"),
        ("coordinates.0", "-122.4194", "geo I1"),
        ("note", "12 monkeys in LA 62704", ""),
        ("store.address", "12 Elm Street", ""),
        ("clinic_address", "12 Elm Street, Springfield, IL 62704", ""),
        ("location.city", "Springfield", ""),
        ("city", "true", ""),
        ("price", "37.7749", ""),
    ]);
}

#[test]
fn numbers() {
    check_keys(
        "ssn social_security_no socialSecurityNumber patient_ssn SSN ssnNumber tin tax_id",
        "219-45-6789",
        "ssn I3",
    );
    check_keys("ssn patient_ssn", "219 45 6789", "ssn I3");
    check_keys("ssn itin note", "912-70-6789", "ssn I3");
    check_keys(
        "ssn_last4 ssnLast4 last_4_ssn ssn_last_four patient_ssn_last4",
        "6789",
        "ssn I1",
    );
    check_keys(
        "mrn mrn_number medical_record_no chart_number patient_no pt_id patientId patient.id \
         new_patient_id chartNo emr_id",
        "A0012345",
        "mrn I3",
    );
    check(&[
        ("note", "my SSN is 219-45-6789.", "ssn I3"),
        ("ssn", "XXX-XX-6789", "ssn I1"),
        ("note", "x-219-45-6789", ""),
        ("note", "219-45-67890", ""),
        ("note", "912-66-6789", ""),
        ("note", "219 45 6789", ""),
        ("last4", "6789", ""),
        ("subject.reference", "Patient/4711", "mrn I3"),
        ("order_no", "A0012345", ""),
        ("patients_count", "12", ""),
        (
            "note",
            "MBI: 1EG4-TE5-MK73.",
            "health_plan_id I3, insurance H3",
        ),
        ("mbi", "1eg4te5mk73", "health_plan_id I3, insurance H3"),
        ("rx_bin", "610014", "health_plan_id I3, insurance H3"),
        (
            "insurance.group_no",
            "77102",
            "health_plan_id I3, insurance H3",
        ),
        (
            "insurance.subscriber_id",
            "W77102",
            "health_plan_id I3, insurance H3",
        ),
        ("group_no", "77102", ""),
    ]);
}

#[test]
fn accounts_licenses_and_vehicles() {
    check_keys(
        "account_number acct_no bankAccountNumber",
        "000123456789",
        "account I3",
    );
    check_keys("iban note", "DE89 3704 0044 0532 0130 00", "account I3");
    check_keys("routing_number aba", "021000021", "account I1");
    check_keys("card_number ccNumber", "4242424242424242", "account I3");
    check_keys(
        "driver_license license_no dlNumber passport_number licenceNumber",
        "D1234567",
        "license I3",
    );
    check_keys("dea dea_number prescriberDEA", "AB1234563", "license I1");
    check_keys(
        "vin VIN vehicle_vin note",
        "1HGCM82633A004352",
        "vehicle I3",
    );
    check_keys("plate license_plate plateNumber", "7ABC123", "vehicle I3");
    check(&[
        ("iban", "DE89370400440532013001", ""),
        ("note", "4242-4242-4242-4242", "account I3"),
        ("note", "4242424242424242", ""),
        ("routing_number", "021000022", ""),
        ("account_id", "12345678", ""),
        ("dea", "AB1234564", ""),
        ("license", "MIT", ""),
        ("license_key", "ABCD-1234-5678", ""),
        ("note", "1HGCM82633A004353", ""),
        ("plate", "dinner", ""),
        ("template", "7ABC123", ""),
    ]);
}

#[test]
fn devices_and_browsers() {
    let uuid = "6d92078a-8246-4ba4-ae5b-76104861e7dc";
    check_keys(
        "idfa gaid idfv aaid advertisingId device.advertisingId device_id $device_id device.id \
         context.device.id android_id gps_adid madid device.ifa hashed_maids.0",
        uuid,
        "device_id I1",
    );
    check_keys("mac mac_addr note", "00:1b:44:11:3a:b7", "device_id I1");
    check_keys("imei device_imei", "352099001761481", "device_id I1");
    check_keys(
        "anonymousId anonymous_id visitor_id query:gclid wbraid msclkid ttclid twclid ScCid epik \
         rdt_cid li_fat_id query:_ga fbc _fbp partner_click_id",
        uuid,
        "online_id I1",
    );
    check(&[
        ("note", "35-209900-176148-1", "device_id I1"),
        ("udi", "(01)00844588003288(17)141120", "device_id I1"),
        ("device.serial_number", "SN-88123", "device_id I1"),
        ("x", "fb.1.1764038463123.IwAR2abc", "online_id I1"),
        (
            "header:cookie._ga",
            "GA1.2.1033501218.1764038463",
            "online_id I1",
        ),
        ("header:cookie.ajs_anonymous_id", uuid, "online_id I1"),
        ("fingerprint", SHA256, "online_id I1"),
        ("certificate.serial_number", "88123123", ""),
        ("note", uuid, ""),
        ("note", "352099001761481", ""),
        ("device_model", "iPhone15,2", ""),
        ("event_id", uuid, ""),
        ("idfa", "00000000-0000-0000-0000-000000000000", ""),
    ]);
}

#[test]
fn people_and_pictures() {
    check_keys(
        "user_id userId distinct_id external_id customer_id customerId shopify_customer_id uid \
         user.id externalId user_data.external_id customer_user_id",
        "u-4711",
        "external_id I1",
    );
    check_keys("order_id product_id item.id guide widget_id", "u-4711", "");
    check_keys(
        "ip ip_addr client_ip_address clientIp x-forwarded-for user_ip $ip",
        "::ffff:203.0.113.9",
        "ip I1",
    );
    check_keys("server_ip version app_version host_ip", "203.0.113.9", "");
    check_keys(
        "avatar patient.photo profile_picture selfie_url user.image",
        "jane.jpg",
        "photo I3",
    );
    check_keys("product.image item.photo image logo", "jane.jpg", "");
    check_keys(
        "voiceprint face_template patient.fingerprint fingerprint_scan",
        "ab12cd34ef",
        "biometric I3",
    );
    check_keys(
        "gender sex patient_gender $gender user_data.ge birth_sex",
        "f",
        "sex I1",
    );
    check(&[
        ("avatar", "data:image/png;base64,iVBORw0KGgo", "photo I3"),
        ("face_id", "true", ""),
        ("user_id", &digest_of_nothing(), ""),
        ("email", &digest_of_nothing(), ""),
    ]);
}

/// SHA-256 of the empty text.
fn digest_of_nothing() -> String {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_owned()
}

#[test]
fn what_others_have_too() {
    for pairs in [
        &[
            ("feature.display_name", "New Nav"),
            ("group.traits.name", "Acme"),
            ("traits.name", "Acme Corp"),
            ("data.attributes.name", "Checkout"),
            ("experiment.name", "Checkout Button"),
            ("organization.name", "Acme"),
        ][..],
        &[
            ("store.phone", "415-562-0132"),
            ("store.city", "Oakland"),
            ("store.zip", "94601"),
            ("provider.phone", "415-562-0132"),
        ],
        &[
            ("patient", "New Patient"),
            ("properties.birth", "1"),
            ("properties.mobile", "1"),
            ("properties.card", "gift_card"),
            ("properties.address", "/checkout"),
            ("tracking_number", "1Z999AA10123456784"),
            ("isbn", "978-3-16-148410-0"),
            ("order", "114-3941689-8772232"),
            ("part_no", "12-345-6789"),
            ("exception.fingerprint", SHA256),
            (
                "integrity",
                "sha256-/42YGfwOEr8NJIkuRZh+JJoo3Og2qFytYOKOqqjG2XY=",
            ),
            ("uuid", "6d92078a-8246-4ba4-ae5b-76104861e7dc"),
        ],
    ] {
        assert_eq!(found(pairs), "");
    }
}

#[test]
fn labels_in_a_text() {
    check(&[
        ("message", "Jane, DOB: 02/29/1984, wrote", "birth_date I3"),
        ("message", "born 29.02.1984.", "birth_date I3"),
        ("message", "MRN# A0012345; please call", "mrn I3"),
        ("message", "mrn: 4711", "mrn I3"),
        ("message", "on 02/29/1984", ""),
        ("message", "the mrn is unknown", ""),
        ("message", "birth certificate since 2019", ""),
    ]);
}
