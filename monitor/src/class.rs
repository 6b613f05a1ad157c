//! The classes of identifiers and of health information, the forms in which an
//! identifier is written, and in which protocol and how completely a message came:
//! the words that detection, findings and redacted captures share.

use serde::Serialize;

use crate::name::{Named, Read, named};

/// What a value is evidence of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Class {
    /// Of who someone is.
    Identifier(Identifier),
    /// Of someone's health.
    Health(Health),
}

impl Class {
    /// The name in records and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identifier(identifier) => identifier.as_str(),
            Self::Health(health) => health.as_str(),
        }
    }

    /// Whether it is one of health information.
    pub const fn is_health(self) -> bool {
        matches!(self, Self::Health(_))
    }

    /// The class of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        let health = || Health::from_name(name).map(Self::Health);
        Identifier::from_name(name)
            .map(Self::Identifier)
            .or_else(health)
    }
}

impl Read for Class {
    fn read(text: &str) -> Option<Self> {
        Self::from_name(text)
    }
}

impl Named for Class {
    fn name(self) -> &'static str {
        self.as_str()
    }
}

named! {
    /// How much one piece of evidence says by itself: the two axes of the severity
    /// matrix. Identifiers have `I1` to `I3`, health information `H2` or `H3`.
    pub enum Strength {
        /// A pseudonym, or a part of an identifier.
        I1 = "I1",
        /// A direct identifier, hashed.
        I2 = "I2",
        /// A direct identifier as it is.
        I3 = "I3",
        /// A term in a context: URL, title, name of an event.
        H2 = "H2",
        /// An explicit value.
        H3 = "H3",
    }
}

named! {
    /// The identifiers of the HIPAA Safe Harbor list, as far as a request can hold
    /// them (45 CFR 164.514(b)(2)).
    pub enum Identifier {
        /// A person's name, or part of it.
        Name = "name",
        /// An email address.
        Email = "email",
        /// A telephone number.
        Phone = "phone",
        /// A fax number.
        Fax = "fax",
        /// A street address.
        Address = "address",
        /// A city.
        City = "city",
        /// A postal code.
        Zip = "zip",
        /// Coordinates.
        Geo = "geo",
        /// A date of birth, or a part of it.
        BirthDate = "birth_date",
        /// A date of admission, discharge, service or appointment.
        ServiceDate = "service_date",
        /// A social security number.
        Ssn = "ssn",
        /// A medical record number.
        Mrn = "mrn",
        /// A health plan beneficiary number.
        HealthPlanId = "health_plan_id",
        /// A bank account or the like.
        Account = "account",
        /// A licence or certificate number.
        License = "license",
        /// A vehicle identifier.
        Vehicle = "vehicle",
        /// A device or advertising identifier.
        DeviceId = "device_id",
        /// A cookie, click or browser identifier of a tracker.
        OnlineId = "online_id",
        /// The sender's own id of a user.
        ExternalId = "external_id",
        /// An IP address of a client.
        Ip = "ip",
        /// A biometric identifier.
        Biometric = "biometric",
        /// A picture of a person.
        Photo = "photo",
        /// Sex or gender.
        Sex = "sex",
    }
}

named! {
    /// Kinds of health information.
    pub enum Health {
        /// A condition or diagnosis.
        Condition = "condition",
        /// A drug.
        Medication = "medication",
        /// A procedure.
        Procedure = "procedure",
        /// A laboratory test or result.
        Lab = "lab",
        /// A self-assessment: its name, answers or score.
        Assessment = "assessment",
        /// An appointment.
        Appointment = "appointment",
        /// A treatment or therapy.
        Treatment = "treatment",
        /// Insurance or benefits.
        Insurance = "insurance",
        /// A care provider.
        Provider = "provider",
        /// Reproductive health.
        Reproductive = "reproductive",
        /// Substance use.
        SubstanceUse = "substance_use",
        /// The service is such that using it says something about health.
        Inherent = "inherent",
    }
}

named! {
    /// How an identifier is written.
    pub enum Form {
        /// As it is.
        Plain = "plain",
        /// SHA-256.
        Sha256 = "sha256",
        /// SHA-1.
        Sha1 = "sha1",
        /// SHA-224.
        Sha224 = "sha224",
        /// SHA-384.
        Sha384 = "sha384",
        /// SHA-512.
        Sha512 = "sha512",
        /// MD5.
        Md5 = "md5",
        /// Soundex code of a name.
        Soundex = "soundex",
    }
}

named! {
    /// The protocol of a message.
    pub enum Protocol {
        /// HTTP/1.0 and HTTP/1.1.
        Http1 = "http/1.1",
        /// HTTP/2.
        Http2 = "http/2",
    }
}

named! {
    /// How much of something was seen. Ordered from best to worst.
    #[derive(Default)]
    pub enum Completeness {
        /// All of it.
        #[default]
        Complete = "complete",
        /// Only the beginning: a limit cut it, or the stream ended early.
        Truncated = "truncated",
        /// Bytes in the middle are missing.
        Gap = "gap",
        /// The stream was joined after it had begun.
        Late = "late",
    }
}

impl Completeness {
    /// The worse of the two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.max(other)
    }
}
