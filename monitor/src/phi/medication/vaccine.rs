//! Names of drugs: vaccines.

/// Generic names and brands.
#[rustfmt::skip]
pub(super) const NAMES: &[&str] = &[
    "comirnaty", "spikevax", "novavax", "covid vaccine", "covid 19 vaccine", "covid booster",
    "flu shot", "flu vaccine", "influenza vaccine", "fluzone", "flucelvax", "fluarix",
    "flulaval", "flublok", "flumist", "afluria", "shingrix", "zostavax", "shingles vaccine",
    "gardasil", "cervarix", "hpv vaccine", "prevnar", "vaxneuvance", "capvaxive", "pneumovax",
    "pneumonia vaccine", "havrix", "vaqta", "twinrix", "engerix", "heplisav", "recombivax",
    "prehevbrio", "hepatitis b vaccine", "hepatitis a vaccine", "mmr vaccine", "priorix",
    "proquad", "varivax", "varicella vaccine", "pentacel", "pediarix", "vaxelis", "kinrix",
    "quadracel", "infanrix", "daptacel", "adacel", "boostrix", "tdap", "tdap vaccine",
    "tetanus shot", "menactra", "menveo", "menquadfi", "bexsero", "trumenba", "penbraya",
    "penmenvy", "rotateq", "rotarix", "arexvy", "abrysvo", "mresvia", "rsv vaccine",
    "nirsevimab", "beyfortus", "clesrovimab", "enflonsia", "palivizumab", "synagis", "imovax",
    "rabavert", "rabies vaccine", "ixiaro", "vivotif", "typhim vi", "typhoid vaccine",
    "vaxchora", "ixchiq", "vimkunya", "jynneos", "mpox vaccine", "monkeypox vaccine",
    "dengvaxia", "ervebo", "ticovac", "bcg vaccine", "tuberculin", "tubersol", "aplisol",
];
