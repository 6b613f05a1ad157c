//! What shops, software and games send is no evidence of codes or drugs.

use super::*;

/// Keys that say nothing about health, under which every text is tried.
const KEYS: &[&str] = &[
    "properties.x",
    "event_name",
    "page_title",
    "item_name",
    "path:1",
    "label",
];

/// What other trades say.
#[rustfmt::skip]
const TEXTS: &[&str] = &[
    // Software: versions, codecs, curves, builds, zones, errors.
    "v1.2", "v16.5.0", "V16.5", "r15.2.1", "H264", "h264", "E164", "P256", "H265/HEVC",
    "ES2022", "utf8", "v2.14.0-rc.1", "iOS 18.1", "Android 14", "Chrome 120.0.6099.71",
    "analytics-python", "python-requests/2.31.0", "us-east-1a", "E1001", "ERR_404", "O365",
    "S3", "k8s", "i18n", "a11y", "IPv6", "MP4", "B2B", "A11", "M1 Pro", "R2D2", "K40", "G20",
    "T14", "F5", "n8n", "log4j 2.17.1", "sdk.3.0.1", "app.min.js", "main.4f3a2b1c.js",
    "node18.2", "release-2026.11", "1.0.0", "build 4821", "x86_64", "ARM64", "WPA2",
    "AES-256-GCM", "TLS1.3", "HTTP/2", "sha256", "gzip", "UTC+02:00",
    // Vehicles, aircraft, roads, parts.
    "A320", "A320neo", "B737-800", "F150", "F-150 Lariat", "BMW E46", "Audi A4",
    "M25 northbound", "Route I95", "205/55R16", "Mazda CX-5", "N95 mask", "Boeing 787",
    "Gate B12", "Seat F32", "Row A1", "DIN A4 paper", "M8 bolt", "G9 bulb", "E27 LED",
    "A19 bulb", "CR2032", "LR44", "AA batteries",
    // Shop.
    "Blue Shirt XL", "Size 10.5", "Men's shoes 9.5 W", "SKU-88213", "B07XJ8C8F5",
    "Vitamin C serum", "Nikon D750 body", "Canon EOS R5", "Sony A7 IV", "Galaxy S24 Ultra",
    "iPhone 15 Pro", "Dell P2419H", "Acme W4-T Turbo", "Coffee beans 1kg", "Organic soap",
    "Lavender candle", "Panel curtain", "Gift card $50", "20% off", "Buy 2 get 1", "SUMMER25",
    "FREESHIP", "Order #12345", "12345", "99213", "00093-7424-56", "4548-4", "12-3", "2-1",
    "1-800", "10-12", "2026-11-24", "19.99", "Allegra Dining Table", "Soma Mattress",
    "Ella Dress", "Camila Boots", "Skyla Lamp", "Lithium battery", "Carbon steel pan",
    "Zest soap", "Thrive planner", "Advance ticket", "Halls",
    // SaaS and events.
    "Signed Up", "Trial Started", "Plan Upgraded", "Invoice Paid", "Page Viewed", "AddToCart",
    "InitiateCheckout", "CompleteRegistration", "subscription_renewed",
    "Feature Flag Evaluated", "Experiment Viewed", "test result", "A/B test result",
    "Test passed", "Code coverage 87%", "Lab", "Research lab", "MyLab workspace",
    "Procedure call", "stored procedure", "Operation failed", "Observation deck",
    "Scan QR code", "Scan complete", "Import operation", "Diagnostics uploaded",
    "Problem reported", "Condition met", "Air conditioner", "New condition", "Used - good",
    "Push notification", "Dashboard panel", "Control panel", "Sodium lamp", "alt text",
    "CMP consent", "Code review", "Session started", "Batch job", "Unit test", "Load test",
    "Speed test", "Beta test",
    // Games, media, people, places.
    "Level 12", "Boss defeated", "Potion of strength", "Health pack", "Episode S01E05",
    "S10E05", "Track 7", "Album", "Top surgeon game", "Spartan", "Toltec", "Jane", "Jalyn",
    "Norco", "Doral", "New York", "Portia", "Calan", "Exelon", "Quantity", "strong",
    "concert tickets", "cholera",
];

#[test]
fn texts_of_other_trades() {
    for text in TEXTS {
        for key in KEYS {
            let evidence = found(&[(key, text)]);
            assert_eq!(evidence, "", "{key} = {text}");
        }
    }
}

#[test]
fn values_under_keys_of_other_trades() {
    check(&[
        ("version", "F32.1", ""),
        ("app_version", "F32.1", ""),
        ("sku", "F32.1", ""),
        ("product_code", "F32.1", ""),
        ("products.0.code", "F32.1", ""),
        ("products.0.name", "Lens F32.1", ""),
        ("items.0.variant", "S10.0", ""),
        ("shoe_size", "M16.5", ""),
        ("seat", "F32.1", ""),
        ("part_number", "E11.9", ""),
        ("model", "G20.1", ""),
        ("product_diagnosis_code", "E11.9", "condition H3"),
        ("error_code", "E119", ""),
        ("country_code", "US", ""),
        ("coupon_code", "B20", ""),
        ("code", "B20", ""),
        ("code", "99213", ""),
        ("code", "4548-4", ""),
        ("status_code", "404", ""),
        ("promo.code", "J0571", ""),
        ("system", "linux", ""),
        ("context.os.version", "F32.1", ""),
        ("condition", "A1", ""),
        ("condition", "new", ""),
        ("problem", "404", ""),
        ("test_type", "ab", ""),
        ("test_results", "12 passed", ""),
        ("observation", "slow", ""),
        ("specimen", "a", ""),
        ("frequency", "daily", ""),
        ("strength", "8", ""),
        ("dose", "2", ""),
        ("operation", "delete", ""),
        ("scan", "barcode 12", ""),
        ("imaging", "dicom", ""),
        ("revenue_code", "1000", ""),
        ("image.alt", "12", ""),
        ("currency.inr", "500", ""),
        ("psa", "1", ""),
        ("glucose", "5", ""),
        ("qualifier", "gold", ""),
        ("generic_name", "widget", ""),
    ]);
}
