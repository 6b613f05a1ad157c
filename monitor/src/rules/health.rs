//! The rules of health information.

use super::Topic;

const REMOVE: &str = "Stop sending it. If the event is needed, send it without the value, under a \
                      name that says nothing, or to a recipient with an agreement.";
const CONTEXT: &str = "Fold the address, title or name of the event before it is sent, or do not \
                       load trackers there.";

pub(super) const TOPICS: &[Topic] = &[
    Topic {
        class: "condition",
        why: "A condition or diagnosis of someone is what health privacy is about.",
        hazards: "Three-character codes are also numbers of goods (A320, B12), so those need a key. \
                  Articles about a condition say little; they count as context.",
        advice: REMOVE,
        rules: &[
            (
                "condition.event",
                "The event as a whole: words of its name, addresses, keys and values add up to a condition. The field is the one that said most.",
            ),
            (
                "condition.key.words",
                "Words of a key that say together what its value is.",
            ),
            (
                "condition.words",
                "Words of an address, a title, an event or a text that say it together.",
            ),
            (
                "condition.icd10",
                "A diagnosis code of the public ICD-10-CM list.",
            ),
            (
                "condition.icd10.shape",
                "Under a key for such codes, one that has their shape but is not in the list: a new \
                 or a wrong code.",
            ),
            (
                "condition.icd9",
                "A code of ICD-9-CM, which was in use until 2015, under a key for diagnoses.",
            ),
            (
                "condition.icd11",
                "A code in the shape of ICD-11 under a key that names it.",
            ),
            (
                "condition.snomed",
                "A SNOMED CT number with a right check digit, under a key or beside a name of that system.",
            ),
            (
                "condition.key",
                "A text under a key for conditions and diagnoses.",
            ),
            (
                "condition.key.term",
                "A condition that the value names under a property.",
            ),
            (
                "condition.key_name",
                "A condition that the key itself names, with a value that says yes.",
            ),
            (
                "condition.term",
                "A condition in a page address, a title or the name of an event.",
            ),
        ],
    },
    Topic {
        class: "medication",
        why: "A drug tells the condition that it is taken for.",
        hazards: "Some brand names are words. Ten digits are also telephone numbers: a drug code needs its key.",
        advice: REMOVE,
        rules: &[
            (
                "medication.event",
                "The event as a whole: words of its name, addresses, keys and values add up to a drug. The field is the one that said most.",
            ),
            (
                "medication.key.words",
                "Words of a key that say together what its value is.",
            ),
            (
                "medication.words",
                "Words of an address, a title, an event or a text that say it together.",
            ),
            ("medication.name", "The name of a prescription drug."),
            ("medication.key", "A text under a key for medications."),
            ("medication.key.name", "A name under a medication's object."),
            (
                "medication.key.detail",
                "A dose, quantity or refill beside a medication.",
            ),
            ("medication.ndc", "A National Drug Code under its key."),
            (
                "medication.rxcui",
                "An RxNorm number under a key or beside a name of that system.",
            ),
            (
                "medication.stem",
                "A word that ends as the names of one group of drugs do (-mab, -statin), under a key \
                 for medications.",
            ),
        ],
    },
    Topic {
        class: "procedure",
        why: "A procedure tells what someone is treated for.",
        hazards: "Programs have procedures and codes too, and five digits are also a postal code: a \
                  key, the name of a code system or other health information has to be there.",
        advice: REMOVE,
        rules: &[
            (
                "procedure.event",
                "The event as a whole: words of its name, addresses, keys and values add up to a procedure. The field is the one that said most.",
            ),
            (
                "procedure.key.words",
                "Words of a key that say together what its value is.",
            ),
            (
                "procedure.words",
                "Words of an address, a title, an event or a text that say it together.",
            ),
            (
                "procedure.code",
                "A code of CPT or HCPCS under its key or beside a name of that system.",
            ),
            (
                "procedure.pcs",
                "A code of ICD-10-PCS, for care in hospitals, under a key that names it.",
            ),
            (
                "procedure.bill",
                "A code of a bill for care (revenue, DRG), beside other health information.",
            ),
            ("procedure.key", "A text under a key for procedures."),
            (
                "procedure.key_name",
                "A procedure that the key itself names.",
            ),
            (
                "procedure.term",
                "A procedure in a page address, a title, the name of an event or a property.",
            ),
        ],
    },
    Topic {
        class: "lab",
        why: "A test or its result tells a condition or the suspicion of one.",
        hazards: "Software has tests and results too, so words that it shares count only beside \
                  other health information or a word of testing.",
        advice: REMOVE,
        rules: &[
            (
                "lab.event",
                "The event as a whole: words of its name, addresses, keys and values add up to a test or a measurement. The field is the one that said most.",
            ),
            (
                "lab.key.words",
                "Words of a key that say together what its value is.",
            ),
            (
                "lab.words",
                "Words of an address, a title, an event or a text that say it together.",
            ),
            (
                "lab.loinc",
                "A LOINC code with a right check digit, under its key or beside a name of that system.",
            ),
            (
                "lab.key",
                "A value under a key for laboratory tests or their results.",
            ),
            ("lab.key_name", "A test that the key itself names."),
            (
                "lab.term",
                "A test in a page address, a title, the name of an event or a property.",
            ),
        ],
    },
    Topic {
        class: "assessment",
        why: "Answers and scores of a questionnaire are statements about someone's health.",
        hazards: "A quiz about shoes is none: an instrument, an item of one, or a health word has to be there.",
        advice: REMOVE,
        rules: &[
            (
                "assessment.event",
                "The event as a whole: words of its name, addresses, keys and values add up to an assessment. The field is the one that said most.",
            ),
            (
                "assessment.key.words",
                "Words of a key that say together what its value is.",
            ),
            (
                "assessment.words",
                "Words of an address, a title, an event or a text that say it together.",
            ),
            (
                "assessment.name",
                "The name of an instrument (of depression, of anxiety) in a value.",
            ),
            (
                "assessment.item",
                "The wording of an item of an instrument.",
            ),
            (
                "assessment.answer",
                "An answer beside the name of an instrument.",
            ),
            (
                "assessment.result",
                "A score or result beside the name of an instrument.",
            ),
            ("assessment.key", "A value under a key for assessments."),
            (
                "assessment.key_name",
                "An instrument that the key itself names.",
            ),
            (
                "assessment.term",
                "An assessment in a page address, a title or the name of an event.",
            ),
            ("assessment.loinc", "The LOINC code of an instrument."),
        ],
    },
    Topic {
        class: "appointment",
        why: "An appointment says that someone is a patient, when and of whom.",
        hazards: "Hairdressers and sales teams have appointments too: something about health has to stand in the event.",
        advice: REMOVE,
        rules: &[
            (
                "appointment.event",
                "The event as a whole: words of its name, addresses, keys and values add up to an appointment. The field is the one that said most.",
            ),
            (
                "appointment.key.words",
                "Words of a key that say together what its value is.",
            ),
            (
                "appointment.words",
                "Words of an address, a title, an event or a text that say it together.",
            ),
            ("appointment.date", "A date of an appointment."),
            ("appointment.key", "A value under a key for appointments."),
            (
                "appointment.key_name",
                "An appointment that the key itself names.",
            ),
            (
                "appointment.term",
                "An appointment in a page address, a title or the name of an event.",
            ),
        ],
    },
    Topic {
        class: "treatment",
        why: "A treatment tells the condition that it is for.",
        hazards: "Beauty has treatments and therapies too.",
        advice: REMOVE,
        rules: &[
            (
                "treatment.event",
                "The event as a whole: words of its name, addresses, keys and values add up to a treatment. The field is the one that said most.",
            ),
            (
                "treatment.key.words",
                "Words of a key that say together what its value is.",
            ),
            (
                "treatment.words",
                "Words of an address, a title, an event or a text that say it together.",
            ),
            ("treatment.key", "A text under a key for treatments."),
            (
                "treatment.key_name",
                "A treatment that the key itself names.",
            ),
            (
                "treatment.term",
                "A treatment in a page address, a title or the name of an event.",
            ),
        ],
    },
    Topic {
        class: "insurance",
        why: "Insurer, plan and copay belong to payment for care, which HIPAA protects.",
        hazards: "Plans and coverage of other trades: the words of health insurance are needed.",
        advice: REMOVE,
        rules: &[
            (
                "insurance.event",
                "The event as a whole: words of its name, addresses, keys and values add up to health insurance. The field is the one that said most.",
            ),
            (
                "insurance.key.words",
                "Words of a key that say together what its value is.",
            ),
            (
                "insurance.words",
                "Words of an address, a title, an event or a text that say it together.",
            ),
            ("insurance.key", "A value under a key for health insurance."),
            (
                "insurance.key.context",
                "A plan or payment beside other words of health insurance.",
            ),
            (
                "insurance.term",
                "Health insurance in a page address, a title or the name of an event.",
            ),
        ],
    },
    Topic {
        class: "provider",
        why: "Who treats someone says what for.",
        hazards: "`provider` is also who signs people in, so a title or specialty is needed.",
        advice: REMOVE,
        rules: &[
            (
                "provider.event",
                "The event as a whole: words of its name, addresses, keys and values add up to a provider. The field is the one that said most.",
            ),
            (
                "provider.key.words",
                "Words of a key that say together what its value is.",
            ),
            (
                "provider.words",
                "Words of an address, a title, an event or a text that say it together.",
            ),
            (
                "provider.npi",
                "A National Provider Identifier under its key.",
            ),
            (
                "provider.key",
                "A name or specialty under a key for providers.",
            ),
            ("provider.key.title", "A name with a medical title."),
            (
                "provider.key.term",
                "A kind of treatment under a key for specialties.",
            ),
            (
                "provider.term",
                "A provider in a page address, a title or the name of an event.",
            ),
        ],
    },
    Topic {
        class: "reproductive",
        why: "Pregnancy, contraception and cycles are health information, and dangerous to disclose.",
        hazards: "Shops for families have the same words; they count as context.",
        advice: REMOVE,
        rules: &[
            (
                "reproductive.event",
                "The event as a whole: words of its name, addresses, keys and values add up to reproductive health. The field is the one that said most.",
            ),
            (
                "reproductive.key.words",
                "Words of a key that say together what its value is.",
            ),
            (
                "reproductive.words",
                "Words of an address, a title, an event or a text that say it together.",
            ),
            (
                "reproductive.key",
                "A value under a key for reproductive health.",
            ),
            (
                "reproductive.key_name",
                "Reproductive health that the key itself names.",
            ),
            (
                "reproductive.term",
                "Reproductive health in a page address, a title or the name of an event.",
            ),
        ],
    },
    Topic {
        class: "substance_use",
        why: "Records about substance use have a protection of their own (42 CFR part 2).",
        hazards: "Bars and shops sell alcohol; the words of use and treatment are needed.",
        advice: REMOVE,
        rules: &[
            (
                "substance_use.event",
                "The event as a whole: words of its name, addresses, keys and values add up to substance use. The field is the one that said most.",
            ),
            (
                "substance_use.key.words",
                "Words of a key that say together what its value is.",
            ),
            (
                "substance_use.words",
                "Words of an address, a title, an event or a text that say it together.",
            ),
            (
                "substance_use.key",
                "A value under a key for substance use.",
            ),
            (
                "substance_use.key_name",
                "Substance use that the key itself names.",
            ),
            (
                "substance_use.term",
                "Substance use in a page address, a title or the name of an event.",
            ),
        ],
    },
    Topic {
        class: "inherent",
        why: "Being a user of a service for one kind of health says that one has it.",
        hazards: "Only services that the operator declares in the configuration count.",
        advice: CONTEXT,
        rules: &[],
    },
];
