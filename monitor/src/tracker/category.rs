//! The business of a recipient, and how severe a disclosure to it is.

use crate::name::named;

named! {
    /// The business of a recipient.
    pub enum Category {
        /// Advertising platform.
        Ads = "ads",
        /// Demand-side platform of programmatic advertising.
        Dsp = "dsp",
        /// Identifies the person behind a cookie, an address or a hash.
        Identity = "identity",
        /// Data-management platform, which sells audiences.
        Dmp = "dmp",
        /// Advertising exchange or supply-side platform.
        Exchange = "exchange",
        /// Product or web analytics.
        Analytics = "analytics",
        /// Session replay.
        Replay = "replay",
        /// Customer-data platform, which fans out to others.
        Cdp = "cdp",
        /// Attribution of app installs.
        Attribution = "attribution",
        /// Email, text and push messaging.
        Messaging = "messaging",
        /// Chat and tickets with customers.
        Support = "support",
        /// Customer records.
        Crm = "crm",
        /// Forms that visitors fill in.
        Forms = "forms",
        /// Experiments, feature flags and personalization.
        Experiment = "experiment",
        /// Surveys.
        Survey = "survey",
        /// Attribution of telephone calls.
        CallTracking = "call_tracking",
        /// Errors, logs and performance.
        Observability = "observability",
        /// A loader of other tags.
        TagManager = "tag_manager",
    }
}

impl Category {
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

named! {
    /// How certain the catalog is of an entry, the least first.
    pub enum Confidence {
        /// Common knowledge that nobody has checked.
        Low = "low",
        /// From documentation, or from code that others run.
        Medium = "medium",
        /// Seen with the platform's own SDK, or from several sources that agree.
        High = "high",
    }
}
