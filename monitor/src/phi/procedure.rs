//! Procedures: CPT and HCPCS codes by key, names of procedures and imaging in any
//! vehicle, values of procedure keys.
//!
//! Five digits are postal codes and prices too, so a code needs a key. Of CPT
//! only the format is used: its list and its texts have an owner.

use super::{
    Health, Hits, Strength,
    coding::{self, System},
    lexicon::{Kind, Table},
    subject::{Subject, Surroundings, Vehicle},
};

/// Names of procedures and of imaging. `surgery` and `x ray` alone are also
/// tools of other trades.
pub(super) const TERMS: &[Table] = &[(
    Kind::Procedure,
    &[
        "amniocentesis",
        "angiogram",
        "angioplasty",
        "appendectomy",
        "arthroscopy",
        "bariatric surgery",
        "biopsies",
        "biopsy",
        "bone density scan",
        "bone marrow transplant",
        "bone scan",
        "bottom surgery",
        "brain scan",
        "breast augmentation",
        "breast reduction",
        "bronchoscopy",
        "bypass surgery",
        "c section",
        "cardiac ablation",
        "cardiac catheterization",
        "cardioversion",
        "cataract surgery",
        "catheterization",
        "cesarean",
        "cholecystectomy",
        "circumcision",
        "colectomy",
        "colonoscopy",
        "colposcopy",
        "coronary bypass",
        "cosmetic surgery",
        "craniotomy",
        "cryotherapy for warts",
        "cryosurgery",
        "csection",
        "ct scan",
        "cystoscopy",
        "dexa scan",
        "dilation and curettage",
        "echocardiogram",
        "ect session",
        "ect therapy",
        "ect treatment",
        "eeg",
        "egg donation",
        "egg freezing",
        "egg retrieval",
        "ekg",
        "elective surgery",
        "electrocardiogram",
        "electroencephalogram",
        "electromyography",
        "embryo transfer",
        "endoscopy",
        "epidural",
        "facelift surgery",
        "facial feminization",
        "fertility preservation",
        "fetal ultrasound",
        "fistulotomy",
        "frozen embryo",
        "gallbladder removal",
        "gastrectomy",
        "gastric balloon",
        "gastric band",
        "gastric bypass",
        "gastric sleeve",
        "gender affirming surgery",
        "gender reassignment",
        "hair transplant",
        "heart surgery",
        "heart transplant",
        "hemodialysis",
        "hemorrhoidectomy",
        "hernia repair",
        "hip replacement",
        "hymenoplasty",
        "hysterectomy",
        "hysteroscopy",
        "intrauterine insemination",
        "iud insertion",
        "iud placement",
        "iud removal",
        "joint replacement",
        "ketamine infusion",
        "kidney transplant",
        "knee replacement",
        "knee surgery",
        "labiaplasty",
        "laminectomy",
        "laparoscopic",
        "laparoscopy",
        "lasik",
        "leep procedure",
        "lithotripsy",
        "liver transplant",
        "lumbar puncture",
        "lumpectomy",
        "mammogram",
        "mammography",
        "mastectomy",
        "mri",
        "mri scan",
        "myomectomy",
        "nephrectomy",
        "nerve block",
        "nexplanon insertion",
        "nuclear stress test",
        "oophorectomy",
        "open heart surgery",
        "orchiectomy",
        "organ transplant",
        "orthopedic surgery",
        "pacemaker",
        "pap smear",
        "pelvic exam",
        "pelvic ultrasound",
        "pet scan",
        "phalloplasty",
        "plastic surgery",
        "polypectomy",
        "polysomnography",
        "prostatectomy",
        "rhinoplasty",
        "root canal",
        "rotator cuff repair",
        "salpingectomy",
        "sclerotherapy",
        "septoplasty",
        "sigmoidoscopy",
        "skin graft",
        "sleep study",
        "sleeve gastrectomy",
        "sperm retrieval",
        "spinal fusion",
        "spinal tap",
        "stem cell transplant",
        "stent placement",
        "sterilization procedure",
        "surgical abortion",
        "surgical consult",
        "surgical procedure",
        "termination of pregnancy",
        "thoracentesis",
        "thyroidectomy",
        "tms session",
        "tms therapy",
        "tms treatment",
        "tonsillectomy",
        "top surgery",
        "tracheostomy",
        "transesophageal",
        "tubal ligation",
        "tummy tuck",
        "ultrasound scan",
        "upper endoscopy",
        "vaginoplasty",
        "vasectomies",
        "vasectomy",
        "vasectomy reversal",
        "virtual colonoscopy",
        "wisdom teeth removal",
        "wisdom tooth extraction",
    ],
)];

