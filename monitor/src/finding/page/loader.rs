//! What a page loads to the trackers of the catalog.
//!
//! In: resources, and the names and ids that inline scripts mention. Out: each
//! tracker once, with the observed host.

use std::sync::Arc;

use crate::{
    field::html::{Document, LoaderName, Mentions, Resource},
    tracker::{Catalog, MatchedBy, Tracker, Weight},
};

/// Id of a tracker in the catalog.
type Id = &'static str;

/// By name in scripts: the tracker, and the host of its script.
const NAMES: &[(LoaderName, Id, &str)] = &[
    ("FS", "fullstory", "edge.fullstory.com"),
    ("GoogleAnalyticsObject", "ua", "www.google-analytics.com"),
    ("Intercom", "intercom", "widget.intercom.io"),
    ("LogRocket", "logrocket", "cdn.lr-ingest.io"),
    ("TTDUniversalPixelApi", "the_trade_desk", "js.adsrvr.org"),
    ("_cio", "customerio", "assets.customer.io"),
    ("_fbq", "meta", "connect.facebook.net"),
    ("_fs_org", "fullstory", "edge.fullstory.com"),
    ("_gaq", "ua", "www.google-analytics.com"),
    ("_hsq", "hubspot", "js.hs-scripts.com"),
    ("_learnq", "klaviyo", "static.klaviyo.com"),
    ("_linkedin_data_partner_ids", "linkedin", "snap.licdn.com"),
    ("_linkedin_partner_id", "linkedin", "snap.licdn.com"),
    ("_paq", "matomo", "cdn.matomo.cloud"),
    ("_satellite", "adobe_analytics", "assets.adobedtm.com"),
    ("_tfa", "taboola", "cdn.taboola.com"),
    ("adroll_adv_id", "adroll", "s.adroll.com"),
    ("adroll_pix_id", "adroll", "s.adroll.com"),
    (
        "alloy",
        "adobe_experience_platform",
        "cdn1.adoberesources.net",
    ),
    ("amplitude", "amplitude", "cdn.amplitude.com"),
    ("amzn", "amazon_ads", "c.amazon-adsystem.com"),
    ("analytics", "segment", "cdn.segment.com"),
    ("braze", "braze", "js.appboycdn.com"),
    ("clarity", "clarity", "www.clarity.ms"),
    ("criteo_q", "criteo", "dynamic.criteo.com"),
    ("drift", "drift", "js.driftt.com"),
    ("fbq", "meta", "connect.facebook.net"),
    ("ga", "ua", "www.google-analytics.com"),
    ("heap", "heap", "cdn.heapanalytics.com"),
    ("hj", "hotjar", "static.hotjar.com"),
    ("intercomSettings", "intercom", "widget.intercom.io"),
    ("klaviyo", "klaviyo", "static.klaviyo.com"),
    ("lintrk", "linkedin", "snap.licdn.com"),
    ("mParticle", "mparticle", "jssdkcdns.mparticle.com"),
    ("mixpanel", "mixpanel", "cdn.mxpnl.com"),
    ("ndp", "nextdoor", "ads.nextdoor.com"),
    ("obApi", "outbrain", "amplify.outbrain.com"),
    ("pintrk", "pinterest", "s.pinimg.com"),
    ("posthog", "posthog", "us-assets.i.posthog.com"),
    ("qp", "quora", "a.quora.com"),
    ("rdt", "reddit", "www.redditstatic.com"),
    ("rudderanalytics", "rudderstack", "cdn.rudderlabs.com"),
    ("snaptr", "snap", "sc-static.net"),
    ("spdt", "spotify", "pixel.byspotify.com"),
    ("ttd_dom_ready", "the_trade_desk", "js.adsrvr.org"),
    ("ttq", "tiktok", "analytics.tiktok.com"),
    ("twq", "x", "static.ads-twitter.com"),
    ("uetq", "uet", "bat.bing.com"),
    ("utag_data", "tealium", "tags.tiqcdn.com"),
];

/// By the prefix of an id of Google's.
const IDS: &[(&str, Id, &str)] = &[
    ("AW-", "google_ads", "www.googletagmanager.com"),
    ("DC-", "doubleclick", "www.googletagmanager.com"),
    ("G-", "ga4_web", "www.googletagmanager.com"),
    ("GTM-", "google_tag_manager", "www.googletagmanager.com"),
    ("UA-", "ua", "www.google-analytics.com"),
];

