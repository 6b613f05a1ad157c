//! The trackers that are known, as data.
//!
//! The order matters in two ways: entries that share a host are tried from the
//! first, and the first that the host alone identifies is the fallback.

use super::{Category, Host, PathRule, Role, Tracker};

/// A host that alone tells the tracker.
const fn exact(name: &'static str) -> Host {
    Host {
        name,
        below: false,
        alone: true,
    }
}

/// A domain, with all hosts below it, that alone tells the tracker.
const fn under(name: &'static str) -> Host {
    Host {
        name,
        below: true,
        alone: true,
    }
}

/// A host, with all hosts below it, that serves other interfaces too.
const fn shared(name: &'static str) -> Host {
    Host {
        name,
        below: true,
        alone: false,
    }
}

const fn event(methods: &'static str, host: &'static str, path: &'static str) -> PathRule {
    PathRule {
        methods,
        host,
        path,
        role: Role::Event,
    }
}

const fn housekeeping(methods: &'static str, host: &'static str, path: &'static str) -> PathRule {
    PathRule {
        methods,
        host,
        path,
        role: Role::Housekeeping,
    }
}

const fn entry(
    id: &'static str,
    owner: &'static str,
    category: Category,
    hosts: &'static [Host],
    paths: &'static [PathRule],
) -> Tracker {
    Tracker {
        id,
        owner,
        category,
        hosts,
        paths,
        protocol: &[],
    }
}

const fn entry_with_protocol(
    id: &'static str,
    owner: &'static str,
    category: Category,
    hosts: &'static [Host],
    paths: &'static [PathRule],
    protocol: &'static [PathRule],
) -> Tracker {
    Tracker {
        id,
        owner,
        category,
        hosts,
        paths,
        protocol,
    }
}

