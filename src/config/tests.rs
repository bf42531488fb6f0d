//! Layers overlay each other in the documented order, and everything wrong is reported at once without its secrets.

use super::*;
use std::{ffi::OsString, io::Write as _, path::Path};

fn variables(set: &[(&str, &str)]) -> Vec<(String, OsString)> {
    set.iter()
        .map(|(name, value)| ((*name).to_owned(), OsString::from(value)))
        .collect()
}

fn from_environment(set: &[(&str, &str)]) -> Result<Loaded, Problems> {
    load(&Sources {
        environment: variables(set),
        ..Sources::default()
    })
}

fn written(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn from_file(path: &Path, set: &[(&str, &str)]) -> Result<Loaded, Problems> {
    load(&Sources {
        file: Some(path.to_owned()),
        environment: variables(set),
        ..Sources::default()
    })
}

fn keys(problems: &Problems) -> Vec<&str> {
    problems
        .0
        .iter()
        .map(|problem| problem.key.as_str())
        .collect()
}

#[test]
fn the_default_file_is_the_documented_defaults() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/default.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let documented = Settings::default().documented_toml();
    let difference = text
        .lines()
        .zip(documented.lines())
        .find(|(file, code)| file != code);
    let remedy =
        "run `cargo run -- config --default > config/default.toml` after changing a section";
    assert_eq!(difference, None, "{remedy}");
    assert_eq!(text.len(), documented.len(), "{remedy}");
    let loaded = from_file(&file, &[]).unwrap();
    assert_eq!(loaded.settings.entries(), Settings::default().entries());
    for (key, value) in loaded.settings.entries() {
        let origin = loaded.origins.get(&key);
        assert_eq!(
            value.is_some(),
            matches!(origin, Origin::File(..)),
            "{key} is missing in the file"
        );
    }
}

#[test]
fn every_key_is_documented() {
    for section in Settings::default().sections() {
        assert!(!section.doc().is_empty());
        for field in section.fields() {
            assert!(
                !field.doc.is_empty(),
                "{}.{} has no documentation",
                section.name(),
                field.name
            );
        }
    }
}

#[test]
fn defaults_pass_their_own_checks() {
    let loaded = load(&Sources::default()).unwrap();
    assert_eq!(loaded.settings.listen_addr().to_string(), "127.0.0.1:3000");
}

#[test]
fn each_layer_overlays_the_one_before() {
    let file = written("[server]\nport = 1\n[log]\nlevel = \"warn\"\n");
    let port = |set: &[(&str, &str)]| from_file(file.path(), set).unwrap().settings.server.port;
    assert_eq!(port(&[]), 1);
    assert_eq!(port(&[("BACKEND_PORT", "2")]), 2);
    assert_eq!(
        port(&[("QUIZ_STATS__SERVER__PORT", "3"), ("BACKEND_PORT", "2")]),
        3
    );
    let argument = Argument {
        key: "log.level",
        value: "debug".into(),
        flag: "--log-level",
    };
    let sources = Sources {
        file: Some(file.path().to_owned()),
        environment: variables(&[("LOG_LEVEL", "error")]),
        arguments: vec![argument],
    };
    assert_eq!(load(&sources).unwrap().settings.log.level, "debug");
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let loaded =
        from_environment(&[("API_KEY", ""), ("LOG_LEVEL", ""), ("REDIS_URL", "")]).unwrap();
    assert!(loaded.settings.auth.api_key.is_none());
}

#[test]
fn text_in_a_variable_takes_the_type_of_its_field() {
    let loaded = from_environment(&[
        ("OPENAI_MODEL", "4"),
        ("API_KEY", "12345"),
        ("QUIZ_STATS__SERVER__HOST", "::1"),
        ("QUIZ_STATS__TIMELINE__WHEN_BUSY", "reject"),
        ("QUIZ_STATS__CACHE__MAX_ENTRIES", "10_000"),
    ]);
    let settings = loaded.unwrap().settings;
    assert_eq!(settings.ai.model, "4");
    assert_eq!(settings.server.host, Some("::1".parse().unwrap()));
    assert_eq!(
        settings.timeline.when_busy,
        crate::timeline::WhenBusy::Reject
    );
    assert_eq!(settings.cache.max_entries, 10_000);
}

