//! Rules for texts: names of events, addresses, titles.

use super::{Health, Spellings, TextRule};

/// Who gives care, and where.
#[rustfmt::skip]
const CARERS: Spellings = &[
    "cardiology", "clinician", "counselor", "dental", "dentist", "dentists",
    "dermatologist", "dermatology", "doctor", "doctors", "gynecologist", "hospital", "medical",
    "midwife", "nurse", "obgyn", "oncologist", "oncology", "orthodontist", "orthopedic",
    "patient", "patients", "pcp", "pediatric", "pediatrician", "pediatrics", "physician",
    "physicians", "psychiatric", "psychiatrist", "psychiatry", "psychologist", "surgeon",
    "telehealth", "telemedicine", "therapist", "therapists", "urgent care", "vaccine",
];

/// What is done with an appointment.
#[rustfmt::skip]
const VISITING: Spellings = &[
    "admission", "appointment", "appointments", "appt", "book", "booked", "booking", "check in",
    "checkin", "checked in", "checkup", "consult", "consultation", "consultations", "consults",
    "follow up", "followup", "intake call", "no show", "noshow", "registration", "reschedule",
    "rescheduled", "schedule", "scheduled", "session", "sessions", "visit", "visits",
    "waiting room", "waitlist",
];

/// Who gives care, as someone looks for them.
#[rustfmt::skip]
const PROFESSIONS: Spellings = &[
    "clinician", "dentist", "dentists", "doctor", "doctors", "midwife", "nurse", "obgyn", "pcp",
    "pediatrician", "physician", "physicians", "practitioner", "surgeon", "surgeons",
    "therapist", "therapists",
];

/// What is done with them.
#[rustfmt::skip]
const FINDING: Spellings = &[
    "assigned", "availability", "choose", "chosen", "directory", "find", "finder",
    "match", "matched", "md", "message", "messaged", "my", "near me", "our", "profile",
    "referral", "referred", "search", "select", "selected", "your",
];

/// What no doctor is.
#[rustfmt::skip]
const NO_DOCTORS: Spellings = &[
    "antivirus", "brew", "drama", "finale", "house", "love", "martens", "plague", "script",
    "season", "seo", "spin", "strange", "who", "witch", "zero", "costume", "jobs", "job",
    "careers", "career", "hiring", "salary", "nursing", "billing", "certificate", "conference",
    "course", "courses", "degree", "device", "devices", "school", "software", "webinar",
];

/// What is done with a prescription.
#[rustfmt::skip]
const FILLING: Spellings = &[
    "added", "cart", "changed", "checkout", "copay", "cost", "coupon", "delivered", "delivery",
    "discount", "dose", "due", "filled", "generic", "history", "interaction", "interactions",
    "list", "logged", "missed", "my", "name", "online", "order", "ordered", "pickup", "price",
    "prices", "ready", "received", "refill", "refilled", "refills", "reminder", "renew",
    "renewal", "renewed", "request", "requested", "savings", "search", "selected", "sent",
    "shipped", "side effects", "skipped", "started", "stopped", "submitted", "taken",
    "transfer", "transferred", "updated", "uploaded", "viewed", "your",
];

/// What else is prescribed, filled and refilled.
#[rustfmt::skip]
const NO_DRUGS: Spellings = &[
    "bottle", "candle", "candy", "cartridge", "coffee", "cup", "detergent", "drink",
    "dropshipping", "eyewear", "frames", "glasses", "goggles", "ink", "lens", "lenses", "model",
    "paper", "pen", "perfume", "pods", "printer", "propane", "soap", "store jobs", "sunglasses",
    "tank", "toner", "water", "job", "jobs", "careers", "policy", "war", "trafficking", "bust",
    "cartel", "song", "gpu", "rig",
];

/// What is done with a result.
#[rustfmt::skip]
const MEASURING: Spellings = &[
    "entry", "level", "levels", "log", "logged", "measured", "reading", "readings", "recorded",
    "result", "results", "test", "tested", "tracker", "uploaded",
];

