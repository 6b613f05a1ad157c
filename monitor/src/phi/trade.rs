//! What else a message can be about: other trades whose words are those of
//! medicine too.

use super::{
    lexicon::{Kind, Table},
    subject::Subject,
};

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

/// Words of keys whose value is a number that points at someone.
const NUMBER_WORDS: &[&str] = &["id", "no", "number", "plate", "serial", "vin"];

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

/// Words that say which trade a message is about. Each has to be enough by
/// itself: `market`, `track` and `level` are not.
pub(super) const TERMS: &[Table] = &[
    (
        Kind::Trade(Trade::Astrology),
        &[
            "astrology",
            "birth chart",
            "horoscope",
            "star sign",
            "sun sign",
            "tarot",
            "zodiac",
        ],
    ),
    (
        Kind::Trade(Trade::Weather),
        &[
            "cyclone",
            "hurricane",
            "noaa",
            "storm",
            "tropical depression",
            "weather",
        ],
    ),
    (
        Kind::Trade(Trade::Economy),
        &[
            "dow jones",
            "economic",
            "economics",
            "economy",
            "gdp",
            "great depression",
            "interest rate",
            "macroeconomic",
            "recession",
            "stock market",
        ],
    ),
    (
        Kind::Trade(Trade::Media),
        &[
            "album",
            "artist",
            "audiobook",
            "beats",
            "bookstore",
            "box office",
            "concert",
            "dvd",
            "hardcover",
            "imdb",
            "lyrics",
            "mixtape",
            "movie",
            "paperback",
            "playlist",
            "podcast",
            "song",
            "soundtrack",
            "spotify",
            "trailer",
            "vinyl",
        ],
    ),
    (
        Kind::Trade(Trade::Game),
        &[
            "boss",
            "dlc",
            "dungeon",
            "esports",
            "game",
            "gameplay",
            "gaming",
            "guild",
            "leaderboard",
            "loot",
            "matchmaking",
            "nintendo",
            "playstation",
            "respawn",
            "speedrun",
            "xbox",
            "xp",
        ],
    ),
    (
        Kind::Trade(Trade::Pet),
        &[
            "breed",
            "dog",
            "groomer",
            "kennel",
            "kitten",
            "pet",
            "puppy",
            "veterinarian",
            "veterinary",
        ],
    ),
    (
        Kind::Trade(Trade::OtherInsurance),
        &[
            "auto insurance",
            "boat insurance",
            "car insurance",
            "collision",
            "contents insurance",
            "condo insurance",
            "dwelling",
            "earthquake",
            "flood insurance",
            "home insurance",
            "allstate",
            "esurance",
            "farmers insurance",
            "geico",
            "hiscox",
            "homeowner",
            "insurance auto",
            "insurance home",
            "jewelry",
            "landlord",
            "lemonade insurance",
            "liability",
            "liberty mutual",
            "life insurance",
            "motorcycle",
            "pet insurance",
            "property insurance",
            "progressive insurance",
            "renters",
            "roadside assistance",
            "state farm",
            "term life",
            "travel insurance",
            "trip cost",
            "underwriting",
            "vehicle",
            "vin",
            "windshield",
        ],
    ),
    (
        Kind::Trade(Trade::Car),
        &[
            "auto repair",
            "car care",
            "rust",
            "auto shop",
            "automotive",
            "brake",
            "dealership",
            "mechanic",
            "mileage",
            "oil change",
            "test drive",
            "tire rotation",
            "tires",
            "trade in",
        ],
    ),
    (
        Kind::Trade(Trade::Beauty),
        &[
            "barber",
            "barbershop",
            "bridal",
            "eyelash",
            "fitting room",
            "hair color",
            "haircut",
            "hairdresser",
            "hairstylist",
            "lash extension",
            "makeup",
            "manicure",
            "massage chair",
            "nail salon",
            "pedicure",
            "personal shopper",
            "personal styling",
            "piercing",
            "salon",
            "stylist",
            "tattoo",
            "waxing",
        ],
    ),
    (
        Kind::Trade(Trade::Sales),
        &[
            "account executive",
            "book a demo",
            "discovery call",
            "kickoff call",
            "onboarding call",
            "product demo",
            "product tour",
            "sales call",
            "sdr",
            "showroom",
            "strategy call",
            "webinar",
        ],
    ),
    (
        Kind::Trade(Trade::Property),
        &[
            "apartment",
            "bedrooms",
            "home inspection",
            "home tour",
            "kitchen design",
            "solar",
            "roofing",
            "remodel",
            "hvac",
            "lender",
            "mortgage",
            "moving company",
            "open house",
            "plumber",
            "real estate",
            "realtor",
        ],
    ),
    (
        Kind::Trade(Trade::Travel),
        &[
            "airfare",
            "airline",
            "check in date",
            "cruise",
            "flight",
            "hotel",
            "itinerary",
            "passport",
            "restaurant",
            "reservation",
        ],
    ),
    (
        Kind::Trade(Trade::Software),
        &[
            "api gateway",
            "cpu",
            "deploy",
            "deployment",
            "endpoint",
            "firmware",
            "github",
            "gitlab",
            "kubernetes",
            "microservice",
            "pull request",
            "repository",
            "saml",
            "stack trace",
            "sso",
            "test coverage",
            "unit test",
            "webhook",
        ],
    ),
    (
        Kind::Trade(Trade::School),
        &[
            "certificate",
            "classroom",
            "curriculum",
            "homework",
            "lesson",
            "semester",
            "syllabus",
            "tuition",
            "university",
        ],
    ),
    (
        Kind::Trade(Trade::Food),
        &[
            "bakery",
            "beer",
            "brewery",
            "cookbook",
            "espresso",
            "menu",
            "pizza",
            "recipe",
            "restaurant",
            "wine",
        ],
    ),
];
