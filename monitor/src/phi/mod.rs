//! Fields to protected health information.
//!
//! Input: [`Field`](crate::field::Field)s. Output: [`Evidence`]. One file per
//! class of identifier or health information; key names decide, values confirm,
//! since value shapes alone are weak. This stage never sees HTTP.

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

/// How an identifier is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// As it is.
    Plain,
    /// SHA-256.
    Sha256,
    /// SHA-1.
    Sha1,
    /// MD5.
    Md5,
    /// Soundex code of a name.
    Soundex,
}