/// Parts of a body that are operated on.
#[rustfmt::skip]
const BODY: Spellings = &[
    "abdominal", "ankle", "back", "bariatric", "bladder", "bowel", "brain", "breast", "cancer",
    "cardiac", "cataract", "colon", "dental", "ear", "elbow", "eye", "eyelid", "foot",
    "gallbladder", "hand", "heart", "hernia", "hip", "jaw", "joint", "kidney", "knee", "liver",
    "lung", "neck", "nose", "oral", "orthopedic", "pelvic", "plastic", "prostate", "shoulder",
    "sinus", "spinal", "spine", "thyroid", "vein", "weight loss", "wrist",
];

/// Every word that a rule begins with.
#[rustfmt::skip]
pub(super) const NOUNS: Spellings = &[
    "a1 c", "abdominal", "aa meeting", "addiction", "alcohol", "ankle", "back", "bariatric",
    "biopsy", "blood pressure", "blood sugar", "bowel", "brain", "breast", "cardiac",
    "cardiology", "chemo", "cholesterol", "clinical", "clinician", "coinsurance",
    "copay", "copayment", "counseling", "counselling", "counselor", "craving", "cravings",
    "deductible", "dental", "dentist", "dentists", "dermatologist", "dermatology", "detox",
    "dialysis", "doctor", "doctors", "dose", "drug", "drugs", "eob", "eprescribe", "erx", "eye",
    "eyelid", "foot", "glucose", "gynecologist", "health", "heart", "hip", "hospital",
    "imaging", "infusion", "insulin", "insurance", "joint", "kidney", "knee", "lab", "labs",
    "lung", "medical", "medication", "medications", "medicine", "meds", "mental", "midwife",
    "mood", "mri", "narcan", "neck", "nurse", "obgyn", "oncologist", "oncology", "orthodontist",
    "orthopedic", "pathology", "patient", "patients", "pcp", "pediatric", "pediatrician",
    "pediatrics", "pelvic", "pharmacy", "physician", "physicians", "pill", "pills", "plastic",
    "practitioner", "prescription", "prescriptions", "prior auth", "psychiatric",
    "psychiatrist", "psychiatry", "psychologist", "pulmonary", "radiology", "refill", "refills",
    "rehab", "rehabilitation", "relapse", "rx", "shoulder", "sober", "spinal", "spine",
    "surgeon", "surgeons", "surgeries", "surgery", "surgical", "symptom", "symptoms",
    "telehealth", "telemedicine", "therapist", "therapists", "therapy", "ultrasound",
    "urgent care", "vaccination", "vaccine", "wellbeing", "wellness", "wrist", "x ray", "xray",
    "kick", "contraction", "due date", "health plan", "medicare", "replacement", "transplant",
    "cardiologist",
];

/// The treatment of what a term names.
#[rustfmt::skip]
pub(super) const TREATING: Spellings = &["infusion", "rehab", "rehabilitation", "therapy", "treatment", "treatments"];

/// What someone can be offered for it.
pub(super) const OFFERS: Spellings = &["package", "prevention", "program"];

/// A test for what a term names.
#[rustfmt::skip]
pub(super) const TESTING: Spellings = &[
    "assessment", "assessments", "quiz", "quizzes", "screener", "screening", "self report",
    "self test", "test",
];

const NONE: Spellings = &[];

