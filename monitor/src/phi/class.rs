//! The classes of identifiers and of health information, and the forms in which
//! an identifier is written.

/// The identifiers of the HIPAA Safe Harbor list, as far as a request can hold
/// them (45 CFR 164.514(b)(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Identifier {
    /// A person's name, or part of it.
    Name,
    /// An email address.
    Email,
    /// A telephone number.
    Phone,
    /// A fax number.
    Fax,
    /// A street address.
    Address,
    /// A city.
    City,
    /// A postal code.
    Zip,
    /// Coordinates.
    Geo,
    /// A date of birth, or a part of it.
    BirthDate,
    /// A date of admission, discharge, service or appointment.
    ServiceDate,
    /// A social security number.
    Ssn,
    /// A medical record number.
    Mrn,
    /// A health plan beneficiary number.
    HealthPlanId,
    /// A bank account or the like.
    Account,
    /// A licence or certificate number.
    License,
    /// A vehicle identifier.
    Vehicle,
    /// A device or advertising identifier.
    DeviceId,
    /// A cookie, click or browser identifier of a tracker.
    OnlineId,
    /// The sender's own id of a user.
    ExternalId,
    /// An IP address of a client.
    Ip,
    /// A biometric identifier.
    Biometric,
    /// A picture of a person.
    Photo,
    /// Sex or gender.
    Sex,
}

impl Identifier {
    /// Every identifier.
    pub const ALL: &'static [Self] = &[
        Self::Name,
        Self::Email,
        Self::Phone,
        Self::Fax,
        Self::Address,
        Self::City,
        Self::Zip,
        Self::Geo,
        Self::BirthDate,
        Self::ServiceDate,
        Self::Ssn,
        Self::Mrn,
        Self::HealthPlanId,
        Self::Account,
        Self::License,
        Self::Vehicle,
        Self::DeviceId,
        Self::OnlineId,
        Self::ExternalId,
        Self::Ip,
        Self::Biometric,
        Self::Photo,
        Self::Sex,
    ];

    /// The name in records and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Fax => "fax",
            Self::Address => "address",
            Self::City => "city",
            Self::Zip => "zip",
            Self::Geo => "geo",
            Self::BirthDate => "birth_date",
            Self::ServiceDate => "service_date",
            Self::Ssn => "ssn",
            Self::Mrn => "mrn",
            Self::HealthPlanId => "health_plan_id",
            Self::Account => "account",
            Self::License => "license",
            Self::Vehicle => "vehicle",
            Self::DeviceId => "device_id",
            Self::OnlineId => "online_id",
            Self::ExternalId => "external_id",
            Self::Ip => "ip",
            Self::Biometric => "biometric",
            Self::Photo => "photo",
            Self::Sex => "sex",
        }
    }
}

/// Kinds of health information.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Health {
    /// A condition or diagnosis.
    Condition,
    /// A drug.
    Medication,
    /// A procedure.
    Procedure,
    /// A laboratory test or result.
    Lab,
    /// A self-assessment: its name, answers or score.
    Assessment,
    /// An appointment.
    Appointment,
    /// A treatment or therapy.
    Treatment,
    /// Insurance or benefits.
    Insurance,
    /// A care provider.
    Provider,
    /// Reproductive health.
    Reproductive,
    /// Substance use.
    SubstanceUse,
    /// The service is such that using it says something about health.
    Inherent,
}

impl Health {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Condition,
        Self::Medication,
        Self::Procedure,
        Self::Lab,
        Self::Assessment,
        Self::Appointment,
        Self::Treatment,
        Self::Insurance,
        Self::Provider,
        Self::Reproductive,
        Self::SubstanceUse,
        Self::Inherent,
    ];

    /// The name in records and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Condition => "condition",
            Self::Medication => "medication",
            Self::Procedure => "procedure",
            Self::Lab => "lab",
            Self::Assessment => "assessment",
            Self::Appointment => "appointment",
            Self::Treatment => "treatment",
            Self::Insurance => "insurance",
            Self::Provider => "provider",
            Self::Reproductive => "reproductive",
            Self::SubstanceUse => "substance_use",
            Self::Inherent => "inherent",
        }
    }
}

/// How an identifier is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// As it is.
    Plain,
    /// SHA-256.
    Sha256,
    /// SHA-1.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// MD5.
    Md5,
    /// Soundex code of a name.
    Soundex,
}

impl Form {
    /// Every form.
    pub const ALL: &'static [Self] = &[
        Self::Plain,
        Self::Sha256,
        Self::Sha1,
        Self::Sha224,
        Self::Sha384,
        Self::Sha512,
        Self::Md5,
        Self::Soundex,
    ];

    /// The name in records and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Sha256 => "sha256",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Md5 => "md5",
            Self::Soundex => "soundex",
        }
    }
}
