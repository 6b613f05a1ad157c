//! Rules for keys.

use super::{Expect, Health, KeyRule, Spellings};

/// Every word that a rule begins with.
#[rustfmt::skip]
pub(super) const SUBJECTS: Spellings = &[
    "a1", "a1c", "addiction", "adhd", "alcohol", "alcoholic", "amh", "anxiety", "appointment",
    "appointments", "appt", "appts", "autism", "baby", "benefit", "benefits", "bilirubin",
    "biomarker", "biomarkers", "biopsy", "blood", "brca", "cannabis", "cardiologist", "care",
    "cd4", "chemo", "chemotherapy", "cholesterol", "cigarettes", "clinic", "clinician",
    "coinsurance", "columbia", "contraception", "contraceptive", "copay", "copayment",
    "cortisol", "cosmetic", "counseling", "counselling", "counselor", "craving", "cravings",
    "creatinine", "cytology", "deductible", "dental", "dentist", "depression", "dermatologist",
    "detox", "dialysis", "diastolic", "distress", "doctor", "drink", "drinking", "drinks",
    "drug", "drugs", "edinburgh", "egfr", "embryo", "embryos", "estradiol", "ferritin",
    "fertility", "follow", "followup", "genetic", "gestation", "gestational", "glucose",
    "gynecologist", "harm", "hba1c", "hcg", "hdl", "health", "hemoglobin", "hgb", "histology",
    "hormone", "hospital", "hrt", "imaging", "immunization", "immunizations", "inr", "ins",
    "insomnia", "insulin", "insurance", "insurer", "ivf", "lab", "laboratory", "labs", "ldl",
    "mammogram", "marijuana", "medicaid", "medical", "medicare", "medication", "medications",
    "medicine", "medicines", "meds", "menopause", "menstrual", "midwife", "mood", "mri", "next",
    "nicotine", "nurse", "obgyn", "ocd", "office", "oncologist", "oop", "opioid", "opioids",
    "overdose", "ovulation", "oxygen", "pack", "packs", "pain", "pathology", "patient", "payor",
    "pcp", "pediatrician", "pharmacist", "pharmacy", "phobia", "physical", "physician",
    "pocket", "practitioner", "pregnancies", "pregnancy", "prescriber", "prescription",
    "prescriptions", "prior", "progesterone", "provider", "psa", "psychiatrist", "psychologist",
    "psychotherapy", "ptsd", "radiology", "rehab", "rehabilitation", "relapse", "resting", "rx",
    "sexual", "sexually", "smoker", "smoking", "sober", "sobriety", "spo2", "stress",
    "substance", "substances", "suicidal", "suicide", "surgeon", "surgeries", "surgery",
    "symptom", "symptoms", "systolic", "telehealth", "testosterone", "therapies", "therapist",
    "therapy", "tobacco", "treatment", "triglycerides", "trimester", "tsh", "ultrasound",
    "upcoming", "vaccination", "vaccinations", "vaccine", "vaccines", "vape", "vaping", "video",
    "virtual", "vision", "visit", "vitamin", "withdrawal", "xray",
];

#[rustfmt::skip]
const PROFESSIONS: Spellings = &[
    "cardiologist", "clinician", "dentist", "dermatologist", "doctor", "gynecologist",
    "midwife", "obgyn", "oncologist", "pcp", "pediatrician", "physician", "prescriber",
    "psychiatrist", "psychologist", "surgeon", "therapist",
];

/// Keys that describe the record and not what is in it.
#[rustfmt::skip]
const RECORD: Spellings = &[
    "app", "campaign", "count", "created", "enabled", "id", "ids", "image", "index", "model",
    "modified", "page", "portal", "rating", "sent", "slug", "template", "updated", "url",
    "uuid", "version", "zip", "city", "state", "phone", "email", "address", "website",
];

#[rustfmt::skip]
const ANALYTES: Spellings = &[
    "a1", "a1c", "amh", "bilirubin", "cd4", "cholesterol", "cortisol", "creatinine", "egfr",
    "estradiol", "ferritin", "glucose", "hba1c", "hcg", "hdl", "hemoglobin", "hgb", "inr",
    "ldl", "progesterone", "psa", "testosterone", "triglycerides", "tsh", "vitamin",
];

/// What a number of a laboratory is called, and its units.
#[rustfmt::skip]
const MEASURES: Spellings = &[
    "count", "dl", "fasting", "lab", "last", "latest", "level", "levels", "mg", "mgdl", "mmol",
    "ng", "number", "percent", "reading", "result", "serum", "total", "value",
];

const NONE: Spellings = &[];