#[rustfmt::skip]
pub(super) const RULES: &[TextRule] = &[
    rule(Health::Appointment, CARERS, VISITING, NO_DOCTORS),
    rule(Health::Provider, &["nurse"], &["advice line", "hotline", "line"], NO_DOCTORS),
    rule(Health::Provider, PROFESSIONS, FINDING, NO_DOCTORS),
    rule(
        Health::Medication,
        &[
            "prescription", "prescriptions", "rx", "medication", "medications", "meds",
            "pharmacy", "drug", "drugs",
        ],
        FILLING,
        NO_DRUGS,
    ),
    rule(
        Health::Medication,
        &["refill", "refills"],
        &[
            "due", "medication", "pharmacy", "prescription", "reminder", "request", "requested",
            "rx",
        ],
        NO_DRUGS,
    ),
    rule(
        Health::Medication,
        &["dose", "insulin", "pill", "pills", "medicine"],
        &["logged", "missed", "reminder", "skipped", "taken"],
        NO_DRUGS,
    ),
    rule(
        Health::Medication,
        &["erx", "eprescribe"],
        &["sent", "received", "submitted", "failed"],
        NONE,
    ),
    rule(
        Health::Medication,
        &["vaccine", "vaccination"],
        &[
            "appointment", "booked", "dose", "received", "record", "reminder", "schedule",
            "scheduled",
        ],
        NONE,
    ),
    rule(
        Health::Procedure,
        &["surgery", "surgeries", "surgical"],
        &[
            "candidate", "consult", "consultation", "cost", "date", "hospital", "insurance",
            "patient", "post op", "pre op", "prep", "prepare", "preparing", "preop", "quiz",
            "recovering", "recovery", "scheduled", "schedule", "surgeon",
        ],
        &["game", "git", "simulator", "tree"],
    ),
    rule(
        Health::Procedure,
        &["surgery", "surgeries", "transplant", "ultrasound", "x ray", "xray"],
        BODY,
        &["game", "simulator"],
    ),
    rule(
        Health::Procedure,
        &["replacement"],
        &[
            "ankle", "aortic valve", "disc", "elbow", "heart valve", "hip", "joint", "knee",
            "shoulder",
        ],
        &["brake", "strap", "pads", "parts"],
    ),
    rule(
        Health::Procedure,
        &["mri", "ultrasound", "xray", "x ray", "imaging", "radiology"],
        &[
            "appointment", "booked", "exam", "ordered", "referral", "requested", "result",
            "results", "schedule", "scheduled",
        ],
        &["speaker", "goggles", "glasses", "jewelry", "cleaner"],
    ),
    rule(
        Health::Procedure,
        &["dental", "dentist"],
        &[
            "braces", "cleaning", "crown", "crowns", "exam", "extraction", "filling", "implant",
            "implants", "veneers", "whitening",
        ],
        &["floss", "kit", "chew", "chews"],
    ),
    rule(
        Health::Lab,
        &["lab", "labs"],
        &["draw", "kit", "order", "ordered", "panel", "requisition", "result", "results"],
        &[
            "coat", "coats", "color", "created", "diamond", "diamonds", "grown", "ring", "film",
            "language", "photo", "photos", "print", "research", "feature", "features", "puppy",
            "computer", "labrador",
        ],
    ),
    rule(
        Health::Lab,
        &["a1 c", "blood pressure", "blood sugar", "cholesterol", "glucose"],
        MEASURING,
        NONE,
    ),
    rule(Health::Lab, &["biopsy", "pathology", "mri"], &["result", "results", "report"], NONE),
    goods(
        Health::Treatment,
        &["therapy"],
        &[
            "booked", "completed", "couples", "cost", "goal", "goals", "intake", "match",
            "matched", "monthly", "online", "plan", "plans", "progress", "purchased", "session",
            "sessions", "sign up", "signup", "start", "started", "subscription", "teen",
            "weekly",
        ],
        &[
            "aroma", "color", "sound", "art supplies", "candle", "curl", "hair", "led", "light",
            "massage", "red", "retail", "scalp", "skin", "spa", "water", "album", "collection",
            "tote", "mode",
        ],
    ),
    rule(
        Health::Treatment,
        &["counseling", "counselling"],
        &[
            "booked", "couples", "family", "grief", "group", "individual", "marriage", "near",
            "online", "session", "sessions", "start", "started", "teen",
        ],
        &[
            "academic", "admissions", "career", "college", "credit", "debt", "financial",
            "housing", "school", "tax",
        ],
    ),
    rule(
        Health::Treatment,
        &["rehab", "rehabilitation"],
        &[
            "cardiac", "exercise", "exercises", "knee", "physical", "program", "pulmonary",
            "session", "stroke",
        ],
        &["animal", "credit", "home", "house", "property", "wildlife"],
    ),
    rule(
        Health::Treatment,
        &["chemo", "infusion", "dialysis"],
        &[
            "booked", "center", "completed", "cycle", "logged", "scheduled", "session",
            "sessions",
        ],
        &["tea"],
    ),
    rule(
        Health::SubstanceUse,
        &["rehab", "detox"],
        &[
            "admission", "admissions", "alcohol", "center", "centers", "drug", "facility",
            "inpatient", "inquiry", "intake", "placement", "outpatient", "residential",
            "withdrawal",
        ],
        &["animal", "cardiac", "juice", "skin", "wildlife"],
    ),
    rule(
        Health::SubstanceUse,
        &["sober"],
        &[
            "coach", "date", "day", "days", "get", "home", "homes", "house", "living",
            "meetings", "milestone", "since", "staying", "streak",
        ],
        &["bar", "beer", "curious", "october", "cocktail", "cocktails", "mocktail"],
    ),
    rule(
        Health::SubstanceUse,
        &["relapse", "craving", "cravings", "narcan"],
        &["kit", "logged", "prevention", "reported", "requested", "tracker"],
        &["cookbook", "recipe", "snack"],
    ),
    rule(
        Health::SubstanceUse,
        &["alcohol"],
        &[
            "assessment", "logged", "program", "quiz", "recovery", "rehab", "screening",
            "support", "treatment",
        ],
        &["free", "ink", "marker", "wipes", "delivery"],
    ),
    rule(
        Health::SubstanceUse,
        &["aa meeting", "addiction"],
        &[
            "assessment", "attended", "counselor", "found", "intake", "joined", "meeting",
            "program", "recovery", "treatment",
        ],
        NONE,
    ),
    rule(
        Health::Insurance,
        &["copay", "copayment", "coinsurance"],
        &[
            "amount", "applied", "charged", "collected", "due", "estimate", "paid", "payment",
            "viewed",
        ],
        NONE,
    ),
    rule(Health::Insurance, &["deductible"], &["met", "remaining"], NONE),
    rule(
        Health::Insurance,
        &["insurance"],
        &["card", "eligibility", "in network", "benefits", "accepted", "verified", "verify"],
        &[
            "accident", "auto", "boat", "bond", "business", "car", "driver", "home",
            "homeowners", "life", "motor", "motorcycle", "pet", "phone", "renters", "shipping",
            "title", "travel", "trip", "vehicle", "billing certificate", "employment",
            "unemployment", "carrier rating", "claims adjuster",
        ],
    ),
    rule(
        Health::Insurance,
        &["health plan", "medicare"],
        &["benefits", "compare", "enroll", "enrollment", "selected", "viewed", "plans"],
        &["pet"],
    ),
    rule(
        Health::Insurance,
        &["prior auth"],
        &["approved", "denied", "pending", "requested", "started", "status", "submitted"],
        NONE,
    ),
    rule(
        Health::Assessment,
        &[
            "clinical", "health", "medical", "mental", "mood", "patient", "symptom", "symptoms",
            "wellbeing", "wellness",
        ],
        &[
            "assessment", "check in", "checkin", "diary", "entry", "evaluation", "intake",
            "logged", "questionnaire", "quiz", "screener", "screening", "survey",
            "history submitted", "history completed",
        ],
        &[
            "security", "software", "system", "website", "service", "pet", "financial", "board",
            "vibe", "vibes", "playlist",
        ],
    ),
    rule(
        Health::Condition,
        &["symptom", "symptoms"],
        &["checker", "diary", "log", "logged", "reported", "submitted", "tracker"],
        &["alert", "connection", "engine", "network"],
    ),
    rule(Health::Reproductive, &["kick"], &["baby", "counter"], &["drum", "scooter"]),
    rule(Health::Reproductive, &["contraction"], &["timer"], NONE),
    rule(
        Health::Reproductive,
        &["due date"],
        &["baby", "calculator", "pregnancy"],
        &["invoice", "tax"],
    ),
];

const fn rule(health: Health, nouns: Spellings, beside: Spellings, unless: Spellings) -> TextRule {
    TextRule {
        health,
        nouns,
        beside,
        unless,
        goods: false,
    }
}

/// The same, of articles too.
const fn goods(health: Health, nouns: Spellings, beside: Spellings, unless: Spellings) -> TextRule {
    TextRule {
        goods: true,
        ..rule(health, nouns, beside, unless)
    }
}
