//! The business of a recipient, and how severe a disclosure to it is.

/// The business of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// Advertising platform.
    Ads,
    /// Demand-side platform of programmatic advertising.
    Dsp,
    /// Identifies the person behind a cookie, an address or a hash.
    Identity,
    /// Data-management platform, which sells audiences.
    Dmp,
    /// Advertising exchange or supply-side platform.
    Exchange,
    /// Product or web analytics.
    Analytics,
    /// Session replay.
    Replay,
    /// Customer-data platform, which fans out to others.
    Cdp,
    /// Attribution of app installs.
    Attribution,
    /// Email, text and push messaging.
    Messaging,
    /// Chat and tickets with customers.
    Support,
    /// Customer records.
    Crm,
    /// Forms that visitors fill in.
    Forms,
    /// Experiments, feature flags and personalization.
    Experiment,
    /// Surveys.
    Survey,
    /// Attribution of telephone calls.
    CallTracking,
    /// Errors, logs and performance.
    Observability,
    /// A loader of other tags.
    TagManager,
}

impl Category {
    /// Every category.
    pub const ALL: &'static [Self] = &[
        Self::Ads,
        Self::Dsp,
        Self::Identity,
        Self::Dmp,
        Self::Exchange,
        Self::Analytics,
        Self::Replay,
        Self::Cdp,
        Self::Attribution,
        Self::Messaging,
        Self::Support,
        Self::Crm,
        Self::Forms,
        Self::Experiment,
        Self::Survey,
        Self::CallTracking,
        Self::Observability,
        Self::TagManager,
    ];

    /// The name in records, labels and catalog files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ads => "ads",
            Self::Dsp => "dsp",
            Self::Identity => "identity",
            Self::Dmp => "dmp",
            Self::Exchange => "exchange",
            Self::Analytics => "analytics",
            Self::Replay => "replay",
            Self::Cdp => "cdp",
            Self::Attribution => "attribution",
            Self::Messaging => "messaging",
            Self::Support => "support",
            Self::Crm => "crm",
            Self::Forms => "forms",
            Self::Experiment => "experiment",
            Self::Survey => "survey",
            Self::CallTracking => "call_tracking",
            Self::Observability => "observability",
            Self::TagManager => "tag_manager",
        }
    }

    /// The category that [`Category::as_str`] names.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|category| category.as_str() == name)
    }

    /// How severe a disclosure to this kind of recipient is.
    pub const fn weight(self) -> Weight {
        match self {
            Self::Ads | Self::Dsp | Self::Identity | Self::Dmp | Self::Exchange => Weight::R3,
            Self::Analytics
            | Self::Replay
            | Self::Cdp
            | Self::Attribution
            | Self::Messaging
            | Self::Support
            | Self::Crm
            | Self::Forms
            | Self::Experiment
            | Self::Survey
            | Self::CallTracking
            | Self::Observability
            | Self::TagManager => Weight::R2,
        }
    }
}

/// The recipient axis of the severity matrix, mildest first. R0, a first party,
/// is no recipient at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Weight {
    /// A third party with a declared business associate agreement.
    R1,
    /// Another third party.
    R2,
    /// Advertising and identity.
    R3,
}

impl Weight {
    /// The name in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::R1 => "R1",
            Self::R2 => "R2",
            Self::R3 => "R3",
        }
    }
}

/// How certain the catalog is of an entry, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// Common knowledge that nobody has checked.
    Low,
    /// From documentation, or from code that others run.
    Medium,
    /// Seen with the platform's own SDK, or from several sources that agree.
    High,
}

impl Confidence {
    /// Every confidence.
    pub const ALL: &'static [Self] = &[Self::Low, Self::Medium, Self::High];

    /// The name in records and catalog files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// The confidence that [`Confidence::as_str`] names.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|confidence| confidence.as_str() == name)
    }
}