/// Words beside which a term means something else.
const UNLESS: &[(&str, &[&str])] = &[
    ("endoscopy", &["camera", "pipe", "usb"]),
    ("epidural", &["generator"]),
    ("pet scan", &["chip", "microchip"]),
    ("top surgery", &["game"]),
];

/// Words of keys that hold codes of procedures.
pub(super) const CODE_WORDS: &[&str] = &["cpt", "cpt4", "cpts", "hcpc", "hcpcs"];

/// Keys that hold them too.
pub(super) const CODE_KEYS: &[&str] = &[
    "procedurecode",
    "procedurecodes",
    "proccd",
    "proccode",
    "proccodes",
    "procedures",
    "procedureid",
    "surgerycode",
    "surgicalcode",
];

/// Keys that do where the event says something else about health: carriers and
/// shops have services and bills too.
pub(super) const SHARED_CODE_KEYS: &[&str] = &[
    "billingcode",
    "billingcodes",
    "billcode",
    "chargecode",
    "procedure",
    "servicecode",
    "servicecodes",
];

/// Keys of the codes of dentists.
pub(super) const DENTAL_KEYS: &[&str] = &["adacode", "cdt", "cdtcode", "dentalcode"];

/// Keys of the codes of hospital bills, under the same condition.
pub(super) const BILL_KEYS: &[&str] = &[
    "drg",
    "drgcode",
    "msdrg",
    "msdrgcode",
    "revcode",
    "revenuecode",
    "revenuecodes",
];

/// Words of keys of the codes of inpatient procedures.
pub(super) const PCS_WORDS: &[&str] = &["icd10pcs", "pcs"];

/// Keys whose text is a procedure, whatever it says.
pub(super) const KEYS: &[&str] = &[
    "medicalprocedure",
    "plannedsurgery",
    "previoussurgeries",
    "priorsurgeries",
    "pastsurgeries",
    "surgeries",
    "surgeryname",
    "surgerytype",
    "surgicalhistory",
    "surgicalprocedure",
];

/// Keys whose text is one if it is a term, or the event says something else
/// about health: programs have procedures too.
pub(super) const SHARED_KEYS: &[&str] = &[
    "imaging",
    "imagingtype",
    "operation",
    "operationperformed",
    "procedure",
    "procedurename",
    "procedures",
    "proceduretype",
    "requestedprocedure",
    "scheduledprocedure",
    "scan",
    "scantype",
    "surgery",
];

/// How Greek and Latin name what surgeons do.
const STEMS: &[&str] = &[
    "centesis", "ectomies", "ectomy", "oscopy", "ostomy", "otomy", "pexy", "plasty", "rrhaphy",
];

/// Words of such names begin with more than this.
const MIN_STEM_PREFIX: usize = 3;

/// Words of keys under which a term is someone's own.
const PROCEDURE_WORDS: &[&str] = &[
    "operation",
    "procedure",
    "procedures",
    "surgeries",
    "surgery",
    "treatment",
];

/// Codes of one list beyond this are not read.
const MAX_CODES: usize = 32;

pub(super) fn detect(subject: &Subject<'_>, around: Surroundings<'_>, hits: &mut Hits<'_>) {
    if subject.vehicle == Vehicle::Opaque {
        return;
    }
    if let Some((rule, code)) = code(subject, around) {
        hits.health(Health::Procedure, Strength::H3, rule, code);
    }
    let term = subject
        .terms
        .iter()
        .find(|term| term.kind == Kind::Procedure && !means_other(subject, term.phrase));
    let is_shared = subject.leaf_in(SHARED_KEYS);
    let keyed = subject.leaf_in(KEYS) || is_shared;
    if keyed && subject.is_text() {
        let is_medical =
            !is_shared || term.is_some() || subject.words().iter().any(has_stem) || around.health();
        // A class or a table of a program is one word in the case of programs.
        let is_name = subject.words().len() > 1 || term.is_some() || !is_shared;
        if is_medical && is_name {
            hits.health(
                Health::Procedure,
                Strength::H3,
                "procedure.key",
                subject.value,
            );
        }
    }
    let is_keyed_term = (subject.leaf()).is_some_and(|leaf| leaf.has_word(PROCEDURE_WORDS));
    if term.is_some() && is_keyed_term && super::sense::states(subject) {
        hits.health(
            Health::Procedure,
            Strength::H3,
            "procedure.key",
            subject.value,
        );
    }
    if let Some(term) = term {
        hits.health(
            Health::Procedure,
            Strength::H2,
            "procedure.term",
            term.phrase,
        );
    }
    // The result of one is a finding of a laboratory.
    let is_result = (subject.leaf()).is_some_and(|leaf| leaf.has_word(&["result", "results"]));
    if let Some(term) = subject.key_term(Kind::Procedure)
        && !is_result
    {
        let affirmed = !super::text::is_negative(subject.value) && !subject.is_context();
        let strength = if affirmed { Strength::H3 } else { Strength::H2 };
        hits.health(
            Health::Procedure,
            strength,
            "procedure.key_name",
            term.phrase,
        );
    }
}