/// Every tracker that is compiled in.
pub(super) const TRACKERS: &[Tracker] = &[
    entry_with_protocol(
        "meta",
        "Meta Platforms",
        Category::Ads,
        &[under("facebook.net"), shared("facebook.com")],
        &[
            housekeeping("GET", "graph.facebook.com", "/v*/*/insights"),
            housekeeping("GET", "graph.facebook.com", "/*/insights"),
            housekeeping("*", "graph.facebook.com", "/v*/oauth/**"),
            housekeeping("*", "graph.facebook.com", "/oauth/**"),
            event("POST", "graph.facebook.com", "/v*/*/events"),
            event("POST", "graph.facebook.com", "/*/events"),
            event("POST|DELETE", "graph.facebook.com", "/v*/*/users"),
            event("POST", "graph.facebook.com", "/v*/*/activities"),
            event("POST", "graph.facebook.com", "/v*/*/uploads"),
            event("GET|POST", ".facebook.com", "/tr"),
            event("GET|POST", ".facebook.com", "/tr/**"),
        ],
        &[event("POST", "", "/**/capi/*/events")],
    ),
    entry(
        "tiktok",
        "ByteDance",
        Category::Ads,
        &[
            exact("analytics.tiktok.com"),
            exact("analytics-ipv6.tiktokw.us"),
            shared("business-api.tiktok.com"),
        ],
        &[
            housekeeping("*", "business-api.tiktok.com", "/open_api/v*/report/**"),
            housekeeping("*", "business-api.tiktok.com", "/open_api/v*/oauth2/**"),
            event("POST", "business-api.tiktok.com", "/open_api/v*/event/**"),
            event(
                "POST",
                "business-api.tiktok.com",
                "/open_api/v*/pixel/track",
            ),
            event(
                "POST",
                "business-api.tiktok.com",
                "/open_api/v*/pixel/batch",
            ),
            event(
                "POST",
                "business-api.tiktok.com",
                "/open_api/v*/offline/track",
            ),
            event(
                "POST",
                "business-api.tiktok.com",
                "/open_api/v*/offline/batch",
            ),
            event(
                "POST",
                "business-api.tiktok.com",
                "/open_api/v*/segment/mapping",
            ),
            event("POST", "business-api.tiktok.com", "/open_api/v*/dmp/**"),
            housekeeping("GET", "analytics.tiktok.com", "/i18n/**"),
            event("POST", "analytics.tiktok.com", "/api/v*/pixel"),
            event("POST", "analytics.tiktok.com", "/api/v*/pixel/**"),
        ],
    ),
    entry_with_protocol(
        "ga4_mp",
        "Google",
        Category::Analytics,
        &[
            shared("google-analytics.com"),
            shared("analytics.google.com"),
        ],
        &[
            event("POST", "", "/mp/collect"),
            event("POST", "", "/debug/mp/collect"),
        ],
        &[event("POST", "", "/**/mp/collect")],
    ),
    entry_with_protocol(
        "ua",
        "Google",
        Category::Analytics,
        &[shared("google-analytics.com")],
        &[
            event("GET|POST", "", "/collect"),
            event("POST", "", "/batch"),
            event("GET|POST", "", "/__utm.gif"),
        ],
        &[],
    ),
    entry_with_protocol(
        "ga4_web",
        "Google",
        Category::Analytics,
        &[under("google-analytics.com"), under("analytics.google.com")],
        &[
            event("GET|POST", "", "/g/collect"),
            event("GET|POST", "", "/r/collect"),
            event("GET|POST", "", "/j/collect"),
            housekeeping("GET", "", "/analytics.js"),
        ],
        &[event("GET|POST", "", "/**/g/collect")],
    ),
    entry(
        "google_ads",
        "Google",
        Category::Ads,
        &[
            under("googleadservices.com"),
            under("googlesyndication.com"),
            shared("googleads.googleapis.com"),
            shared("datamanager.googleapis.com"),
            shared("www.google.com"),
        ],
        &[
            housekeeping(
                "POST",
                "googleads.googleapis.com",
                "/v*/customers/*/googleAds:searchStream",
            ),
            housekeeping(
                "POST",
                "googleads.googleapis.com",
                "/v*/customers/*/googleAds:search",
            ),
            event(
                "POST",
                "googleads.googleapis.com",
                "/v*/customers/*:uploadClickConversions",
            ),
            event(
                "POST",
                "googleads.googleapis.com",
                "/v*/customers/*:uploadCallConversions",
            ),
            event(
                "POST",
                "googleads.googleapis.com",
                "/v*/customers/*:uploadConversionAdjustments",
            ),
            event(
                "POST",
                "googleads.googleapis.com",
                "/v*/customers/*/offlineUserDataJobs/**",
            ),
            event(
                "POST",
                "googleads.googleapis.com",
                "/v*/customers/*:uploadUserData",
            ),
            event(
                "POST",
                "datamanager.googleapis.com",
                "/v*/audienceMembers:ingest",
            ),
            event("POST", "datamanager.googleapis.com", "/v*/events:ingest"),
            event("*", "www.google.com", "/ads/event/api/v1"),
            event("*", "www.google.com", "/ccm/collect"),
            event("*", "www.google.com", "/pagead/**"),
        ],
    ),
    entry(
        "doubleclick",
        "Google",
        Category::Ads,
        &[
            under("doubleclick.net"),
            shared("dfareporting.googleapis.com"),
        ],
        &[
            event(
                "POST",
                "dfareporting.googleapis.com",
                "/dfareporting/v*/userprofiles/*/conversions/*",
            ),
            event("GET|POST", ".doubleclick.net", "/pagead/**"),
            event("GET|POST", ".doubleclick.net", "/activityi*"),
        ],
    ),
    entry(
        "google_tag_manager",
        "Google",
        Category::TagManager,
        &[under("googletagmanager.com")],
        &[
            housekeeping("GET", "", "/gtag/js"),
            housekeeping("GET", "", "/gtm.js"),
            housekeeping("GET", "", "/ns.html"),
        ],
    ),
    entry(
        "snap",
        "Snap",
        Category::Ads,
        &[
            exact("tr.snapchat.com"),
            under("sc-static.net"),
            shared("adsapi.snapchat.com"),
        ],
        &[
            event("POST", "tr.snapchat.com", "/v*/*/events"),
            event("POST", "tr.snapchat.com", "/v2/conversion"),
            event("POST", "tr.snapchat.com", "/v2/conversion/**"),
            event("GET|POST", "tr.snapchat.com", "/p"),
            event("POST", "adsapi.snapchat.com", "/v1/segments/*/users"),
        ],
    ),
    entry(
        "pinterest",
        "Pinterest",
        Category::Ads,
        &[exact("ct.pinterest.com"), shared("api.pinterest.com")],
        &[
            event("POST", "api.pinterest.com", "/v*/ad_accounts/*/events"),
            event("POST", "ct.pinterest.com", "/events/v3"),
            event("GET|POST", "ct.pinterest.com", "/v3"),
            event("GET|POST", "ct.pinterest.com", "/user"),
        ],
    ),
    entry(
        "linkedin",
        "Microsoft",
        Category::Ads,
        &[
            under("ads.linkedin.com"),
            under("oribi.io"),
            under("bizographics.com"),
            exact("p.adsymptotic.com"),
            shared("api.linkedin.com"),
        ],
        &[
            event("POST", "api.linkedin.com", "/rest/conversionEvents"),
            event("POST", "api.linkedin.com", "/rest/dmpSegments/*/users"),
            event("GET|POST", ".ads.linkedin.com", "/collect"),
            event("GET|POST", ".ads.linkedin.com", "/attribution_trigger"),
        ],
    ),
    entry(
        "x",
        "X Corp",
        Category::Ads,
        &[
            under("ads-twitter.com"),
            exact("analytics.twitter.com"),
            shared("ads-api.x.com"),
            shared("ads-api.twitter.com"),
            Host {
                name: "t.co",
                below: false,
                alone: false,
            },
        ],
        &[
            event("POST", ".x.com", "/12/measurement/conversions/*"),
            event("POST", ".twitter.com", "/12/measurement/conversions/*"),
            event("POST", "", "/12/accounts/*/custom_audiences/*/users"),
            event("GET|POST", "t.co", "/i/adsct"),
            event("GET|POST", "", "/i/adsct"),
        ],
    ),
    entry(
        "reddit",
        "Reddit",
        Category::Ads,
        &[
            exact("alb.reddit.com"),
            exact("events.redditmedia.com"),
            exact("pixel-config.reddit.com"),
            shared("ads-api.reddit.com"),
        ],
        &[
            event(
                "POST",
                "ads-api.reddit.com",
                "/api/v2.0/conversions/events/*",
            ),
            event(
                "POST",
                "ads-api.reddit.com",
                "/api/v3/pixels/*/conversion_events",
            ),
            event("GET|POST", "alb.reddit.com", "/rp.gif"),
            housekeeping("GET", "pixel-config.reddit.com", "/**"),
        ],
    ),
    entry(
        "uet",
        "Microsoft",
        Category::Ads,
        &[
            under("bat.bing.com"),
            under("bat.bing.net"),
            exact("bat.r.msn.com"),
            exact("capi.uet.microsoft.com"),
        ],
        &[
            event("POST", "capi.uet.microsoft.com", "/v1/*/events"),
            event("GET|POST", "", "/action/0"),
            housekeeping("GET", "", "/bat.js"),
        ],
    ),
    entry(
        "clarity",
        "Microsoft",
        Category::Replay,
        &[under("clarity.ms")],
        &[
            event("POST", "", "/collect"),
            housekeeping("GET", "", "/tag/**"),
        ],
    ),
    entry(
        "criteo",
        "Criteo",
        Category::Ads,
        &[under("criteo.net"), shared("criteo.com")],
        &[
            event("*", "api.criteo.com", "/*/audiences/*/contactlist"),
            event("GET|POST", "widget.criteo.com", "/**"),
            event("GET|POST", "sslwidget.criteo.com", "/**"),
            event("GET|POST", "gum.criteo.com", "/**"),
        ],
    ),
    entry(
        "taboola",
        "Taboola",
        Category::Ads,
        &[exact("trc.taboola.com"), shared("taboola.com")],
        &[
            event("GET|POST", "trc.taboola.com", "/**"),
            event(
                "POST",
                "backstage.taboola.com",
                "/backstage/api/1.0/*/audience_onboarding/**",
            ),
        ],
    ),
    entry(
        "outbrain",
        "Outbrain",
        Category::Ads,
        &[exact("tr.outbrain.com"), exact("amplifypixel.outbrain.com")],
        &[
            event("GET|POST", "", "/unifiedPixel"),
            event("GET|POST", "", "/pixel"),
        ],
    ),
    entry(
        "the_trade_desk",
        "The Trade Desk",
        Category::Dsp,
        &[under("adsrvr.org"), shared("api.thetradedesk.com")],
        &[
            event("POST", "insight.adsrvr.org", "/track/realtimeconversion"),
            event("POST", "", "/data/*"),
            event("*", "api.thetradedesk.com", "/v3/crmdata/**"),
            event("GET|POST", "insight.adsrvr.org", "/track/**"),
        ],
    ),
    entry(
        "amazon_ads",
        "Amazon",
        Category::Ads,
        &[
            under("amazon-adsystem.com"),
            shared("advertising-api.amazon.com"),
            shared("advertising-api-eu.amazon.com"),
            shared("advertising-api-fe.amazon.com"),
        ],
        &[
            event("POST", ".amazon.com", "/events/v1"),
            event("POST", ".amazon.com", "/dp/records/**"),
        ],
    ),
    entry(
        "quora",
        "Quora",
        Category::Ads,
        &[
            exact("q.quora.com"),
            exact("a.quora.com"),
            shared("api.quora.com"),
        ],
        &[
            event("POST", "api.quora.com", "/ads/v0/conversion"),
            event("POST", "api.quora.com", "/ads/v0/conversions"),
        ],
    ),
    entry(
        "nextdoor",
        "Nextdoor",
        Category::Ads,
        &[exact("flask.nextdoor.com"), shared("ads.nextdoor.com")],
        &[event(
            "POST",
            "ads.nextdoor.com",
            "/v2/api/conversions/track",
        )],
    ),
    entry(
        "spotify",
        "Spotify",
        Category::Ads,
        &[
            exact("pixel.byspotify.com"),
            shared("api-partner.spotify.com"),
        ],
        &[event("POST", "api-partner.spotify.com", "/ads/v*/**")],
    ),
    entry(
        "adobe_analytics",
        "Adobe",
        Category::Analytics,
        &[under("omtrdc.net"), under("2o7.net")],
        &[event("GET|POST", "", "/b/ss/**")],
    ),
    entry(
        "adobe_experience_platform",
        "Adobe",
        Category::Cdp,
        &[
            under("adobedc.net"),
            under("demdex.net"),
            under("everesttech.net"),
        ],
        &[
            event("POST", "", "/ee/**"),
            event("POST", "dcs.adobedc.net", "/collection/**"),
        ],
    ),
    entry_with_protocol(
        "segment",
        "Twilio",
        Category::Cdp,
        &[
            exact("api.segment.io"),
            under("segmentapis.com"),
            shared("segment.io"),
            shared("segment.com"),
        ],
        &[
            housekeeping("GET", "cdn.segment.com", "/v1/projects/*/settings"),
            housekeeping("GET", "cdn.segment.com", "/**"),
            event("POST", "", "/v1/batch"),
            event("POST", "", "/v1/import"),
            event("POST", "", "/v1/track"),
            event("POST", "", "/v1/identify"),
            event("POST", "", "/v1/page"),
            event("POST", "", "/v1/screen"),
            event("POST", "", "/v1/group"),
            event("POST", "", "/v1/alias"),
            event("POST", "", "/v1/t"),
            event("POST", "", "/v1/i"),
            event("POST", "", "/v1/p"),
        ],
        &[event("POST", "", "/v1/batch")],
    ),
    entry(
        "rudderstack",
        "RudderStack",
        Category::Cdp,
        &[under("rudderlabs.com"), under("rudderstack.com")],
        &[
            housekeeping("GET", "", "/sourceConfig"),
            event("POST", "", "/v1/*"),
        ],
    ),
    entry(
        "mparticle",
        "mParticle",
        Category::Cdp,
        &[under("mparticle.com")],
        &[
            event("POST", "", "/v2/events"),
            event("POST", "", "/v2/bulkevents"),
            event("POST", "", "/s2s/v2/**"),
        ],
    ),
    entry(
        "mixpanel",
        "Mixpanel",
        Category::Analytics,
        &[under("mixpanel.com"), under("mxpnl.com")],
        &[
            event("GET|POST", "", "/track"),
            event("GET|POST", "", "/engage"),
            event("GET|POST", "", "/groups"),
            event("POST", "", "/import"),
            housekeeping("GET", "", "/decide"),
        ],
    ),
    entry(
        "amplitude",
        "Amplitude",
        Category::Analytics,
        &[under("amplitude.com")],
        &[
            event("POST", "", "/2/httpapi"),
            event("POST", "", "/batch"),
            event("POST", "", "/identify"),
            event("POST", "", "/groupidentify"),
            event("POST", "", "/usermap"),
        ],
    ),
    entry(
        "heap",
        "Contentsquare",
        Category::Analytics,
        &[under("heapanalytics.com"), under("heap-api.com")],
        &[
            event("POST", "", "/api/track"),
            event("POST", "", "/api/add_user_properties"),
            event("POST", "", "/api/bulk"),
        ],
    ),
    entry(
        "posthog",
        "PostHog",
        Category::Analytics,
        &[under("posthog.com")],
        &[
            housekeeping("GET", "", "/api/feature_flag/local_evaluation"),
            housekeeping("GET", "", "/static/**"),
            event("POST", "", "/batch"),
            event("POST", "", "/capture"),
            event("POST", "", "/i/v0/e"),
            event("POST", "", "/e"),
            event("POST", "", "/flags"),
            event("POST", "", "/decide"),
            event("POST", "", "/s"),
        ],
    ),
    entry(
        "fullstory",
        "FullStory",
        Category::Replay,
        &[under("fullstory.com")],
        &[
            event("POST", "api.fullstory.com", "/v2/users"),
            event("POST", "api.fullstory.com", "/v2/events"),
            event("POST", "rs.fullstory.com", "/rec/bundle"),
        ],
    ),
    entry(
        "hotjar",
        "Contentsquare",
        Category::Replay,
        &[under("hotjar.com"), under("hotjar.io")],
        &[],
    ),
    entry(
        "logrocket",
        "LogRocket",
        Category::Replay,
        &[
            under("logrocket.com"),
            under("logrocket.io"),
            under("lr-ingest.io"),
            under("lr-ingest.com"),
        ],
        &[],
    ),
    entry(
        "braze",
        "Braze",
        Category::Messaging,
        &[under("braze.com"), under("braze.eu"), under("appboy.com")],
        &[
            housekeeping("GET", "", "/campaigns/list"),
            event("POST", "", "/users/track"),
            event("POST", "", "/users/identify"),
            event("POST", "", "/messages/send"),
        ],
    ),
    entry(
        "klaviyo",
        "Klaviyo",
        Category::Messaging,
        &[under("klaviyo.com")],
        &[
            event("POST", "", "/api/events"),
            event("POST", "", "/api/profiles"),
            event("POST", "", "/api/profile-import"),
            event("POST", "", "/client/events"),
        ],
    ),
    entry(
        "hubspot",
        "HubSpot",
        Category::Messaging,
        &[
            exact("track.hubspot.com"),
            exact("forms.hubspot.com"),
            under("hsforms.com"),
            shared("api.hubapi.com"),
        ],
        &[
            event("POST|PATCH", "api.hubapi.com", "/crm/v3/objects/contacts"),
            event(
                "POST|PATCH",
                "api.hubapi.com",
                "/crm/v3/objects/contacts/**",
            ),
            event("POST", "api.hubapi.com", "/events/v3/send"),
            event("POST", "api.hubapi.com", "/contacts/v1/contact/**"),
            housekeeping("*", "api.hubapi.com", "/oauth/**"),
        ],
    ),
    entry(
        "iterable",
        "Iterable",
        Category::Messaging,
        &[under("iterable.com")],
        &[
            event("POST", "", "/api/users/*"),
            event("POST", "", "/api/events/*"),
        ],
    ),
    entry(
        "customerio",
        "Customer.io",
        Category::Messaging,
        &[under("customer.io")],
        &[
            event("PUT", "", "/api/v1/customers/*"),
            event("POST", "", "/api/v1/customers/*/events"),
            event("POST", "", "/api/v2/batch"),
            event("POST", "", "/api/v2/entity"),
            event("POST", "cdp.customer.io", "/v1/batch"),
        ],
    ),
    entry(
        "appsflyer",
        "AppsFlyer",
        Category::Attribution,
        &[under("appsflyersdk.com"), under("appsflyer.com")],
        &[event("POST", "", "/inappevent/*")],
    ),
    entry(
        "adjust",
        "AppLovin",
        Category::Attribution,
        &[under("adjust.com"), under("adjust.io")],
        &[event("GET|POST", "s2s.adjust.com", "/event")],
    ),
    entry(
        "branch",
        "Branch",
        Category::Attribution,
        &[under("branch.io"), under("app.link")],
        &[event("POST", "", "/v2/event/*")],
    ),
    entry_with_protocol(
        "matomo",
        "Matomo",
        Category::Analytics,
        &[under("matomo.cloud")],
        &[
            event("GET|POST", "", "/matomo.php"),
            event("GET|POST", "", "/piwik.php"),
        ],
        &[
            event("GET|POST", "", "/**/matomo.php"),
            event("GET|POST", "", "/**/piwik.php"),
        ],
    ),
    entry_with_protocol(
        "snowplow",
        "Snowplow",
        Category::Analytics,
        &[under("snplow.net")],
        &[
            event("POST", "", "/com.snowplowanalytics.snowplow/tp2"),
            event("GET", "", "/i"),
        ],
        &[event("POST", "", "/**/com.snowplowanalytics.snowplow/tp2")],
    ),
];
