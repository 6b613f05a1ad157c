//! Advertising platforms.

use super::{entry, entry_with_protocol, event, exact, housekeeping, shared, under};
use crate::tracker::{Category, Host, Tracker};

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
];