/// Hosts of scripts that receive no data, or serve more than scripts: host,
/// beginning of the path, tracker.
const SCRIPTS: &[(&str, &str, Id)] = &[
    ("ads.nextdoor.com", "/", "nextdoor"),
    ("amplify.outbrain.com", "/", "outbrain"),
    ("assets.adobedtm.com", "/", "adobe_analytics"),
    ("cdn.segment.com", "/analytics", "segment"),
    ("cdn.taboola.com", "/libtrc", "taboola"),
    (
        "cdn1.adoberesources.net",
        "/alloy",
        "adobe_experience_platform",
    ),
    ("dynamic.criteo.com", "/", "criteo"),
    ("googleads.g.doubleclick.net", "/pagead", "google_ads"),
    ("js.appboycdn.com", "/", "braze"),
    ("js.driftt.com", "/", "drift"),
    ("js.hs-analytics.net", "/", "hubspot"),
    ("js.hs-scripts.com", "/", "hubspot"),
    ("js.hsforms.net", "/", "hubspot"),
    ("s.adroll.com", "/", "adroll"),
    ("s.pinimg.com", "/ct/", "pinterest"),
    ("snap.licdn.com", "/li.lms-analytics", "linkedin"),
    ("static.criteo.net", "/js/", "criteo"),
    ("tags.tiqcdn.com", "/utag", "tealium"),
    ("widget.intercom.io", "/", "intercom"),
    ("www.facebook.com", "/tr", "meta"),
    ("www.redditstatic.com", "/ads/", "reddit"),
];

/// The host that loads whatever its query names.
const GOOGLE_LOADER: &str = "www.googletagmanager.com";

/// A tracker that a page loads.
pub(super) struct Loaded {
    pub(super) tracker: Arc<Tracker>,
    pub(super) weight: Weight,
    pub(super) host: String,
    pub(super) matched_by: MatchedBy,
}

/// The trackers that a page loads, each once, in the order of their ids.
pub(super) fn loaded(
    document: &Document,
    mut mentions: Mentions,
    catalog: &Catalog,
) -> Vec<Loaded> {
    let mut found: Vec<Loaded> = Vec::new();
    for resource in &document.resources {
        mentions.note_ids(&resource.query);
        found.extend(of_resource(resource, catalog, true));
    }
    for resource in &mentions.resources {
        found.extend(of_resource(resource, catalog, false));
    }
    let named = NAMES
        .iter()
        .filter(|(name, ..)| mentions.names.contains(name))
        .map(|(_, id, host)| (*id, *host));
    let numbered = IDS
        .iter()
        .filter(|(prefix, ..)| mentions.ids.contains(prefix))
        .map(|(_, id, host)| (*id, *host));
    let mut ids: Vec<_> = named.chain(numbered).collect();
    let google = mentions.ids.iter().any(|id| *id != "GTM-");
    if mentions.names.contains("gtag") && !google {
        ids.push(("ga4_web", GOOGLE_LOADER));
    } else if mentions.names.contains("dataLayer") && mentions.ids.is_empty() {
        ids.push(("google_tag_manager", GOOGLE_LOADER));
    }
    found.extend(
        ids.into_iter()
            .filter_map(|(id, host)| of_id(id, host, catalog)),
    );
    // The first entry of a tracker is kept: it has the best evidence.
    found.sort_by(|one, next| one.tracker.id.cmp(&next.tracker.id));
    found.dedup_by(|next, one| next.tracker.id == one.tracker.id);
    found
}

/// `is_loaded` means that the page itself loads it, so that a tracker's
/// protocol on an unknown host counts.
fn of_resource(resource: &Resource, catalog: &Catalog, is_loaded: bool) -> Option<Loaded> {
    let Resource { host, path, .. } = resource;
    if host == GOOGLE_LOADER && path.starts_with("/gtag/") {
        // The ids in its query say which product it is.
        return None;
    }
    let matched = catalog
        .match_request(Some(host), "GET", path)
        .filter(|matched| is_loaded || matched.matched_by != MatchedBy::Protocol);
    if let Some(matched) = matched {
        return Some(Loaded {
            tracker: matched.tracker,
            weight: matched.weight,
            host: host.clone(),
            matched_by: matched.matched_by,
        });
    }
    let (.., id) = SCRIPTS
        .iter()
        .find(|(known, start, _)| known == host && path.starts_with(start))?;
    of_id(id, host, catalog)
}

