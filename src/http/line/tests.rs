//! Over real sockets with small buffers, so that writes are cut.

use super::*;
use crate::event::Frame;
use futures_util::{SinkExt as _, StreamExt as _};
use std::{future::poll_fn, task::Waker, time::Duration};
use tokio::net::{TcpListener, TcpSocket};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

/// As small as the kernel lets it be, some kilobytes.
const SMALL: u32 = 1;

/// Returns an outbox whose line is connected, and the viewer's end.
async fn pair() -> (Arc<Outbox<Line>>, TcpStream) {
    let listener = TcpSocket::new_v4().unwrap();
    listener.set_send_buffer_size(SMALL).unwrap();
    listener.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener: TcpListener = listener.listen(1).unwrap();
    let client = TcpSocket::new_v4().unwrap();
    client.set_recv_buffer_size(SMALL).unwrap();
    let client = client.connect(listener.local_addr().unwrap());
    let (near, far) = tokio::join!(listener.accept(), client);
    let outbox = Outbox::new(usize::MAX, Line::default());
    outbox.direct().connect(near.unwrap().0);
    (Arc::new(outbox), far.unwrap())
}

fn frame(n: usize, pad: usize) -> Frame {
    Frame::message(format!("{{\"n\":{n},\"pad\":\"{}\"}}", "x".repeat(pad)).as_bytes())
}

fn batch(frames: Vec<Frame>) -> Batch {
    Batch::of(frames).unwrap()
}

#[tokio::test]
async fn what_has_not_left_can_be_given_up_between_frames_only() {
    let (outbox, far) = pair().await;
    let line = outbox.direct();
    let mut socket =
        WebSocketStream::from_raw_socket(FrameIo(Arc::clone(&outbox)), Role::Server, None).await;
    // More than both buffers hold: one has partly left, the others not at all.
    for n in 0..9 {
        line.push(frame(n, 1_000_000).websocket());
    }
    let blocked = poll_fn(|context| Poll::Ready(line.poll_drain(context))).await;
    assert!(blocked.is_pending());
    line.abandon();
    let closing = tokio::spawn(async move { socket.close(None).await });
    let mut client = WebSocketStream::from_raw_socket(far, Role::Client, None).await;
    let mut whole = 0;
    loop {
        match client.next().await.unwrap().unwrap() {
            Message::Text(text) => {
                assert!(text.starts_with(&format!("{{\"n\":{whole},")), "in order");
                whole += 1;
            }
            Message::Close(_) => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(
        (1..9).contains(&whole),
        "what had begun is whole, the rest is gone"
    );
    closing.await.unwrap().unwrap();
}

/// A viewer's strict client sees whole frames in order, whoever writes them, however the kernel cuts them and whatever
/// tungstenite says in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_of_broadcaster_task_and_tungstenite_never_mix() {
    const FRAMES: usize = 3_000;
    let (outbox, far) = pair().await;
    let broadcaster = tokio::spawn({
        let outbox = Arc::clone(&outbox);
        async move {
            let mut n = 0;
            while n < FRAMES {
                let some = (n..FRAMES.min(n + 1 + n % 3)).map(|n| frame(n, n % 700));
                let some: Vec<_> = some.collect();
                n += some.len();
                outbox.push(&batch(some));
                if n % 50 == 0 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
            outbox.close(crate::actors::broadcaster::Closed::GoingAway);
        }
    });
    // As the viewer's task does it.
    let task = tokio::spawn(async move {
        let line = outbox.direct();
        let io = FrameIo(Arc::clone(&outbox));
        let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
        let mut pings = 0_u32;
        loop {
            let taken = poll_fn(|context| {
                loop {
                    if line.is_idle() {
                        match outbox.poll_take(context, |frame| line.push(frame.websocket())) {
                            Poll::Ready(Ok(())) => {}
                            Poll::Ready(Err(_)) => return Poll::Ready(false),
                            Poll::Pending => return Poll::Pending,
                        }
                    }
                    match line.poll_drain(context) {
                        Poll::Ready(outcome) => outcome.unwrap(),
                        Poll::Pending => return Poll::Pending,
                    }
                }
            });
            // Now and then it speaks itself, in the midst of it.
            match tokio::time::timeout(Duration::from_micros(300), taken).await {
                Ok(_) => break,
                Err(_) => {
                    let ping = Message::Ping(pings.to_be_bytes().to_vec().into());
                    socket.send(ping).await.unwrap();
                    pings += 1;
                }
            }
        }
        socket.close(None).await.unwrap();
        while let Some(Ok(_)) = socket.next().await {}
        pings
    });
    let mut client = WebSocketStream::from_raw_socket(far, Role::Client, None).await;
    let (mut texts, mut pings) = (0, 0);
    loop {
        match client.next().await.unwrap().unwrap() {
            Message::Text(text) => {
                assert!(
                    text.starts_with(&format!("{{\"n\":{texts},")),
                    "{texts}: {text}"
                );
                texts += 1;
            }
            Message::Ping(_) => pings += 1,
            Message::Close(_) => break,
            other => panic!("{other:?}"),
        }
    }
    drop(client);
    broadcaster.await.unwrap();
    assert_eq!((texts, pings), (FRAMES, task.await.unwrap()));
}

#[tokio::test]
async fn the_broadcaster_writes_only_where_nothing_waits() {
    let (outbox, far) = pair().await;
    let line = outbox.direct();
    let small = batch(vec![frame(0, 1)]);
    assert_eq!(line.try_send(&small), Sent::Whole);
    line.push(frame(1, 1).websocket());
    assert_eq!(line.try_send(&small), Sent::Nothing, "it would overtake");
    let drained = line.poll_drain(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(drained, Poll::Ready(Ok(()))));
    assert_eq!(
        line.try_send(&batch(vec![frame(2, 5_000_000)])),
        Sent::Partly
    );
    assert_eq!(line.try_send(&small), Sent::Nothing, "the rest goes first");
    drop(far);
}