/// Who else is cared for.
#[rustfmt::skip]
const CUSTOMERS: Spellings = &["account", "customer", "id", "pet", "skin"];

#[rustfmt::skip]
const OTHER_INSURANCE: Spellings = &[
    "auto", "boat", "business", "car", "device", "flight", "home", "homeowners", "life",
    "motor", "order", "package", "pet", "phone", "property", "protection", "rental", "renters",
    "shipping", "travel", "trip", "vehicle", "warranty",
];

#[rustfmt::skip]
pub(super) const RULES: &[KeyRule] = &[
    // Appointments. Browsers visit and have sessions; no browser has a next
    // visit or one with a doctor.
    rule(
        Health::Appointment,
        &["appointment", "appointments", "appt"],
        &["at", "date", "datetime", "start", "starts", "time", "when"],
        &["created", "modified", "updated", "sent"],
        Expect::Date,
    ),
    rule(
        Health::Appointment,
        &["appointment", "appointments", "appt", "appts"],
        NONE,
        &["created", "modified", "updated", "sent"],
        Expect::Date,
    ),
    rule(
        Health::Appointment,
        &["next", "upcoming", "followup", "follow", "video", "virtual"],
        &["checkup", "consult", "consultation", "visit", "visits", "appointment", "appt"],
        &["created", "page", "web", "store", "site"],
        Expect::Date,
    ),
    rule(
        Health::Appointment,
        &[
            "doctor", "clinic", "dental", "dentist", "hospital", "medical", "office", "patient",
            "physician", "therapist", "therapy", "telehealth",
        ],
        &[
            "checkup", "consult", "consultation", "encounter", "exam", "session", "visit",
            "visits",
        ],
        &["created", "duration", "page", "web", "expires", "expiry", "billing"],
        Expect::Date,
    ),
    rule(
        Health::Appointment,
        &["visit"],
        &["datetime", "followup", "reason", "scheduled"],
        &["page", "web", "site", "last", "store", "url"],
        Expect::Date,
    ),
    rule(
        Health::Appointment,
        &["surgery"],
        &["date", "at", "on", "scheduled"],
        RECORD,
        Expect::Date,
    ),
    // Procedures.
    rule(Health::Procedure, &["surgery"], &["date", "at", "scheduled"], RECORD, Expect::Date),
    rule(
        Health::Procedure,
        &["surgery", "surgeries"],
        &[
            "body", "last", "name", "past", "planned", "previous", "prior", "scheduled", "site",
            "type", "upcoming",
        ],
        RECORD,
        Expect::Text,
    ),
    rule(
        Health::Procedure,
        &["imaging", "radiology"],
        &["exam", "order", "report", "study", "type"],
        RECORD,
        Expect::Text,
    ),
    rule(
        Health::Procedure,
        &["dental", "cosmetic"],
        &["procedure", "surgery"],
        RECORD,
        Expect::Text,
    ),
    // Laboratory results.
    rule(
        Health::Lab,
        ANALYTES,
        MEASURES,
        &["food", "nutrition", "serving", "card", "grade"],
        Expect::Measure,
    ),
    rule(
        Health::Lab,
        &[
            "cd4", "creatinine", "egfr", "ferritin", "hba1c", "hdl", "hgb", "ldl",
            "triglycerides",
        ],
        NONE,
        &["food", "nutrition", "serving"],
        Expect::Measure,
    ),
    rule(
        Health::Lab,
        &["blood"],
        &["alcohol", "glucose", "group", "oxygen", "pressure", "sugar", "type"],
        &["game", "donor", "hero"],
        Expect::Any,
    ),
    rule(Health::Lab, &["systolic", "diastolic", "spo2"], NONE, NONE, Expect::Measure),
    rule(Health::Lab, &["oxygen"], &["saturation"], NONE, Expect::Measure),
    rule(Health::Lab, &["resting"], &["rate"], NONE, Expect::Measure),
    rule(
        Health::Lab,
        &[
            "biopsy", "cytology", "genetic", "histology", "mammogram", "mri", "pathology",
            "xray", "ultrasound", "brca",
        ],
        &[
            "finding", "findings", "impression", "marker", "report", "result", "results",
            "status", "variant",
        ],
        RECORD,
        Expect::Text,
    ),
    rule(Health::Lab, &["biomarker", "biomarkers"], NONE, RECORD, Expect::Any),
    rule(
        Health::Lab,
        &["lab", "labs", "laboratory"],
        &["order", "ordered", "panel", "result", "results", "test", "tests", "value", "values"],
        &["color", "photo", "print", "film", "feature"],
        Expect::Any,
    ),
    // Assessments.
    rule(
        Health::Assessment,
        &[
            "adhd", "anxiety", "autism", "depression", "distress", "insomnia", "mood", "ocd",
            "pain", "phobia", "ptsd", "stress", "suicide", "suicidal", "symptom", "symptoms",
            "edinburgh", "columbia",
        ],
        &[
            "band", "index", "level", "likelihood", "outcome", "points", "rating", "result",
            "results", "risk", "scale", "score", "severity", "sum", "total",
        ],
        &["test", "load", "cpu", "color", "playlist"],
        Expect::Result,
    ),
    rule(
        Health::Assessment,
        &["harm", "suicide", "suicidal"],
        &[
            "attempt", "attempts", "history", "ideation", "level", "plan", "risk", "self",
            "thoughts",
        ],
        NONE,
        Expect::Any,
    ),
    // Drugs.
    rule(
        Health::Medication,
        &["medication", "medications", "medicine", "medicines", "meds", "drug", "drugs"],
        &[
            "active", "class", "current", "discontinued", "home", "list", "names", "past",
            "preferred", "prescribed", "prescription", "previous", "prior", "psychiatric",
            "requested", "selected", "taken", "taking", "treatment", "1", "2", "3",
        ],
        &[
            "abuse", "model", "allergies", "allergy", "choice", "screen", "test", "use", "used",
            "version", "page", "url", "enabled", "flag", "id", "count", "status",
            "recreational",
        ],
        Expect::Text,
    ),
    rule(
        Health::Medication,
        &["prescription", "prescriptions", "medication", "meds", "drug", "insulin"],
        &[
            "directions", "dosage", "dose", "refills", "sig", "strength", "supply", "units",
            "instructions",
        ],
        &["lens", "glasses", "count"],
        Expect::Any,
    ),
    rule(
        Health::Medication,
        &["rx"],
        &["directions", "dosage", "dose", "drug", "refills", "sig"],
        &["lens", "glasses", "count", "tx"],
        Expect::Any,
    ),
    rule(
        Health::Medication,
        &["vaccination", "vaccinations", "vaccine", "vaccines", "immunization", "immunizations"],
        NONE,
        RECORD,
        Expect::Text,
    ),
    // Treatments.
    rule(
        Health::Treatment,
        &["therapy", "psychotherapy", "counseling", "counselling", "therapies"],
        &[
            "current", "format", "frequency", "goal", "goals", "history", "kind", "modality",
            "past", "plan", "preferred", "previous", "prior", "program", "status", "type",
        ],
        RECORD,
        Expect::Text,
    ),
    rule(
        Health::Treatment,
        &["treatment"],
        &[
            "current", "goal", "goals", "history", "past", "plan", "previous", "prior",
            "program", "regimen",
        ],
        &["arm", "experiment", "group", "hair", "id", "skin", "test", "version"],
        Expect::Text,
    ),
    rule(Health::Treatment, &["care"], &["path", "pathway", "program"], RECORD, Expect::Text),
    rule(
        Health::Treatment,
        &["rehab", "rehabilitation", "chemo", "chemotherapy", "dialysis", "hrt"],
        &[
            "course", "cycle", "cycles", "dose", "history", "program", "regimen", "schedule",
            "stage", "type",
        ],
        RECORD,
        Expect::Any,
    ),
    rule(Health::Treatment, &["hormone", "physical"], &["therapy"], RECORD, Expect::Any),
    // Insurance.
    rule(
        Health::Insurance,
        &["copay", "copayment", "coinsurance", "deductible"],
        NONE,
        OTHER_INSURANCE,
        Expect::Any,
    ),
    rule(
        Health::Insurance,
        &["pocket", "oop"],
        &["max", "maximum", "met", "remaining", "limit"],
        OTHER_INSURANCE,
        Expect::Any,
    ),
    rule(
        Health::Insurance,
        &["insurance", "insurer", "payor"],
        &[
            "accepted", "carrier", "co", "company", "eligibility", "group", "name", "network",
            "payer", "plan", "policy", "primary", "provider", "secondary", "status", "verified",
        ],
        OTHER_INSURANCE,
        Expect::Any,
    ),
    rule(Health::Insurance, &["payor"], &["type"], OTHER_INSURANCE, Expect::Any),
    rule(
        Health::Insurance,
        &["ins"],
        &["carrier", "co", "company", "plan", "payer"],
        OTHER_INSURANCE,
        Expect::Text,
    ),
    rule(
        Health::Insurance,
        &["dental", "health", "medical", "pharmacy", "vision", "benefit", "benefits"],
        &["carrier", "coverage", "insurance", "payer", "plan"],
        &["auto", "car", "check", "home", "pet", "travel"],
        Expect::Text,
    ),
    rule(Health::Insurance, &["prior"], &["auth", "authorization"], NONE, Expect::Any),
    rule(Health::Insurance, &["medicaid", "medicare"], NONE, RECORD, Expect::Any),
    rule(Health::Insurance, &["patient"], &["responsibility"], RECORD, Expect::Measure),
    // Providers.
    rule(
        Health::Provider,
        PROFESSIONS,
        NONE,
        &[
            "availability", "dea", "license", "npi", "bio", "count", "enabled", "gender", "id",
            "ids", "image", "index", "page", "phone", "rating", "slug", "specialty", "url",
            "uuid", "version", "visit", "visits",
        ],
        Expect::Name,
    ),
    rule(
        Health::Provider,
        &["practitioner", "nurse", "counselor", "pharmacist"],
        &["name", "assigned", "my", "preferred"],
        RECORD,
        Expect::Name,
    ),
    rule(
        Health::Provider,
        &["provider"],
        &[
            "attending", "ordering", "performing", "referring", "rendering", "supervising",
            "treating",
        ],
        &["id", "npi", "url"],
        Expect::Name,
    ),
    rule(
        Health::Provider,
        &["care"],
        &["coordinator", "manager", "navigator"],
        CUSTOMERS,
        Expect::Name,
    ),
    // Reproduction.
    rule(
        Health::Reproductive,
        &[
            "embryo", "embryos", "gestation", "gestational", "pregnancies", "pregnancy",
            "trimester", "menstrual", "menopause", "contraceptive", "contraception",
            "ivf", "fertility", "ovulation",
        ],
        NONE,
        &["article", "insurance", "leave", "photoshoot"],
        Expect::Any,
    ),
    rule(Health::Reproductive, &["baby"], &["due"], NONE, Expect::Date),
    rule(
        Health::Reproductive,
        &["sexual", "sexually"],
        &["active", "activity", "history"],
        NONE,
        Expect::Any,
    ),
    // Substances.
    rule(
        Health::SubstanceUse,
        &["sober", "sobriety", "relapse"],
        &["count", "date", "day", "days", "months", "since", "start", "streak", "years", "last"],
        NONE,
        Expect::Any,
    ),
    rule(
        Health::SubstanceUse,
        &["addiction", "opioid", "opioids", "substance", "substances"],
        &[
            "abuse", "choice", "duration", "frequency", "history", "primary", "secondary",
            "severity", "status", "type", "use", "used",
        ],
        &["id", "chemical", "hazard"],
        Expect::Any,
    ),
    rule(
        Health::SubstanceUse,
        &[
            "alcohol", "cannabis", "marijuana", "nicotine", "tobacco", "vape", "vaping",
            "smoking", "drinking",
        ],
        &[
            "consumption", "daily", "days", "frequency", "goal", "habits", "history", "intake",
            "per", "quantity", "status", "units", "use", "user", "weekly",
        ],
        &["product", "store", "room"],
        Expect::Any,
    ),
    rule(
        Health::SubstanceUse,
        &["drinks"],
        &["alcoholic", "daily", "day", "per", "week", "weekly"],
        &["menu"],
        Expect::Measure,
    ),
    rule(Health::SubstanceUse, &["drink"], &["last"], &["menu", "order"], Expect::Any),
    rule(Health::SubstanceUse, &["alcoholic"], &["drinks"], &["menu"], Expect::Any),
    rule(
        Health::SubstanceUse,
        &["cigarettes", "packs"],
        &["daily", "day", "per"],
        NONE,
        Expect::Measure,
    ),
    rule(Health::SubstanceUse, &["pack"], &["years"], NONE, Expect::Measure),
    rule(
        Health::SubstanceUse,
        &["craving", "cravings", "overdose", "withdrawal"],
        &["history", "intensity", "level", "score", "symptoms"],
        &["bank", "cash", "funds"],
        Expect::Any,
    ),
    rule(
        Health::SubstanceUse,
        &["rehab", "detox"],
        &["date", "history", "inpatient", "stay"],
        &["skin", "juice"],
        Expect::Any,
    ),
    rule(Health::SubstanceUse, &["smoker"], NONE, &["bbq", "grill", "fuel", "pellet"], Expect::Any),
    rule(
        Health::SubstanceUse,
        &["drug", "drugs"],
        &["abuse", "choice", "recreational", "used"],
        RECORD,
        Expect::Text,
    ),
];

const fn rule(
    health: Health,
    subjects: Spellings,
    attributes: Spellings,
    unless: Spellings,
    value: Expect,
) -> KeyRule {
    KeyRule {
        health,
        subjects,
        attributes,
        unless,
        value,
    }
}
