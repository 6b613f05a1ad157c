//! The template of a page's route: the part of a path that may be shown.
//!
//! A segment is shown if it consists of words of this module or of the
//! vocabulary of findings; everything else (a number, a name, a slug) becomes
//! `{id}`.

use super::super::vocabulary;

/// Stands for a segment that could be payload.
const PLACEHOLDER: &str = "{id}";
/// Segments beyond this are not shown.
const MAX_SEGMENTS: usize = 12;
/// Longer numbers are ids.
const MAX_NUMBER: usize = 2;

/// Words of routes, sorted. No first name is among them.
const WORDS: &[&str] = &[
    "a",
    "about",
    "accept",
    "add",
    "admin",
    "adult",
    "adults",
    "all",
    "amp",
    "and",
    "app",
    "apply",
    "archive",
    "article",
    "articles",
    "asp",
    "aspx",
    "at",
    "author",
    "authors",
    "back",
    "benefits",
    "blog",
    "book",
    "booking",
    "bookings",
    "browse",
    "callback",
    "cart",
    "categories",
    "chat",
    "check",
    "children",
    "clinics",
    "community",
    "conditions",
    "confirm",
    "confirmation",
    "confirmed",
    "contact",
    "counseling",
    "cookies",
    "cost",
    "create",
    "dashboard",
    "de",
    "diagnosis",
    "directory",
    "discover",
    "doctors",
    "done",
    "edit",
    "eligibility",
    "en",
    "enroll",
    "error",
    "es",
    "events",
    "express",
    "faq",
    "faqs",
    "features",
    "feedback",
    "find",
    "finish",
    "forgot",
    "form",
    "forms",
    "fr",
    "free",
    "from",
    "get",
    "group",
    "guide",
    "guides",
    "health",
    "help",
    "history",
    "home",
    "how",
    "htm",
    "html",
    "in",
    "index",
    "info",
    "intake",
    "it",
    "join",
    "journal",
    "jsp",
    "kids",
    "landing",
    "learn",
    "legal",
    "library",
    "list",
    "live",
    "locations",
    "login",
    "logout",
    "lp",
    "main",
    "manage",
    "me",
    "medicine",
    "meet",
    "men",
    "mental",
    "messages",
    "my",
    "new",
    "news",
    "next",
    "notice",
    "on",
    "onboarding",
    "online",
    "or",
    "order",
    "orders",
    "our",
    "overview",
    "password",
    "patients",
    "pay",
    "payment",
    "php",
    "physicians",
    "plans",
    "portal",
    "post",
    "posts",
    "prescribe",
    "press",
    "pricing",
    "privacy",
    "products",
    "providers",
    "public",
    "qualify",
    "questionnaire",
    "quizzes",
    "rates",
    "read",
    "register",
    "request",
    "reset",
    "resources",
    "results",
    "review",
    "reviews",
    "schedule",
    "scheduling",
    "search",
    "select",
    "services",
    "settings",
    "shop",
    "sign",
    "signin",
    "signup",
    "specialties",
    "start",
    "stories",
    "submit",
    "success",
    "summary",
    "team",
    "teens",
    "terms",
    "test",
    "tests",
    "thank",
    "thanks",
    "therapists",
    "therapies",
    "thankyou",
    "tips",
    "to",
    "topics",
    "treatments",
    "up",
    "us",
    "verify",
    "video",
    "visits",
    "waitlist",
    "web",
    "welcome",
    "what",
    "why",
    "with",
    "women",
    "you",
    "your",
];

/// Words behind which a segment names someone.
const PEOPLE: &[&str] = &[
    "account",
    "accounts",
    "clients",
    "contacts",
    "customers",
    "members",
    "patient",
    "patients",
    "people",
    "profile",
    "profiles",
    "user",
    "users",
];

/// Words of routes where a visitor receives care rather than reads.
const CARE: &[&str] = &[
    "account",
    "appointment",
    "appointments",
    "assessment",
    "assessments",
    "book",
    "booking",
    "cart",
    "checkout",
    "confirmation",
    "dashboard",
    "eligibility",
    "enroll",
    "intake",
    "login",
    "my",
    "onboarding",
    "order",
    "patient",
    "patients",
    "portal",
    "prescription",
    "prescriptions",
    "questionnaire",
    "quiz",
    "refill",
    "register",
    "results",
    "schedule",
    "screening",
    "signin",
    "signup",
    "start",
    "test",
    "visit",
    "visits",
];

/// The template of the path of a request target.
pub(super) fn template(target: &[u8]) -> String {
    let path = String::from_utf8_lossy(super::super::target::path_of(target));
    let mut shown = String::new();
    let mut names_someone = false;
    for segment in path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .take(MAX_SEGMENTS)
    {
        let segment = segment.to_ascii_lowercase();
        let is_shown = if names_someone {
            WORDS.contains(&segment.as_str())
        } else {
            is_known(&segment)
        };
        names_someone = PEOPLE.contains(&segment.as_str());
        shown.push('/');
        shown.push_str(if is_shown { &segment } else { PLACEHOLDER });
    }
    if shown.is_empty() {
        shown.push('/');
    }
    shown
}

/// Whether a template is a route where a visitor receives care.
pub(super) fn is_care(template: &str) -> bool {
    template
        .split(['/', '-', '_', '.'])
        .any(|word| CARE.contains(&word))
}

fn is_known(segment: &str) -> bool {
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let mut words = segment.split(['-', '_', '.']);
    let mut has_word = false;
    words.all(|word| {
        if is_number(word) {
            return !word.is_empty() && word.len() <= MAX_NUMBER;
        }
        has_word = true;
        WORDS.contains(&word) || vocabulary::is_known(word)
    }) && has_word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_words_are_shown() {
        for (target, expected) in [
            ("/", "/"),
            ("", "/"),
            (
                "/conditions/depression?email=jane@example.com",
                "/conditions/depression",
            ),
            ("/Online-Therapy/index.html", "/online-therapy/index.html"),
            (
                "/patients/jane-roe/appointments/20481",
                "/patients/{id}/appointments/{id}",
            ),
            ("/patients/cancer", "/patients/{id}"),
            ("/patients/new", "/patients/new"),
            ("/u/5d41402abc4b2a76b9719d911017c592", "/{id}/{id}"),
            ("/results/jane%40example.com", "/results/{id}"),
            ("/blog/2026/11/living-with-averylla", "/blog/{id}/{id}/{id}"),
            ("/adhd-test-2", "/adhd-test-2"),
            (
                "http://clinic.example/assessment/phq-9",
                "/assessment/phq-9",
            ),
            ("/a--b", "/{id}"),
        ] {
            assert_eq!(template(target.as_bytes()), expected, "{target}");
        }
    }

    #[test]
    fn routes_of_care() {
        for (template, expected) in [
            ("/assessment/phq-9", true),
            ("/book-appointment", true),
            ("/blog/{id}", false),
            ("/conditions/depression", false),
        ] {
            assert_eq!(is_care(template), expected, "{template}");
        }
    }
}
