//! The rules of identifiers.

use super::Topic;

const REMOVE: &str = "Stop sending it, or send it only to recipients with an agreement. A hash is \
                      no remedy: the recipient matches it with its own users.";
const PSEUDONYM: &str = "Beside health information it must not go to a tracker. Without any, check \
                         whether the recipient needs it.";

pub(super) const TOPICS: &[Topic] = &[
    Topic {
        class: "email",
        why: "An email address belongs to one person, and every large platform keeps it of its users.",
        hazards: "Mailboxes of organizations (support@, info@) count only under a key for people; \
                  machines (noreply@) never.",
        advice: REMOVE,
        rules: &[
            (
                "email.key",
                "An address under a key for email addresses (email, em, user_email).",
            ),
            ("email.key.hash", "A hash under a key for email addresses."),
            (
                "email.id.hash",
                "A hash in a list of ids that companies share (eids, urn, matchKey): of an address \
                 almost always.",
            ),
            (
                "email.joined.hash",
                "A hash between an integration code and a state (d_cid_ic).",
            ),
            (
                "email.unnamed.hash",
                "A hash under a key that says nothing (he, u3, dimension4) in a request to a \
                 tracker.",
            ),
            (
                "email.shape",
                "An address with a public suffix anywhere in a value or a URL.",
            ),
        ],
    },
    Topic {
        class: "phone",
        why: "A telephone number belongs to one person or household.",
        hazards: "Numbers of ten digits are also ids and times: without separators a key is needed. \
                  Toll-free numbers do not count.",
        advice: REMOVE,
        rules: &[
            ("phone.key", "A number under a key for telephone numbers."),
            (
                "phone.key.hash",
                "A hash under a key for telephone numbers.",
            ),
            (
                "phone.shape",
                "A number in the spelling of telephone numbers, with country code or separators.",
            ),
        ],
    },
    Topic {
        class: "name",
        why: "A name with any other identifier points at one person.",
        hazards: "Products, pages and companies have names too: the path has to be about a person. \
                  Alone it counts as a pseudonym, since many people have the same.",
        advice: REMOVE,
        rules: &[
            (
                "name.key",
                "A name under a key for names of people, or `name` in an object about a person.",
            ),
            ("name.key.hash", "A hash under such a key."),
            (
                "name.key.soundex",
                "The Soundex code of a name under such a key.",
            ),
        ],
    },
    Topic {
        class: "birth_date",
        why: "With a postal code and a sex, a date of birth is unique for most people.",
        hazards: "Other dates are no dates of birth: the key has to say so.",
        advice: REMOVE,
        rules: &[
            ("birth_date.key", "A date under a key for dates of birth."),
            ("birth_date.key.hash", "A hash under such a key."),
            (
                "birth_date.label",
                "A date in a text behind words for a date of birth (DOB, born on).",
            ),
            (
                "birth_date.key.part",
                "A day, month or year of birth under a key of its own.",
            ),
            (
                "birth_date.key.age",
                "An age above 89, which HIPAA counts as an identifier, or an age under a key for ages.",
            ),
        ],
    },
    Topic {
        class: "service_date",
        why: "Dates of admission, discharge and service are identifiers under HIPAA.",
        hazards: "Dates of orders and events do not count.",
        advice: REMOVE,
        rules: &[
            ("service_date.key", "A date under a key for dates of care."),
            (
                "service_date.event",
                "A date in an event about health, under a key with words for dates of care; in one about an appointment, procedure, test or treatment under any key that does not say that it is another date.",
            ),
        ],
    },
    Topic {
        class: "address",
        why: "A street address is that of one household.",
        hazards: "The address of a clinic or shop is no patient's.",
        advice: REMOVE,
        rules: &[
            (
                "address.key",
                "A street address under a key for addresses of people.",
            ),
            ("address.key.hash", "A hash under such a key."),
            (
                "address.shape",
                "A house number and a street in the spelling of street addresses.",
            ),
        ],
    },
    Topic {
        class: "city",
        why: "HIPAA counts all places smaller than a state.",
        hazards: "It adds to other identifiers and never counts alone.",
        advice: PSEUDONYM,
        rules: &[
            ("city.key", "A city under a key for cities of people."),
            ("city.key.hash", "A hash under such a key."),
        ],
    },
    Topic {
        class: "zip",
        why: "HIPAA counts postal codes beyond the first three digits.",
        hazards: "Five digits are also ids: a key is needed.",
        advice: PSEUDONYM,
        rules: &[
            ("zip.key", "A postal code under a key for postal codes."),
            ("zip.key.hash", "A hash under such a key."),
        ],
    },
    Topic {
        class: "geo",
        why: "Coordinates can show a home or a clinic visit.",
        hazards: "Coordinates of shops count too where the path is about a person.",
        advice: PSEUDONYM,
        rules: &[
            ("geo.key", "A coordinate under a key for coordinates."),
            (
                "geo.key.pair",
                "A pair of coordinates in one value under such a key.",
            ),
        ],
    },
    Topic {
        class: "ssn",
        why: "A social security number is unique and opens doors.",
        hazards: "Nine digits alone pass its rules nine times of ten: dashes or a key are needed.",
        advice: REMOVE,
        rules: &[
            (
                "ssn.key",
                "A number under a key for social security numbers.",
            ),
            ("ssn.key.hash", "A hash under such a key."),
            (
                "ssn.key.last_four",
                "The last four digits under such a key.",
            ),
            (
                "ssn.shape",
                "Nine digits with dashes that pass the rules of issued numbers.",
            ),
        ],
    },
    Topic {
        class: "mrn",
        why: "A medical record number is one patient's.",
        hazards: "Ids of songs and records of other kinds: the key has to be about patients.",
        advice: REMOVE,
        rules: &[
            (
                "mrn.key",
                "A value under a key for record or patient numbers.",
            ),
            ("mrn.key.hash", "A hash under such a key."),
            (
                "mrn.event",
                "A number in an event about health, under a key with words for records or patients.",
            ),
            (
                "mrn.label",
                "A number in a text behind words for a record number (MRN, chart no.).",
            ),
            (
                "mrn.reference",
                "A reference to a patient's resource, as in FHIR (Patient/123).",
            ),
        ],
    },
    Topic {
        class: "health_plan_id",
        why: "The number of a health plan is one person's and says who insures them.",
        hazards: "Clubs have members and groups too: something about insurance has to stand near.",
        advice: REMOVE,
        rules: &[
            (
                "health_plan_id.key",
                "A value under a key for numbers of health plans.",
            ),
            ("health_plan_id.key.hash", "A hash under such a key."),
            (
                "health_plan_id.event",
                "A number in an event about health, under a key with words for members of plans.",
            ),
            (
                "health_plan_id.mbi",
                "A Medicare beneficiary identifier, known by its shape.",
            ),
        ],
    },
    Topic {
        class: "account",
        why: "A bank account or card is one person's.",
        hazards: "Accounts of software are no bank accounts; order numbers pass the check digit one time in ten.",
        advice: REMOVE,
        rules: &[
            ("account.key", "A value under a key for bank accounts."),
            ("account.key.hash", "A hash under such a key."),
            ("account.key.card", "A card number under a key for cards."),
            (
                "account.key.routing",
                "A routing number under a key for banks.",
            ),
            (
                "account.shape.card",
                "A card number with separators and a right check digit.",
            ),
            ("account.iban", "An IBAN with right check digits."),
        ],
    },
    Topic {
        class: "license",
        why: "A license or certificate number is one person's.",
        hazards: "Licenses of software and of plates are others.",
        advice: REMOVE,
        rules: &[
            ("license.key", "A value under a key for licenses of people."),
            ("license.key.hash", "A hash under such a key."),
            (
                "license.key.dea",
                "A DEA number of a prescriber with a right check digit, under its key.",
            ),
        ],
    },
    Topic {
        class: "vehicle",
        why: "Vehicle identifiers and plates are identifiers under HIPAA.",
        hazards: "In the trade with cars they say nothing about health.",
        advice: PSEUDONYM,
        rules: &[
            ("vehicle.key", "A value under a key for vehicle numbers."),
            ("vehicle.key.hash", "A hash under such a key."),
            ("vehicle.key.plate", "A plate under a key for plates."),
            (
                "vehicle.shape",
                "A vehicle identification number with a right check digit.",
            ),
        ],
    },
    Topic {
        class: "device_id",
        why: "An advertising or device id stays with a person for years, and trackers keep it.",
        hazards: "Ids of servers and libraries are no people's.",
        advice: PSEUDONYM,
        rules: &[
            (
                "device_id.key",
                "A value under a key for device or advertising ids.",
            ),
            (
                "device_id.shape.imei",
                "An IMEI with a right check digit beside a word for it.",
            ),
            ("device_id.shape.mac", "A MAC address."),
            ("device_id.shape.udi", "The identifier of a medical device."),
        ],
    },
    Topic {
        class: "online_id",
        why: "A cookie or click id is the recipient's own name of a person.",
        hazards: "Every event has one; it counts beside health information.",
        advice: PSEUDONYM,
        rules: &[
            (
                "online_id.key",
                "A value under a key for cookies, clicks and browsers (fbp, gclid, client_id).",
            ),
            (
                "online_id.shape",
                "A value in the shape of a tracker's cookie.",
            ),
        ],
    },
    Topic {
        class: "external_id",
        why: "The sender's own id of a user stays the same and joins everything that is sent.",
        hazards: "Ids of orders and products do not count.",
        advice: PSEUDONYM,
        rules: &[
            ("external_id.key", "A value under a key for ids of users."),
            ("external_id.key.hash", "A hash under such a key."),
            (
                "external_id.path",
                "An id of a user in the path of the request.",
            ),
            (
                "external_id.path.email_hash",
                "A hash of an email address in the path of the request.",
            ),
        ],
    },
    Topic {
        class: "ip",
        why: "An IP address of a client is an identifier under HIPAA.",
        hazards: "With the address of a public page alone, courts disagree: such a finding is low.",
        advice: PSEUDONYM,
        rules: &[
            (
                "ip.key",
                "A public address under a key for addresses of clients.",
            ),
            ("ip.key.hash", "A hash under such a key."),
        ],
    },
    Topic {
        class: "biometric",
        why: "Fingerprints, voices and faces are identifiers that nobody can change.",
        hazards: "The fingerprint of a browser or certificate is none.",
        advice: REMOVE,
        rules: &[
            ("biometric.key", "A value under a key for biometric data."),
            ("biometric.key.hash", "A hash under such a key."),
        ],
    },
    Topic {
        class: "photo",
        why: "A picture of a face is an identifier under HIPAA.",
        hazards: "Pictures of products are none.",
        advice: REMOVE,
        rules: &[(
            "photo.key",
            "A picture or its address under a key for pictures of people.",
        )],
    },
    Topic {
        class: "sex",
        why: "It narrows down who someone is, and gender identity is health information.",
        hazards: "It never counts alone.",
        advice: PSEUDONYM,
        rules: &[
            ("sex.key", "A sex or gender under its key."),
            ("sex.key.hash", "A hash under such a key."),
        ],
    },
];
