//! Attributes of a person for which platforms have no field, as senders put
//! them under keys of their own.

use crate::{
    content::Text,
    label::{Level, Note},
    person::Person,
    rng::Rng,
    words::{Split, Words},
};

/// One kind of attribute: its class, its keys, classes that mean the same, and
/// classes that may be reported besides.
struct Kind {
    class: &'static str,
    keys: &'static [&'static str],
    or: &'static [&'static str],
    also: &'static [&'static str],
    value: fn(&Person, &mut Rng) -> String,
}

const fn kind(
    class: &'static str,
    keys: &'static [&'static str],
    value: fn(&Person, &mut Rng) -> String,
) -> Kind {
    Kind {
        class,
        keys,
        or: &[],
        also: &[],
        value,
    }
}

const KINDS: &[Kind] = &[
    kind(
        "ssn",
        &["ssn", "social_security_number", "patientSSN"],
        |_, rng| {
            format!(
                "{}-{:02}-{:04}",
                rng.range(201, 665),
                rng.range(1, 99),
                rng.range(1, 9999)
            )
        },
    ),
    kind(
        "mrn",
        &[
            "mrn",
            "medical_record_number",
            "MRN",
            "chart_number",
            "patientMrn",
        ],
        |_, rng| format!("{}{}", rng.pick(&["", "MRN", "E"]), rng.digits(7)),
    ),
    // A plan number counts as insurance too, and some keys do not say what a
    // member is a member of.
    Kind {
        also: &["insurance", "external_id"],
        ..kind(
            "health_plan_id",
            &[
                "insurance_member_id",
                "subscriberId",
                "member_id",
                "insurancePolicyNumber",
            ],
            |_, rng| rng.text(b"ABCDEFGHJKMNPQRTUVWXY", 3) + &rng.digits(9),
        )
    },
    Kind {
        also: &["insurance"],
        ..kind(
            "health_plan_id",
            &["mbi", "medicare_id", "medicareNumber"],
            |_, rng| medicare(rng),
        )
    },
    kind(
        "birth_date",
        &["dob", "date_of_birth", "birthDate", "BirthDate", "birthday"],
        |person, _| person.birth.clone(),
    ),
    kind(
        "zip",
        &["zip", "zip_code", "postalCode", "postal_code"],
        |person, _| person.zip.clone(),
    ),
    Kind {
        also: &["city", "zip"],
        ..kind(
            "address",
            &["address", "street_address", "address_line_1", "homeAddress"],
            |person, _| format!("{}, {}", person.street, person.city),
        )
    },
    kind("sex", &["gender", "sex"], |person, _| person.sex.to_owned()),
    kind(
        "phone",
        &["mobile", "cell_phone", "phoneNumber", "contact_phone"],
        |person, _| person.phone.clone(),
    ),
    kind("fax", &["fax", "fax_number"], |_, rng| {
        format!("+1512{}{}", rng.range(220, 990), rng.range(1000, 9999))
    }),
    kind(
        "license",
        &["drivers_license", "driver_license_number", "dl_number"],
        |_, rng| rng.text(b"ABCDEFGHJKL", 1) + &rng.digits(8),
    ),
    kind(
        "account",
        &["bank_account_number", "iban", "account_number"],
        |_, _| "DE89370400440532013000".to_owned(),
    ),
    kind("vehicle", &["vin", "vehicle_vin"], |_, _| {
        "1M8GDM9AXKP042788".to_owned()
    }),
    kind(
        "geo",
        &["latlng", "geo", "lat_lng", "coordinates"],
        |_, rng| {
            format!(
                "{}.{},-{}.{}",
                rng.range(26, 47),
                rng.digits(5),
                rng.range(70, 121),
                rng.digits(5)
            )
        },
    ),
    kind(
        "photo",
        &["profile_photo", "avatar_url", "photo_url", "patient_photo"],
        |_, rng| format!("https://cdn.example.com/u/{}.jpg", rng.hex(16)),
    ),
    Kind {
        or: &["appointment"],
        ..kind(
            "service_date",
            &["admission_date", "discharge_date", "date_of_service"],
            |_, rng| format!("2026-{:02}-{:02}", rng.range(1, 11), rng.range(1, 28)),
        )
    },
];

/// A key and what stands under it.
pub fn attribute(person: &Person, words: &Words, split: Split, rng: &mut Rng) -> (String, Text) {
    let Kind {
        class,
        keys,
        or,
        also,
        value,
    } = &KINDS[rng.index(KINDS.len())];
    let level = match *class {
        "zip" | "sex" | "service_date" | "geo" | "photo" => Level::Weak,
        _ => Level::Direct,
    };
    let own = |classes: &[&str]| classes.iter().map(|class| (*class).to_owned()).collect();
    let note = Note {
        class: (*class).to_owned(),
        or: own(or),
        also: own(also),
        level,
        health: false,
        template: format!("{class} {}", keys.join("|")),
    };
    let spellings = words.spellings(keys[0], split);
    let key = match spellings {
        Some(spellings) => rng.pick(spellings),
        None => rng.pick(keys).to_owned(),
    };
    let mut value = value(person, rng);
    if split == Split::Unseen && *class == "birth_date" {
        value = other_date(&value, rng);
    }
    (
        key,
        Text {
            json: None,
            value,
            notes: vec![note],
        },
    )
}

/// `YYYY-MM-DD` as other programs write it.
fn other_date(date: &str, rng: &mut Rng) -> String {
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts[..] else {
        return date.to_owned();
    };
    match rng.range(0, 3) {
        0 => format!("{month}/{day}/{year}"),
        1 => format!("{year}{month}{day}"),
        2 => format!("{date}T00:00:00Z"),
        _ => date.to_owned(),
    }
}

/// A Medicare beneficiary identifier.
fn medicare(rng: &mut Rng) -> String {
    const LETTERS: &[u8] = b"ACDEFGHJKMNPQRTUVWXY";
    const BOTH: &[u8] = b"0123456789ACDEFGHJKMNPQRTUVWXY";
    const DIGITS: &[u8] = b"0123456789";
    let mut out = rng.text(b"123456789", 1);
    for alphabet in [
        LETTERS, BOTH, DIGITS, LETTERS, BOTH, DIGITS, LETTERS, LETTERS, DIGITS, DIGITS,
    ] {
        out += &rng.text(alphabet, 1);
    }
    if rng.chance(40) {
        out.insert(7, '-');
        out.insert(4, '-');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unseen_split_spells_every_key_differently() {
        let words = Words::load().unwrap();
        for kind in KINDS {
            let spellings = words.spellings(kind.keys[0], Split::Unseen).unwrap();
            for key in spellings {
                assert!(!kind.keys.contains(&key.as_str()), "{key}");
            }
            assert!(words.spellings(kind.keys[0], Split::Known).is_none());
        }
    }
}
