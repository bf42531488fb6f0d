//! Which program Chromium is, and how it is started.

use crate::config;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// What it is called on a path, the lightest first.
const NAMES: [&str; 6] = [
    "chrome-headless-shell",
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// Always given. What is not for rendering one page is off; nothing leaves but through the proxy of each page.
const FLAGS: [&str; 27] = [
    "--headless",
    "--remote-debugging-port=0",
    // The browser's own proxy is a port where nobody can listen; each page's context has a proxy of its own.
    "--proxy-server=http://127.0.0.1:1",
    "--proxy-bypass-list=<-loopback>",
    // Names are looked up by the proxy alone.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--dns-prefetch-disable",
    "--disable-quic",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--no-startup-window",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--disable-gpu",
    // No crash reports. (With `--disable-crashpad-for-testing` too, Chromium 156 aborts every navigation.)
    "--disable-breakpad",
    "--disable-crash-reporter",
    // Shared memory in /dev/shm is 64 MiB in a container.
    "--disable-dev-shm-usage",
    // A page's frames share its process: less memory, and every frame is within reach. Pages never share one, since each
    // has a context of its own.
    "--disable-site-isolation-trials",
    // A page behind another one must not be slowed down.
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    // Fonts are not loaded.
    "--disable-remote-fonts",
];

/// Images are not loaded either, unless a model may see the page.
const NO_IMAGES: &str = "--blink-settings=imagesEnabled=false";

/// Features that are off.
const FEATURES_OFF: &str = "--disable-features=IsolateOrigins,site-per-process,IsolateSandboxedIframes,Translate,\
    OptimizationHints,MediaRouter,DialMediaRouteProvider,InterestFeedContentSuggestions,NetworkTimeServiceQuerying,\
    SpareRendererForSitePerProcess,WebBluetooth,WebUSB,BackForwardCache,Prerender2,WebTransport,\
    WebUIOmniboxPopup,WebUIOmniboxAimPopup";

/// Returns the program that is to be started.
///
/// # Errors
/// What to do when there is none.
pub fn find(config: &config::Scraper, path: Option<OsString>) -> Result<PathBuf, String> {
    if let Some(program) = &config.chromium {
        return match program.is_file() {
            true => Ok(program.clone()),
            false => Err(format!(
                "scraper.chromium names {}, which is no file: name the program, or leave it out to take the one on the path",
                program.display()
            )),
        };
    }
    let path = path.unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let programs = NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    programs.into_iter().find(|program| program.is_file()).ok_or_else(|| {
        "pages that need scripts cannot be read, as there is no Chromium: install it (on Debian: apt install \
         chromium-headless-shell, or chromium), or name it in scraper.chromium"
            .to_owned()
    })
}

/// Returns the arguments that the program is started with.
pub(super) fn arguments(agent: &str, images: bool, profile: &Path) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = FLAGS.iter().map(Into::into).collect();
    arguments.extend((!images).then(|| NO_IMAGES.into()));
    arguments.push(FEATURES_OFF.into());
    arguments.push(format!("--user-agent={agent}").into());
    let mut folder = OsString::from("--user-data-dir=");
    folder.push(profile);
    arguments.push(folder);
    // Chromium refuses its sandbox to root; a container runs it as somebody else.
    if rustix::process::geteuid().is_root() {
        arguments.push("--no-sandbox".into());
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lightest_is_found_first_and_a_named_one_before_all() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = || Some(std::env::join_paths([one.path(), two.path()]).unwrap());
        let mut config = config::Scraper::default();
        assert!(find(&config, path()).unwrap_err().contains("apt install"));
        assert!(find(&config, None).is_err());
        let (big, small) = (
            one.path().join("chromium"),
            two.path().join("chromium-headless-shell"),
        );
        std::fs::write(&big, "").unwrap();
        assert_eq!(find(&config, path()), Ok(big.clone()));
        std::fs::write(&small, "").unwrap();
        assert_eq!(find(&config, path()), Ok(small));
        config.chromium = Some(big.clone());
        assert_eq!(find(&config, None), Ok(big));
        config.chromium = Some("/nowhere".into());
        assert!(find(&config, path()).unwrap_err().contains("/nowhere"));
    }
}
