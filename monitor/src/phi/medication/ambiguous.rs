//! Names of drugs that have other meanings: batteries, first names, cities, shops.

/// Names that count beside other evidence of health.
#[rustfmt::skip]
pub(super) const SUBSTANCES: &[&str] = &[
    "concerta", "estradiol", "insulin", "lithium", "testosterone", "estrogen", "progesterone",
    "zantac", "allegra", "claritin", "zyrtec", "benadryl", "tylenol", "advil", "aspirin",
    "ibuprofen", "acetaminophen", "paracetamol", "melatonin", "nicotine", "folic acid",
    "vitamin d", "vitamin b12", "cbd", "thc", "cannabis", "marijuana", "kratom", "dhea",
    "steroid", "cipro", "quinine", "adrenaline", "cortisone", "statin", "antibiotic",
    "antifungal", "antihistamine", "sedative", "trt", "hrt", "opium", "nitroglycerin",
];

/// Names that need a key or a dose.
#[rustfmt::skip]
pub(super) const WORDS: &[&str] = &[
    "soma", "yaz", "sudafed", "mucinex", "motrin", "aleve", "excedrin", "midol", "biotin",
    "niacin", "kava", "potassium chloride", "sodium bicarbonate", "plan b", "ella", "alli",
    "skyla", "jalyn", "alora", "edex", "exelon", "doral", "metadate", "cambia", "actos",
    "rayos", "beyaz", "larin", "norco", "impavido", "ismo", "camila", "portia", "errin",
    "apri", "renova", "sonata", "intermezzo", "azor", "duac", "carac", "olux", "compro",
    "capex", "vantas", "emend", "dextrose", "glucose tablets", "arnica", "senna",
    "simethicone", "tums", "rolaids", "maalox", "pepto", "dulcolax", "metamucil", "robitussin",
    "nyquil", "dayquil", "delsym", "neosporin", "polysporin", "bengay", "proactiv", "nix",
    "rid lice", "amethyst", "ocella", "calan", "tessalon perle", "lanthanum", "luminal",
    "lustral", "hydroquinone", "tolak", "hulio", "fluad",
];