#[test]
fn a_file_suffix_reads_the_value_from_a_file_without_its_newline() {
    use secrecy::ExposeSecret as _;
    let secret = written("s3cret\n");
    let path = secret.path().to_str().unwrap();
    for name in ["OPENAI_API_KEY_FILE", "QUIZ_STATS__AI__API_KEY_FILE"] {
        let loaded = from_environment(&[(name, path)]).unwrap();
        assert_eq!(
            loaded.settings.ai.api_key.as_ref().unwrap().expose_secret(),
            "s3cret"
        );
        assert!(
            loaded
                .masked_toml()
                .contains(&format!("api_key = \"***\" # {name}, file {path}"))
        );
    }
    let unfilled = written("\n");
    let unfilled = unfilled.path().to_str().unwrap();
    let loaded = from_environment(&[("OPENAI_API_KEY_FILE", unfilled)]).unwrap();
    assert!(loaded.settings.ai.api_key.is_none());
    let both = from_environment(&[("API_KEY", "one"), ("API_KEY_FILE", path)]).unwrap_err();
    assert!(
        both.to_string()
            .contains("set API_KEY or API_KEY_FILE, not both"),
        "{both}"
    );
    let missing = from_environment(&[("API_KEY_FILE", "does-not-exist")]).unwrap_err();
    assert!(
        missing
            .to_string()
            .contains("cannot read the file does-not-exist"),
        "{missing}"
    );
}

#[test]
fn all_problems_come_at_once_with_value_origin_and_remedy() {
    let file =
        written("[server]\nprot = 3000\nport = \"http\"\n\n[databse]\n\n[ai]\nconcurrency = 0\n");
    let problems = from_file(
        file.path(),
        &[
            ("QUIZ_STATS__CACHE__TTL_DAY", "3"),
            ("BACKEND_PORT", "70000"),
            ("QUIZ_STATS__LOG__LEVEL", "inof"),
            ("QUIZ_STATS__BROADCASTER__PONG_TIMEOUT_MS", "10"),
        ],
    )
    .unwrap_err();
    let path = file.path().display();
    for line in [
        format!("  server.prot = 3000 ({path} line 2): there is no such key; did you mean server.port?"),
        format!("  databse = {{…}} ({path} line 5): there is no such key; `quiz-stats config --default` lists all"),
        format!("  ai.concurrency = 0 ({path} line 8): must be from 1 to 1000000"),
        r#"  server.port = "70000" (BACKEND_PORT): must be a whole number from 0 to 65535"#.into(),
        r#"  cache.ttl_day = "3" (QUIZ_STATS__CACHE__TTL_DAY): there is no such key; did you mean cache.ttl_days?"#.into(),
        "  broadcaster.pong_timeout_ms = 10 (QUIZ_STATS__BROADCASTER__PONG_TIMEOUT_MS): must be longer than \
         broadcaster.ping_interval_ms, or every viewer is closed before its first pong"
            .into(),
        r#"  log.level = "inof" (QUIZ_STATS__LOG__LEVEL): must be error, warn, info, debug, trace or a filter such as info,quiz_stats=debug"#.into(),
    ] {
        assert!(problems.to_string().lines().any(|l| l == line), "missing\n{line}\nin\n{problems}");
    }
    assert_eq!(problems.0.len(), 7, "{problems}");
}

#[test]
fn broken_toml_names_its_line_and_repeats_nothing() {
    let file = written("[server]\nport = 1\n[auth]\napi_key = \"hunter2\n[ai]\nconcurrency = 0\n");
    let problems = from_file(file.path(), &[]).unwrap_err().to_string();
    assert!(problems.contains("line 4: no valid TOML"), "{problems}");
    assert!(!problems.contains("hunter2"), "{problems}");
    let missing = from_file(Path::new("does-not-exist.toml"), &[])
        .unwrap_err()
        .to_string();
    assert!(
        missing.contains("--config: cannot read does-not-exist.toml"),
        "{missing}"
    );
}

#[test]
fn the_server_listens_beyond_loopback_only_with_a_key() {
    let open = from_environment(&[("QUIZ_STATS__SERVER__HOST", "0.0.0.0")]).unwrap_err();
    assert_eq!(keys(&open), ["server.host"]);
    assert!(open.to_string().contains("set API_KEY"), "{open}");
    let guarded =
        from_environment(&[("QUIZ_STATS__SERVER__HOST", "0.0.0.0"), ("API_KEY", "k")]).unwrap();
    assert_eq!(guarded.settings.listen_addr().to_string(), "0.0.0.0:3000");
    let unset = from_environment(&[("API_KEY", "k")]).unwrap();
    assert_eq!(unset.settings.listen_addr().to_string(), "0.0.0.0:3000");
}

