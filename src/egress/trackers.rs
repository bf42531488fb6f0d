//! Hosts that only measure or advertise: no question comes from them, so nothing is loaded from them.

/// Domains of well-known services, and with each everything below it.
const TRACKERS: [&str; 64] = [
    "2mdn.net",
    "adform.net",
    "adnxs.com",
    "adroll.com",
    "adsrvr.org",
    "adsystem.com",
    "amazon-adsystem.com",
    "amplitude.com",
    "app-measurement.com",
    "appsflyer.com",
    "bat.bing.com",
    "bluekai.com",
    "bugsnag.com",
    "casalemedia.com",
    "chartbeat.com",
    "chartbeat.net",
    "clarity.ms",
    "connect.facebook.net",
    "criteo.com",
    "criteo.net",
    "crazyegg.com",
    "datadoghq-browser-agent.com",
    "demdex.net",
    "doubleclick.net",
    "everesttech.net",
    "facebook.net",
    "fullstory.com",
    "google-analytics.com",
    "googleadservices.com",
    "googlesyndication.com",
    "googletagmanager.com",
    "googletagservices.com",
    "heapanalytics.com",
    "hotjar.com",
    "hotjar.io",
    "hs-analytics.net",
    "imrworldwide.com",
    "kissmetrics.io",
    "krxd.net",
    "licdn.com",
    "mathtag.com",
    "matomo.cloud",
    "mc.yandex.ru",
    "mixpanel.com",
    "moatads.com",
    "mouseflow.com",
    "mxpnl.com",
    "newrelic.com",
    "nr-data.net",
    "omtrdc.net",
    "outbrain.com",
    "pubmatic.com",
    "quantcount.com",
    "quantserve.com",
    "rubiconproject.com",
    "scorecardresearch.com",
    "segment.io",
    "sentry-cdn.com",
    "statcounter.com",
    "taboola.com",
    "top-fwz1.mail.ru",
    "tiktokcdn-analytics.com",
    "zedo.com",
    "zemanta.com",
];

/// Returns whether a host, lower case and without a trailing dot, only measures or advertises.
pub(super) fn is_tracker(host: &str) -> bool {
    TRACKERS.iter().any(|domain| {
        let below = host.strip_suffix(domain);
        below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::is_tracker;

    #[test]
    fn a_domain_and_everything_below_it() {
        assert!(is_tracker("doubleclick.net") && is_tracker("stats.g.doubleclick.net"));
        assert!(!is_tracker("notdoubleclick.net") && !is_tracker("doubleclick.net.example"));
    }
}
