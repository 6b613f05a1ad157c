//! Names of drugs: treatment of the use of substances.

/// Generic names and brands.
#[rustfmt::skip]
pub(super) const NAMES: &[&str] = &[
    "naltrexone", "buprenorphine", "naloxone", "methadone", "disulfiram", "acamprosate",
    "nalmefene", "lofexidine", "varenicline", "cytisinicline", "suboxone", "subutex",
    "zubsolv", "bunavail", "sublocade", "brixadi", "probuphine", "vivitrol", "revia", "depade",
    "antabuse", "campral", "lucemyra", "narcan", "kloxxado", "zimhi", "rextovy", "opvee",
    "evzio", "chantix", "champix", "nicorette", "nicoderm", "nicotrol", "methadose",
    "dolophine", "diskets", "butrans", "belbuca", "nicotine patch", "nicotine gum",
    "nicotine lozenge", "nicotine replacement",
];
