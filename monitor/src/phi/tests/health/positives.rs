//! Health information of every class, in many vehicles and spellings.

use super::{super::super::Strength, *};

/// An event, and the classes that it has to give at least, with their strength.
const CASES: &[(&str, &str)] = &[
    // Conditions.
    ("event=Viewed Anxiety Page", "condition H2"),
    ("event=anxiety_quiz_started", "condition H2, assessment H2"),
    ("event_name=OCDQuizCompleted", "condition H2, assessment H2"),
    (
        "page_title=Treatment for panic attacks | event=page",
        "condition H2",
    ),
    ("page_referrer.0=erectile-dysfunction", "condition H2"),
    ("page_location.1=generalised-anxiety", "condition H2"),
    ("page_location.1=hairloss", "condition H2"),
    ("path:1=gonorrhoea-treatment", "condition H2"),
    ("path:1=men | path:2=premature-ejaculation", "condition H2"),
    ("page_location.condition=herpes", "condition H3"),
    ("properties.concern=Social anxiety", "condition H3"),
    ("properties.concerns.0=stress | event=x", "condition H3"),
    ("properties.symptoms=fatigue, headaches", "condition H3"),
    ("properties.symptoms.0=nausea", "condition H3"),
    (
        "properties.primary_symptom=trouble sleeping",
        "condition H3",
    ),
    ("traits.health_conditions.0=an unlisted one", "condition H3"),
    ("traits.medical_history=an unlisted one", "condition H3"),
    ("traits.known_allergies=penicillin", "condition H3"),
    ("traits.condition_name=Type 2 Diabetes", "condition H3"),
    ("traits.reason=self-harm", "condition H3"),
    ("traits.has_adhd=true", "condition H3"),
    ("traits.history_of_depression=yes", "condition H3"),
    ("traits.hiv_status=positive", "condition H3"),
    ("traits.depression_severity=7", "condition H3"),
    ("traits.goal=manage my bipolar disorder", "condition H3"),
    ("traits.seeking=ptsd", "condition H3"),
    ("traits.quiz_answer=Depression", "condition H3"),
    ("traits.note=anaemia", "condition H3"),
    (
        "properties.treatment_for=ulcerative colitis",
        "condition H3",
    ),
    ("custom_data.content_category=Endometriosis", "condition H2"),
    (
        "custom_data.search_string=can't sleep insomnia help",
        "condition H2",
    ),
    ("en=suicidal_thoughts_reported", "condition H2"),
    ("title=Depresión y ansiedad", "condition H2"),
    ("ep.condition=gender dysphoria", "condition H3"),
    (
        "properties.diagnosis_name=Hashimoto thyroiditis",
        "condition H3",
    ),
    ("event=Started UTI treatment", "condition H2"),
    ("event=STD symptoms page", "condition H2"),
    ("properties.diagnosed_with=lupus", "condition H3"),
    (
        "traits.previous_diagnoses=an unlisted one | event=PHQ-9",
        "condition H3",
    ),
    (
        "traits.mental_health_conditions.0=an unlisted one",
        "condition H3",
    ),
    ("properties.condition=ED", "condition H3"),
    // Weather does not hide what is stated.
    (
        "traits.diagnosis=Cystic fibrosis | event=page",
        "condition H3",
    ),
    // Assessments.
    ("properties.phq9_total=14", "assessment H3"),
    (
        "properties.phq_9_severity=moderately severe",
        "assessment H3",
    ),
    ("properties.gad7.q3=2", "assessment H3"),
    ("properties.phq9_completed=true", "assessment H2"),
    ("properties.epds_score=11", "assessment H3"),
    ("properties.asrs_part_a=4", "assessment H3"),
    ("properties.c_ssrs_risk=2", "assessment H3"),
    ("properties.audit_c_score=6", "assessment H3"),
    ("properties.isi_score=16", "assessment H3"),
    ("properties.mdq_score=9", "assessment H3"),
    ("properties.pcl5=44", "assessment H3"),
    ("properties.test=AUDIT", "assessment H3"),
    ("properties.instrument=CAGE", "assessment H3"),
    ("assessment=PHQ-9 | score=14", "assessment H3"),
    (
        "questionnaire.name=GAD-7 | questionnaire.total=12",
        "assessment H3",
    ),
    ("title=PHQ-9 score: 14", "assessment H3"),
    ("title=GAD-7 result: severe anxiety", "assessment H3"),
    ("event=Y-BOCS Started", "assessment H2"),
    ("event=Edinburgh Postnatal scale opened", "assessment H2"),
    ("event=Vanderbilt ADHD form submitted", "assessment H2"),
    ("event=IIEF-5 done", "assessment H2"),
    ("event=stop-bang done", "assessment H2"),
    ("page_location.0=mental-health-quiz", "assessment H2"),
    ("event=Intake form submitted", "assessment H2"),
    ("event=Symptom checker used", "assessment H2"),
    ("q1=Several days", "assessment H3"),
    ("response.q7=Nearly every day", "assessment H3"),
    ("x=Over half the days", "assessment H3"),
    (
        "text=Feeling down, depressed, or hopeless?",
        "assessment H3",
    ),
    (
        "question=How often do you fidget or squirm with your hands",
        "assessment H3",
    ),
    ("question=Have you wished you were dead", "assessment H3"),
    ("item.0.linkId=/44250-9", "assessment H3"),
    ("item.0.answer.code=LA6570-1", "assessment H3"),
    ("code=69737-5", "assessment H3"),
    ("properties.suicidal_ideation=no", "assessment H3"),
    ("properties.previous_therapy=yes", "assessment H3"),
    ("properties.self_harm_thoughts=false", "assessment H3"),
    (
        "intake.answers.0=2 | intake.answers.1=1 | intake.answers.2=0 | intake.answers.3=3 \
         | intake.answers.4=1 | intake.answers.5=2 | intake.answers.6=0",
        "assessment H3",
    ),
    (
        "event=Depression support joined | answers.0=2 | answers.1=1 | answers.2=0 | answers.3=3 \
         | answers.4=1 | answers.5=2 | answers.6=0",
        "assessment H3",
    ),
    ("event=PHQ-9 | question_4=2", "assessment H3"),
    ("event=PHQ-9 | result=Moderate", "assessment H3"),
    // Appointments.
    ("event=Appointment Booked", "appointment H2"),
    (
        "event=BookedAppointment | type=psychiatry",
        "appointment H2",
    ),
    (
        "event=Schedule | content_name=Psychiatry intake",
        "appointment H2",
    ),
    (
        "appointment_type=Initial psychiatric evaluation",
        "appointment H3",
    ),
    (
        "appointment.date=2026-12-01 | event=Psychiatry visit",
        "appointment H3",
    ),
    (
        "appointment_time=14:30 | specialty=Cardiology",
        "appointment H3",
    ),
    (
        "reason_for_visit=Panic attacks",
        "appointment H3, condition H3",
    ),
    ("event=Telehealth visit started", "appointment H2"),
    ("page_location.0=therapy-session", "appointment H2"),
    ("event=Cita médica confirmada", "appointment H2"),
    ("visit_type=video | specialty=Dermatology", "appointment H3"),
    // Treatments.
    ("treatment=CBT", "treatment H3"),
    ("therapy_type=EMDR", "treatment H3"),
    ("service=Therapy", "treatment H3"),
    ("plan=Therapy + Psychiatry Monthly", "treatment H3"),
    ("program=Intensive outpatient", "treatment H3"),
    ("service=DBT", "treatment H3"),
    ("title=Start online therapy today", "treatment H2"),
    ("path:1=couples-counseling", "treatment H2"),
    ("path:1=mental-health", "treatment H2"),
    ("event=Medication Management Selected", "treatment H2"),
    ("care_plan=Weekly check-ins", "treatment H3"),
    ("interest=ketamine therapy", "treatment H3"),
    ("title=TMS therapy near you", "treatment H2"),
    // Insurance.
    ("insurance_provider=Example Health", "insurance H3"),
    (
        "insurance_carrier=Blue Cross Blue Shield of Texas",
        "insurance H3",
    ),
    ("payer=Aetna", "insurance H3"),
    ("plan_name=Cigna PPO", "insurance H3"),
    ("copay=25", "insurance H3"),
    ("deductible_remaining=400", "insurance H3"),
    ("prior_auth_status=approved", "insurance H3"),
    (
        "insurance.plan=Silver 70 | insurance.carrier=Example",
        "insurance H3",
    ),
    ("coverage=active | payer=Medicaid", "insurance H3"),
    (
        "event=Insurance Verified | payer_name=Ambetter",
        "insurance H3",
    ),
    ("page_title=We accept Medicare and Tricare", "insurance H2"),
    ("event=Checked insurance eligibility", "insurance H2"),
    ("rx_bin=610014 | rx_group=RX88", "insurance H3"),
    ("title=Anthem PPO plan accepted", "insurance H2"),
    ("plan_type=PPO", "insurance H3"),
    ("has_insurance=true", "insurance H3"),
    // Providers.
    (
        "preferred_therapist_gender=female | therapist_gender=female",
        "provider H3",
    ),
    ("npi=1234567893", "provider H3"),
    ("rendering_provider=1234567893", "provider H3"),
    ("provider=Dr. Ann Smith", "provider H3"),
    ("provider.name=x | therapist=Ann Smith", "provider H3"),
    (
        "provider_specialty=Reproductive Endocrinologist",
        "provider H3",
    ),
    ("department=Pediatrics", "provider H3"),
    ("event=Matched with psychiatrist", "provider H2"),
    ("title=Find an OB/GYN near you", "provider H2"),
    ("path:0=urologist", "provider H2"),
    ("prescriber_name=Ann Smith", "provider H3"),
    ("title=Telehealth with Dr. Ann Smith", "provider H2"),
    // Reproductive health.
    ("event=Log period-save", "reproductive H2"),
    ("event=ovulation_test_logged", "reproductive H2"),
    ("event=Period Tracker Opened", "reproductive H2"),
    ("last_menstrual_period=2026-11-01", "reproductive H3"),
    ("lmp=2026-11-01", "reproductive H3"),
    (
        "cycle_length=28 | event=Ovulation predicted",
        "reproductive H3",
    ),
    (
        "due_date=2027-05-01 | event=Pregnancy confirmed",
        "reproductive H3",
    ),
    ("goal=trying to conceive", "reproductive H3"),
    ("is_pregnant=true", "reproductive H3"),
    ("weeks_pregnant=12", "reproductive H3"),
    ("search_string=abortion clinic near me", "reproductive H2"),
    ("page_location.0=ivf", "reproductive H2"),
    ("birth_control_method=iud", "reproductive H3"),
    ("title=Prueba de embarazo", "reproductive H2"),
    // Use of substances.
    ("event=Alcohol treatment plan purchased", "substance_use H2"),
    ("drinks_per_day=6", "substance_use H3"),
    ("concern=opioid addiction", "substance_use H3"),
    ("path:0=drug-rehab", "substance_use H2"),
    ("sobriety_date=2026-01-01", "substance_use H3"),
    ("drug_of_choice=alcohol", "substance_use H3"),
    ("goal=quit drinking", "substance_use H3"),
    (
        "title=Medication-assisted treatment for opioid use",
        "substance_use H2",
    ),
    ("has_addiction=true", "substance_use H3"),
];

