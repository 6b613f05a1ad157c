//! Synthetic people, made of word tables by a seeded generator. None of them exists.

use crate::rng::Rng;

const FIRST: &[&str] = &[
    "Maria",
    "James",
    "Aisha",
    "Wei",
    "Olga",
    "Carlos",
    "Priya",
    "Noah",
    "Fatima",
    "Liam",
    "Chioma",
    "Hannah",
    "Diego",
    "Yuki",
    "Grace",
    "Omar",
    "Elena",
    "Tyrone",
    "Ingrid",
    "Mateo",
    "Shanice",
    "Bjorn",
    "Leila",
    "Patrick",
    "Sofia",
    "Dmitri",
    "Kehinde",
    "Rosa",
    "Vikram",
    "Emma",
    "Jean-Luc",
    "Anne Marie",
];
const LAST: &[&str] = &[
    "Garcia",
    "Okafor",
    "Nguyen",
    "Smith",
    "Johansson",
    "Patel",
    "Kowalski",
    "Haddad",
    "Brown",
    "Fernandez",
    "Kim",
    "O'Brien",
    "Schwartz",
    "Tanaka",
    "Dubois",
    "Washington",
    "Ivanova",
    "Mensah",
    "Rossi",
    "Lindqvist",
    "Castillo",
    "Farouk",
    "McAllister",
    "Yamamoto",
    "Petrov",
    "Goldberg",
    "Achebe",
    "Svensson",
    "Delgado",
    "Novak",
    "Baker-Hughes",
    "van der Berg",
];
const STREETS: &[&str] = &[
    "Maple Street",
    "Oak Ave",
    "Sunset Blvd",
    "2nd Street",
    "Lincoln Road",
    "Elm Drive",
    "Washington Ave",
    "Birch Lane",
    "Highland Court",
    "Park Place",
];
const PLACES: &[(&str, &str, &str)] = &[
    ("Austin", "TX", "787"),
    ("Denver", "CO", "802"),
    ("Portland", "OR", "972"),
    ("Columbus", "OH", "432"),
    ("Tampa", "FL", "336"),
    ("Boise", "ID", "837"),
    ("Raleigh", "NC", "276"),
    ("Fresno", "CA", "937"),
    ("Buffalo", "NY", "142"),
    ("St. Louis", "MO", "631"),
    ("Des Moines", "IA", "503"),
    ("Tucson", "AZ", "857"),
];
const MAIL: &[&str] = &[
    "gmail.com",
    "yahoo.com",
    "outlook.com",
    "icloud.com",
    "example.com",
    "example.org",
    "aol.com",
    "proton.me",
    "comcast.net",
    "mail.example.co.uk",
];
const AREAS: &[&str] = &[
    "512", "720", "503", "614", "813", "208", "919", "559", "716", "314",
];

/// One synthetic person.
#[derive(Clone)]
pub struct Person {
    /// Given name.
    pub first: String,
    /// Family name.
    pub last: String,
    /// Email address.
    pub email: String,
    /// Phone number, as people or programs write it.
    pub phone: String,
    /// Date of birth, `YYYY-MM-DD`.
    pub birth: String,
    /// `male` or `female`.
    pub sex: &'static str,
    /// House and street.
    pub street: String,
    /// City.
    pub city: &'static str,
    /// Two letters.
    pub state: &'static str,
    /// Five digits.
    pub zip: String,
    /// Public address on the network.
    pub ip: String,
    /// The sender's own id.
    pub id: String,
    /// Advertising id.
    pub device: String,
}

impl Person {
    /// Someone new.
    pub fn new(rng: &mut Rng) -> Self {
        let first = rng.pick(FIRST).to_owned();
        let last = rng.pick(LAST).to_owned();
        let plain = |name: &str| {
            name.to_lowercase()
                .replace(|c: char| !c.is_ascii_alphabetic(), "")
        };
        let (f, l) = (plain(&first), plain(&last));
        let number = rng.range(1, 9999);
        let local = match rng.range(0, 3) {
            0 => format!("{f}.{l}{number}"),
            1 => format!("{}{l}{number}", &f[..1]),
            2 => format!("{f}_{l}+{number}"),
            _ => format!("{l}{}{number}", &f[..1]),
        };
        let mut email = format!("{local}@{}", rng.pick(MAIL));
        if rng.chance(8) {
            email = email.to_uppercase();
        }
        let (city, state, prefix) = rng.pick(PLACES);
        let (area, exchange, line) = (
            rng.pick(AREAS),
            format!("{}{}", rng.range(2, 9), rng.range(20, 99)),
            format!("{:04}", rng.range(1000, 9999)),
        );
        // Not the exchange of fiction, nor one that ends in 11.
        let exchange = if exchange == "555" {
            "546".to_owned()
        } else {
            exchange
        };
        let phone = match rng.range(0, 4) {
            0 => format!("+1{area}{exchange}{line}"),
            1 => format!("({area}) {exchange}-{line}"),
            2 => format!("{area}-{exchange}-{line}"),
            3 => format!("{area}{exchange}{line}"),
            _ => format!("+1 {area}.{exchange}.{line}"),
        };
        Self {
            birth: format!(
                "{}-{:02}-{:02}",
                rng.range(1938, 2007),
                rng.range(1, 12),
                rng.range(1, 28)
            ),
            sex: rng.pick(&["male", "female"]),
            street: format!("{} {}", rng.range(11, 9800), rng.pick(STREETS)),
            city,
            state,
            zip: format!("{prefix}{:02}", rng.range(1, 99)),
            ip: match rng.range(0, 4) {
                0 => format!("2600:1700:{}::{}", rng.hex(4), rng.hex(3)),
                _ => format!(
                    "73.{}.{}.{}",
                    rng.range(1, 250),
                    rng.range(0, 255),
                    rng.range(1, 254)
                ),
            },
            id: match rng.range(0, 4) {
                0 => rng.uuid(),
                1 => format!("usr_{}", rng.hex(16)),
                2 => format!("PT-{}", rng.digits(7)),
                3 => rng.hex(24),
                _ => rng.digits(8),
            },
            device: rng.uuid(),
            first,
            last,
            email,
            phone,
        }
    }

    /// Given and family name.
    pub fn name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }
}
