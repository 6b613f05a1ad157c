//! What else a message can be about: other trades whose words are those of
//! medicine too.

use super::sets::trade::NUMBER_WORDS;
use super::{lexicon::Kind, subject::Subject};

/// A trade that shares words with medicine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(super) enum Trade {
    /// Signs of the zodiac: cancer.
    Astrology,
    /// Tropical depressions, cold fronts.
    Weather,
    /// Depressions of an economy.
    Economy,
    /// Titles of songs, books and films.
    Media,
    /// Titles and states of games.
    Game,
    /// Dogs have anxiety and appointments too.
    Pet,
    /// Insurance of things and lives.
    OtherInsurance,
    /// Appointments with a car.
    Car,
    /// Appointments with a hairdresser.
    Beauty,
    /// Appointments with a salesperson.
    Sales,
    /// Appointments at a house.
    Property,
    /// Journeys and tables.
    Travel,
    /// Programs: diagnostics, providers, audits.
    Software,
    /// Courses about anything.
    School,
    /// Food and drink.
    Food,
    /// A service of which nothing is known but that it is not of medicine.
    Service,
}

/// A set of trades.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Trades(u16);

impl Trades {
    pub(super) const NONE: Self = Self(0);

    /// The set of `trades`.
    pub(super) const fn of(trades: &[Trade]) -> Self {
        let mut set = Self::NONE;
        let mut index = 0;
        while index < trades.len() {
            set = set.and(trades[index]);
            index += 1;
        }
        set
    }

    /// With `trade`.
    pub(super) const fn and(self, trade: Trade) -> Self {
        Self(self.0 | 1 << trade as u8)
    }

    /// The trades of both.
    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether some trade is in both.
    pub(super) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The trades that the value or its keys name.
    pub(super) fn of_subject(subject: &Subject<'_>) -> Self {
        // A number of a vehicle or a passport is someone's, whatever the trade.
        if subject
            .leaf()
            .is_some_and(|leaf| leaf.has_word(NUMBER_WORDS))
        {
            return Self::NONE;
        }
        let terms = subject.terms.iter().chain(subject.key_terms.iter());
        terms.fold(Self::NONE, |set, term| match term.kind {
            Kind::Trade(trade) => set.and(trade),
            _ => set,
        })
    }
}

/// Trades that name their things, or what happens to things, as medicine names
/// what happens to people.
pub(super) const SHARING: Trades = Trades::of(&[
    Trade::Astrology,
    Trade::Weather,
    Trade::Economy,
    Trade::Media,
    Trade::Game,
    Trade::Pet,
    Trade::Beauty,
    Trade::Software,
    Trade::School,
    Trade::Food,
]);

/// What its words mean.
pub(super) const KINDS: &[Kind] = &[
    Kind::Trade(Trade::Astrology),
    Kind::Trade(Trade::Weather),
    Kind::Trade(Trade::Economy),
    Kind::Trade(Trade::Media),
    Kind::Trade(Trade::Game),
    Kind::Trade(Trade::Pet),
    Kind::Trade(Trade::OtherInsurance),
    Kind::Trade(Trade::Car),
    Kind::Trade(Trade::Beauty),
    Kind::Trade(Trade::Sales),
    Kind::Trade(Trade::Property),
    Kind::Trade(Trade::Travel),
    Kind::Trade(Trade::Software),
    Kind::Trade(Trade::School),
    Kind::Trade(Trade::Food),
];