/// The strongest evidence of `class` in an event.
pub(super) fn strongest(line: &str, class: &str) -> Option<Strength> {
    rules(&fields(&event(line)))
        .iter()
        .filter(|evidence| matches!(evidence.class, Class::Health(_)))
        .filter(|evidence| evidence.class.as_str() == class)
        .map(|evidence| evidence.strength)
        .max()
}

#[test]
fn every_class_is_found_in_every_vehicle() {
    let mut wrong = Vec::new();
    for (line, expected) in CASES {
        for wanted in expected.split(", ") {
            let class = wanted.split(' ').next().unwrap_or_default();
            let found = strongest(line, class).map(|strength| format!("{class} {strength:?}"));
            if found.as_deref() != Some(wanted) {
                wrong.push(format!("{line}: {wanted}, but {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_no_to_a_flag_is_nothing_and_a_no_to_a_question_is_little() {
    for (line, class, expected) in [
        ("has_depression=false", "condition", None),
        ("is_diabetic=no", "condition", None),
        ("has_anxiety=0", "condition", None),
        ("is_pregnant=false", "reproductive", None),
        ("depression=no", "condition", Some(Strength::H2)),
        ("depression=", "condition", None),
        ("chief_complaint=none of the above", "condition", None),
        ("chief_complaint=Other", "condition", None),
        ("medical_condition=n/a", "condition", None),
        ("medical_condition=select one", "condition", None),
        ("therapist=other", "provider", None),
        ("insurance=none", "insurance", None),
    ] {
        assert_eq!(strongest(line, class), expected, "{line}");
    }
}
