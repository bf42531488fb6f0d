use super::*;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

const FOUND: &str = r#"{"status":"success","questionCount":1,"url":"https://quiz.example/","title":null,"via":"browser",
    "questions":[{"question":"q","answers":["a","b"],"kind":"single"}],"notes":[],"timings":{"totalMs":7}}"#;

/// Answers every request with `head` and `body`; returns its address and the requests.
async fn service(
    head: &'static str,
    body: &'static str,
) -> (String, tokio::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, requests) = tokio::sync::mpsc::channel(16);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                if socket.read_buf(&mut request).await.unwrap_or(0) == 0 {
                    break;
                }
            }
            let answer = format!(
                "HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = socket.write_all(answer.as_bytes()).await;
            let _ = sender.try_send(String::from_utf8(request).unwrap());
        }
    });
    (address, requests)
}

async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn reader(urls: &[&str]) -> RemoteReader {
    RemoteReader::new(&config::Scraper {
        remote_url: Some(urls.join(", ")),
        remote_token: Some("token".to_owned().into()),
        ..config::Scraper::default()
    })
    .unwrap()
}

async fn read(reader: &RemoteReader) -> Result<FoundPage, PageError> {
    let page = PageRequest {
        source: PageSource::Url("https://quiz.example/".into()),
        follow: true,
        render: false,
    };
    reader
        .read(&page, Instant::now() + Duration::from_secs(10))
        .await
}

#[tokio::test]
async fn the_page_is_asked_for_with_the_token() {
    let (address, mut requests) = service("200 OK", FOUND).await;
    let found = read(&reader(&[&address])).await.unwrap();
    assert_eq!((found.questions.len(), found.timings.total_ms), (1, 7));
    let request = requests.recv().await.unwrap();
    assert!(
        request.starts_with("POST /api/scrape HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(request.contains("authorization: Bearer token\r\n"));
    let body: serde_json::Value =
        serde_json::from_str(request.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(
        body,
        json!({"url": "https://quiz.example/", "follow": true, "render": false})
    );
}

#[tokio::test]
async fn an_error_arrives_as_it_was_sent() {
    let body = r#"{"code":"page_failed","error":"no such name","details":[{"path":"reason","problem":"dns"}]}"#;
    let (address, _requests) = service("422 Unprocessable Entity", body).await;
    assert_eq!(
        read(&reader(&[&address])).await,
        Err(PageError::Failed(FailReason::Dns, "no such name".into()))
    );
}

#[tokio::test]
async fn every_error_of_a_page_survives_the_way() {
    for error in [
        PageError::NoQuestions(" that can be asked".into()),
        PageError::Blocked(BlockReason::Robots, "not wanted".into()),
        PageError::Failed(FailReason::TooLarge, "too large".into()),
        PageError::Overloaded(Duration::from_secs(5)),
    ] {
        let failure = crate::analysis::Failure::from(error.clone());
        let refusal = json!({"code": failure.code, "error": failure.error, "details": failure.details,
            "retryAfter": failure.retry_after});
        let refusal: Refusal = serde_json::from_value(refusal).unwrap();
        assert_eq!(refusal.into_outcome(), Ok(error));
    }
}

#[tokio::test]
async fn a_scraper_that_is_down_or_full_is_passed_over() {
    let down = nobody().await;
    let (full, mut asked) = service(
        "503 Service Unavailable",
        r#"{"code":"overloaded","error":"full","retryAfter":3}"#,
    )
    .await;
    let (well, _requests) = service("200 OK", FOUND).await;
    let reader = reader(&[&down, &full, &well]);
    assert!(read(&reader).await.is_ok());
    assert!(asked.recv().await.is_some());
    assert!(reader.services[0].is_down() && !reader.services[2].is_down());
    assert_eq!(reader.availability(), Ok(()));
    // After a while it is one like the others, even if nobody has asked it meanwhile.
    *reader.services[0].failed.lock().unwrap() = Instant::now().checked_sub(DOWN_FOR);
    assert!(!reader.services[0].is_down());
}

#[tokio::test]
async fn a_scraper_that_does_not_know_our_key_is_passed_over_and_says_so() {
    let refusal = r#"{"code":"unauthenticated","error":"no"}"#;
    let (stranger, _requests) = service("401 Unauthorized", refusal).await;
    let (well, _requests) = service("200 OK", FOUND).await;
    assert!(read(&reader(&[&stranger, &well])).await.is_ok());
    let alone = reader(&[&stranger]);
    let told = read(&alone).await.unwrap_err().to_string();
    assert!(told.contains("scraper.remote_token"), "{told}");
    assert!(alone.availability().is_err());
}

#[tokio::test]
async fn markup_that_is_too_long_for_a_scraper_is_not_tried_again() {
    let refusal = r#"{"code":"too_large","error":"at most 1048576 bytes"}"#;
    let (address, _requests) = service("413 Payload Too Large", refusal).await;
    let error = read(&reader(&[&address])).await.unwrap_err();
    assert!(
        matches!(error, PageError::Failed(FailReason::TooLarge, _)),
        "{error:?}"
    );
}

#[tokio::test]
async fn the_least_busy_is_asked_first() {
    let (busy, mut asked) = service("200 OK", FOUND).await;
    let (idle, mut others) = service("200 OK", FOUND).await;
    let reader = reader(&[&busy, &idle]);
    let _place = Place::at(&reader.services[0]);
    assert!(read(&reader).await.is_ok());
    assert!(others.try_recv().is_ok() && asked.try_recv().is_err());
}

#[tokio::test]
async fn without_any_it_says_where_to_look() {
    let reader = reader(&[&nobody().await]);
    assert!(matches!(
        read(&reader).await,
        Err(PageError::Unavailable(_))
    ));
    let told = reader.availability().unwrap_err();
    assert!(told.contains("scraper.remote_url"), "{told}");
}