#[test]
fn zero_capacities_and_times_are_refused_everywhere() {
    for (key, value) in Settings::default().entries() {
        let whole_number = matches!(value, Some(toml::Value::Integer(_)));
        if whole_number
            && (key.contains("capacity") || key.ends_with("wait_ms") || key.ends_with("timeout_ms"))
        {
            let name = format!("QUIZ_STATS__{}", key.to_uppercase().replace('.', "__"));
            let problems = from_environment(&[(&name, "0")]).unwrap_err();
            assert_eq!(keys(&problems), [key.as_str()], "{problems}");
        }
    }
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    for (set, key) in [
        (
            [
                ("QUIZ_STATS__METRICS__BIND", "127.0.0.1:3000"),
                ("QUIZ_STATS__SERVER__PORT", "3000"),
            ],
            "metrics.bind",
        ),
        (
            [
                ("QUIZ_STATS__AI__RETRY_MAX_MS", "5"),
                ("QUIZ_STATS__AI__RETRY_BASE_MS", "10"),
            ],
            "ai.retry_max_ms",
        ),
        (
            [
                ("QUIZ_STATS__SUPERVISOR__BACKOFF_MAX_MS", "5"),
                ("LOG_LEVEL", "warn"),
            ],
            "supervisor.backoff_max_ms",
        ),
        (
            [
                ("OPENAI_BASE_URL", "http://me:pw@host/v1"),
                ("OPENAI_API_KEY", "k"),
            ],
            "ai.base_url",
        ),
        (
            [
                ("OPENAI_BASE_URL", "localhost:11434"),
                ("OPENAI_API_KEY", "k"),
            ],
            "ai.base_url",
        ),
    ] {
        let problems = from_environment(&set).unwrap_err();
        assert_eq!(keys(&problems), [key], "{problems}");
        assert!(!problems.to_string().contains("pw@"), "{problems}");
    }
}

#[test]
fn tokens_need_a_secret_that_cannot_be_guessed_and_a_name_for_us() {
    let known = "0123456789abcdef0123456789abcdef";
    let loaded = from_environment(&[("JWT_SECRET", known)]).unwrap();
    assert!(loaded.settings.is_guarded());
    assert!(loaded.settings.listen_addr().ip().is_unspecified());
    let key = include_str!("../../tests/keys/p256.pub.pem");
    for (set, wrong) in [
        (&[("JWT_SECRET", "short")][..], &["jwt.secret"][..]),
        (&[("QUIZ_STATS__JWT__PUBLIC_KEYS", key)], &["jwt.audience"]),
        (
            &[
                ("QUIZ_STATS__JWT__JWKS_URL", "http://id.example/jwks"),
                ("QUIZ_STATS__JWT__ISSUER", "https://id.example"),
                ("QUIZ_STATS__JWT__PUBLIC_KEYS", "none"),
            ],
            &["jwt.public_keys", "jwt.jwks_url"],
        ),
    ] {
        let problems = from_environment(set).unwrap_err();
        assert_eq!(keys(&problems), wrong, "{problems}");
    }
}

#[test]
fn origins_are_as_browsers_name_them() {
    let with = |list| from_environment(&[("CORS_ALLOWED_ORIGINS", list)]);
    for right in ["https://quiz.example", "http://localhost:5173, https://a.b"] {
        assert!(with(right).is_ok(), "{right}");
    }
    for wrong in [
        "*",
        "quiz.example",
        "https://quiz.example/",
        "https://quiz.example:443",
        "https://Quiz.example",
        "null",
        "ftp://quiz.example",
        "https://a.b,",
    ] {
        let problems = with(wrong).err().unwrap_or_else(|| panic!("{wrong}"));
        assert_eq!(
            keys(&problems),
            ["server.cors_allowed_origins"],
            "{problems}"
        );
    }
}

#[test]
fn secrets_show_nowhere() {
    let set = [("API_KEY", "hunter2"), ("OPENAI_API_KEY", "hunter3")];
    let loaded = from_environment(&set).unwrap();
    let shown = format!("{:?}\n{}", loaded, loaded.masked_toml());
    assert!(!shown.contains("hunter"), "{shown}");
    assert!(
        loaded.masked_toml().contains("api_key = \"***\" # API_KEY"),
        "{}",
        loaded.masked_toml()
    );

    let bad = [
        ("API_KEY", "hunter2 with spaces"),
        ("QUIZ_STATS__AUTH__APIKEY", "hunter3"),
        ("QUIZ_STATS__AI__TOKEN", "hunter4"),
    ];
    let problems = from_environment(&bad).unwrap_err();
    assert_eq!(problems.0.len(), 3);
    assert!(
        !format!("{problems} {problems:?}").contains("hunter"),
        "{problems}"
    );
}

#[test]
fn the_effective_settings_can_be_read_back() {
    let loaded = from_environment(&[
        ("BACKEND_PORT", "4000"),
        ("QUIZ_STATS__LOG__FORMAT", "json"),
    ])
    .unwrap();
    let text = loaded.masked_toml();
    assert!(text.contains("port = 4000 # BACKEND_PORT\n"), "{text}");
    assert!(text.contains("# host is not set\n"), "{text}");
    let again = from_file(written(&text).path(), &[]).unwrap();
    assert_eq!(again.settings.entries(), loaded.settings.entries());
}

#[test]
fn settings_made_in_code_are_checked_the_same_way() {
    assert!(Settings::default().validated().is_ok());
    let mut settings = Settings::default();
    settings.cache.mailbox_capacity = 0;
    settings.server.host = Some("0.0.0.0".parse().unwrap());
    assert_eq!(
        keys(&settings.validated().unwrap_err()),
        ["cache.mailbox_capacity", "server.host"]
    );
}