fn of_id(id: &str, host: &str, catalog: &Catalog) -> Option<Loaded> {
    let tracker = catalog
        .entries()
        .iter()
        .find(|tracker| *tracker.id == *id)
        .cloned()
        .or_else(|| catalog.match_host(host).map(|found| found.tracker))?;
    let weight = catalog.found(&tracker, host, MatchedBy::Host, None).weight;
    Some(Loaded {
        tracker,
        weight,
        host: host.to_owned(),
        matched_by: MatchedBy::Script,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        field::{FieldLimits, html::read_page},
        loss::Losses,
    };

    fn check(markup: &str, expected: &str) {
        let mut losses = Losses::default();
        let document = read_page(markup.as_bytes(), &mut losses);
        let (_, mentions) = document.examine(None, &FieldLimits::default(), &mut losses);
        let found = loaded(&document, mentions, &Catalog::builtin());
        let ids: Vec<_> = found.iter().map(|loaded| &*loaded.tracker.id).collect();
        assert_eq!(ids.join(" "), expected, "{markup}");
    }

    #[test]
    fn trackers_are_told_by_what_loads_them() {
        let script = |text: &str| format!("<script>{text}</script>");
        for (markup, expected) in [
            (
                "<p>fbq('track')</p><a href='https://www.facebook.com/tr'>x</a>",
                "",
            ),
            (
                "<script src=/app.js></script><script>let x = 'fbq'; // ttq.load('')</script>",
                "",
            ),
            (
                "<script src=https://connect.facebook.net/en_US/fbevents.js></script>",
                "meta",
            ),
            (
                "<noscript><img src='https://www.facebook.com/tr?id=1&ev=PageView'></noscript>",
                "meta",
            ),
            (
                "<iframe src='https://www.facebook.com/clinic/videos'></iframe>",
                "",
            ),
            (
                "<script src='https://www.googletagmanager.com/gtag/js?id=G-ABC123456'></script>",
                "ga4_web",
            ),
            (
                "<script src='https://www.googletagmanager.com/gtag/js?id=AW-123456789'></script>",
                "google_ads",
            ),
            (
                "<script src=//www.redditstatic.com/ads/pixel.js></script>",
                "reddit",
            ),
            (
                "<link rel=preconnect href=https://analytics.tiktok.com>",
                "tiktok",
            ),
            (
                "<amp-pixel src='https://ct.pinterest.com/v3/?tid=1'></amp-pixel>",
                "pinterest",
            ),
        ] {
            check(markup, expected);
        }
        for (text, expected) in [
            ("fbq('init', '1')", "meta"),
            ("ttq.load('C1'); ttq.page();", "tiktok"),
            (
                "(function(w,d,s,l,i){w[l]=w[l]||[]})(window,document,'script','dataLayer','GTM-AB12C3')",
                "google_tag_manager",
            ),
            ("gtag('config', 'AW-123456789')", "google_ads"),
            (
                "function gtag(){dataLayer.push(arguments)} gtag('js', new Date())",
                "ga4_web",
            ),
            ("snaptr('init', 'x')", "snap"),
            ("pintrk('load', '2')", "pinterest"),
            ("_linkedin_partner_id = '3'", "linkedin"),
            ("twq('config', 'o1')", "x"),
            ("rdt('init','t2_x')", "reddit"),
            ("window.uetq = window.uetq || []", "uet"),
            ("analytics.load('key')", "segment"),
            ("_paq.push(['trackPageView'])", "matomo"),
            ("mixpanel.init('t')", "mixpanel"),
            ("amplitude.getInstance().init('k')", "amplitude"),
            ("posthog.init('phc_x', {})", "posthog"),
            ("heap.load('1')", "heap"),
            ("hj('identify', 'u', {})", "hotjar"),
            ("clarity('set', 'k', 'v')", "clarity"),
            ("window['_fs_org'] = 'x'; FS.identify('u')", "fullstory"),
            ("var _hsq = window._hsq = window._hsq || []", "hubspot"),
            ("window.criteo_q.push({event: 'x'})", "criteo"),
            ("obApi('track', 'PAGE_VIEW')", "outbrain"),
            ("window._tfa = window._tfa || []", "taboola"),
            ("qp('init', 'x')", "quora"),
            ("_learnq.push(['identify'])", "klaviyo"),
            ("fetch('https://api.mixpanel.com/track')", "mixpanel"),
            ("open('https://www.facebook.com/clinic')", ""),
        ] {
            check(&script(text), expected);
        }
    }
}
