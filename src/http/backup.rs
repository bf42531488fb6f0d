//! `GET /api/backup`: a copy of the stores, made while they are in use, and sent piece by piece.

use super::{
    error::ApiError,
    respond::{Body, bytes, set},
    router::Call,
};
use crate::{
    actors::tree::Role,
    analysis::{Failure, FailureCode},
    store::embedded::AT_WORK,
};
use bytes::{Bytes, BytesMut};
use http::{Response, StatusCode, header};
use http_body_util::{BodyExt as _, StreamBody};
use std::{convert::Infallible, sync::Arc};
use tokio::{fs::File, io::AsyncReadExt as _, sync::OwnedSemaphorePermit};
use tracing::{error, info};

/// Bytes read and sent at once.
const PIECE: usize = 64 * 1024;

/// A copy on its way.
struct Sending {
    file: File,
    _turn: OwnedSemaphorePermit,
}

pub(super) async fn download(call: &Call) -> Result<Response<Body>, ApiError> {
    if call.caller.channels().is_some() {
        let told = "a backup holds every channel, and this key or token may use only some";
        return Err(ApiError::forbidden(told));
    }
    let pipeline = &call.context.pipeline;
    let Some(stores) = pipeline.embedded.clone() else {
        return Err(ApiError::not_found(match pipeline.role {
            Role::Scraper => "this process only reads pages and keeps nothing",
            Role::All => {
                "this server keeps everything in Redis: back Redis up by its own means (docs/backup.md)"
            }
        }));
    };
    let Ok(turn) = Arc::clone(&call.context.backup_turn).try_acquire_owned() else {
        let told = "a backup is being made: try again when it is done";
        return Err(Failure::new(FailureCode::Overloaded, told).into());
    };
    // The folder is writable and on the disk that the data is on; the file has no name any more when it is sent.
    let (folder, now) = (
        pipeline.settings.server.data_dir.clone(),
        pipeline.clock.now_ms(),
    );
    let made = tokio::task::spawn_blocking(move || {
        let place = tempfile::Builder::new()
            .prefix(AT_WORK)
            .tempdir_in(folder)?;
        let path = place.path().join("backup.redb");
        let contents = stores.backup(&path, now)?;
        let file = std::fs::File::open(&path)?;
        let length = file.metadata()?.len();
        anyhow::Ok((contents, file, length))
    });
    let made = made.await.map_err(anyhow::Error::from).flatten();
    let (contents, file, length) = made.map_err(|error| {
        error!(%error, "no backup could be made");
        ApiError::from(Failure::internal())
    })?;
    info!(
        bytes = length,
        channels = contents.channels,
        events = contents.events,
        answers = contents.answers,
        analyses = contents.analyses,
        "backed up"
    );
    let sending = Sending {
        file: File::from_std(file),
        _turn: turn,
    };
    let pieces = futures_util::stream::unfold(sending, |mut sending| async {
        let mut piece = BytesMut::with_capacity(PIECE);
        match sending.file.read_buf(&mut piece).await {
            Ok(1..) => Some((
                Ok::<_, Infallible>(http_body::Frame::data(piece.freeze())),
                sending,
            )),
            Ok(0) => None,
            // It ends before its length: the client sees that it is not whole.
            Err(error) => {
                error!(%error, "a backup cannot be read back");
                None
            }
        }
    });
    let mut response = bytes(StatusCode::OK, "application/octet-stream", Bytes::new());
    *response.body_mut() = StreamBody::new(pieces).boxed_unsync();
    set(&mut response, header::CONTENT_LENGTH, &length.to_string());
    set(&mut response, header::CACHE_CONTROL, "no-store");
    Ok(response)
}