/// Whether a word is the name of a procedure by its ending.
fn has_stem(word: &str) -> bool {
    STEMS
        .iter()
        .filter_map(|stem| word.strip_suffix(stem))
        .any(|prefix| prefix.len() >= MIN_STEM_PREFIX)
}

fn means_other(subject: &Subject<'_>, phrase: &str) -> bool {
    UNLESS
        .iter()
        .any(|(term, others)| *term == phrase && subject.has_word(others))
}

/// The code in the value and the rule by which it counts.
fn code<'a>(subject: &Subject<'a>, around: Surroundings<'_>) -> Option<(&'static str, &'a str)> {
    let find = |fits: fn(&str) -> bool| codes(subject.value).find(|code| fits(code));
    let named = subject.leaf_in(coding::CODE_KEYS) && around.coding.has(System::Procedure);
    if named || subject.near_word(CODE_WORDS) || subject.leaf_in(CODE_KEYS) {
        return Some(("procedure.code", find(is_procedure_code)?));
    }
    if subject.near_word(PCS_WORDS) {
        return Some(("procedure.pcs", find(is_pcs)?));
    }
    if subject.leaf_in(DENTAL_KEYS) {
        return Some(("procedure.code", find(is_dental_code)?));
    }
    if subject.leaf_in(SHARED_CODE_KEYS) {
        if let Some(code) = find(is_visit_code) {
            return Some(("procedure.code", code));
        }
        let code = find(is_procedure_code)?;
        return around.health().then_some(("procedure.code", code));
    }
    if subject.leaf_in(BILL_KEYS) {
        let code = find(is_bill_code)?;
        return around.health().then_some(("procedure.bill", code));
    }
    None
}

/// The words of a list of codes, or of a code and its meaning.
fn codes(value: &str) -> impl Iterator<Item = &str> {
    value
        .split([',', ';', '|', ' ', '"', '[', ']', '/'])
        .filter(|code| !code.is_empty())
        .take(MAX_CODES)
}

/// The shapes of CPT (five digits, or four and a letter of `FTUM`), HCPCS and
/// dental codes (a letter up to `V` and four digits); a modifier of two
/// characters may follow.
fn is_procedure_code(text: &str) -> bool {
    let code = text.get(..5).unwrap_or_default();
    let modifier = text.get(5..).unwrap_or_default();
    let [first, middle @ .., last] = code.as_bytes() else {
        return false;
    };
    let fits = middle.iter().all(u8::is_ascii_digit)
        && matches!(
            (first, last),
            (b'0'..=b'9', b'0'..=b'9' | b'F' | b'T' | b'U' | b'M') | (b'A'..=b'V', b'0'..=b'9')
        );
    fits && code != "00000" && is_modifier(modifier)
}

/// `D` and four digits.
fn is_dental_code(code: &str) -> bool {
    code.starts_with('D') && is_procedure_code(code)
}

/// The codes of visits and of psychotherapy, the most common ones: few other
/// numbers of services are among them.
fn is_visit_code(text: &str) -> bool {
    let Some(number) = text.get(..5).and_then(|code| code.parse::<u32>().ok()) else {
        return false;
    };
    is_procedure_code(text) && matches!(number, 99_202..=99_499 | 90_785..=90_899)
}

/// Nothing, or two characters behind a separator, at most four times.
fn is_modifier(text: &str) -> bool {
    let (groups, rest) = text.as_bytes().as_chunks::<3>();
    rest.is_empty()
        && groups.len() <= 4
        && groups.iter().all(|[separator, first, second]| {
            matches!(separator, b'-' | b':' | b'.')
                && first.is_ascii_alphanumeric()
                && second.is_ascii_alphanumeric()
        })
}

/// Seven digits and letters without `I` and `O`, with a digit among them.
fn is_pcs(code: &str) -> bool {
    code.len() == 7
        && code.bytes().any(|byte| byte.is_ascii_digit())
        && code.bytes().all(|byte| {
            byte.is_ascii_digit() || (byte.is_ascii_uppercase() && !b"IO".contains(&byte))
        })
}

/// Three or four digits.
fn is_bill_code(code: &str) -> bool {
    (3..=4).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit())
}
