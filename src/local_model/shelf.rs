//! The folder with weights, and which of them is used.

use super::{
    catalogue::{self, CATALOGUE, Entry},
    error::ModelError,
    prompt,
};
use crate::{hex::Hex, solve::Method};
use sha2::{Digest as _, Sha256};
use std::{
    fs::File,
    io::{self, Read, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

/// Setting that takes the best model that is there.
const AUTO: &str = "auto";
/// Bytes at either end of a file that tell it from others of the same size.
const SAMPLE: u64 = 1 << 20;

/// A model to be loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Its name in results.
    pub name: String,
    /// The weights.
    pub path: PathBuf,
    /// How it is asked; its size decides when the catalogue does not know it.
    pub method: Option<Method>,
    /// What the catalogue says about it.
    pub entry: Option<&'static Entry>,
}

/// Returns the folder with the weights.
pub fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("models")
}

/// Returns whether the weights of `entry` are in `data_dir`, by their size.
pub fn holds(entry: &Entry, data_dir: &Path) -> bool {
    folder(data_dir)
        .join(entry.file_name())
        .metadata()
        .is_ok_and(|file| file.is_file() && file.len() == entry.bytes)
}

/// Finds the weights that `model` names: `auto`, a name of the catalogue, or a path.
///
/// # Errors
/// [`ModelError::Missing`], which says what to do.
pub fn choose(model: &str, data_dir: &Path) -> Result<Choice, ModelError> {
    if model == AUTO {
        let best = CATALOGUE.iter().find(|entry| holds(entry, data_dir));
        return best.map(|entry| known(entry, data_dir)).ok_or_else(|| {
            ModelError::Missing(format!(
                "no model weights in {}: run `quiz-stats model fetch`, or set OPENAI_API_KEY or OPENAI_BASE_URL",
                folder(data_dir).display()
            ))
        });
    }
    if let Some(entry) = catalogue::find(model) {
        return if holds(entry, data_dir) {
            Ok(known(entry, data_dir))
        } else {
            Err(ModelError::Missing(format!(
                "the weights of {model} are missing: run `quiz-stats model fetch {model}`"
            )))
        };
    }
    let path = PathBuf::from(model);
    if !path.is_file() {
        return Err(ModelError::Missing(format!(
            "local_model.model is `{model}`, which is neither a file nor one of {}",
            catalogue::names()
        )));
    }
    let name = path
        .file_stem()
        .map_or(model.into(), |stem| stem.to_string_lossy());
    Ok(Choice {
        name: name.into_owned(),
        path: path.clone(),
        method: None,
        entry: None,
    })
}

fn known(entry: &'static Entry, data_dir: &Path) -> Choice {
    Choice {
        name: entry.name.to_owned(),
        path: folder(data_dir).join(entry.file_name()),
        method: Some(entry.method),
        entry: Some(entry),
    }
}

impl Choice {
    /// Returns what tells the answers of this model from those of another one, prompt and scoring included.
    ///
    /// # Errors
    /// [`ModelError::Unreadable`].
    pub fn fingerprint(&self) -> Result<String, ModelError> {
        let weights = match self.entry {
            Some(entry) => entry.sha256.to_owned(),
            None => {
                sample(&self.path).map_err(|error| ModelError::unreadable(&self.path, error))?
            }
        };
        Ok(format!("local/{weights}/{}", prompt::VERSION))
    }
}

/// Returns the SHA-256 of a file, in hexadecimal. Reads all of it: seconds per gigabyte.
///
/// # Errors
/// What the system says.
pub fn sha256(path: &Path) -> io::Result<String> {
    digest(&mut File::open(path)?)
}

/// Returns a check sum of the size and both ends of a file: quick, and enough to tell models apart.
fn sample(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let head = digest(&mut (&mut file).take(SAMPLE))?;
    file.seek(SeekFrom::Start(length.saturating_sub(SAMPLE)))?;
    let tail = digest(&mut file)?;
    Ok(format!("{length}-{}-{}", &head[..16], &tail[..16]))
}

fn digest(reader: &mut impl Read) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer)? {
            0 => break,
            read => hasher.update(&buffer[..read]),
        }
    }
    Ok(Hex(&hasher.finalize()).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Puts a file of the right size where the weights of `entry` belong.
    fn pretend(entry: &Entry, data_dir: &Path) {
        fs::create_dir_all(folder(data_dir)).unwrap();
        // Sparse: takes no room.
        File::create(folder(data_dir).join(entry.file_name()))
            .unwrap()
            .set_len(entry.bytes)
            .unwrap();
    }

    #[test]
    fn auto_takes_the_best_that_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let missing = choose("auto", dir.path()).unwrap_err().to_string();
        assert!(missing.contains("quiz-stats model fetch"), "{missing}");
        pretend(&CATALOGUE[2], dir.path());
        assert_eq!(choose("auto", dir.path()).unwrap().name, CATALOGUE[2].name);
        pretend(&CATALOGUE[1], dir.path());
        let choice = choose("auto", dir.path()).unwrap();
        assert_eq!(
            (choice.name.as_str(), choice.method),
            (CATALOGUE[1].name, Some(Method::Logprobs))
        );
        assert!(choice.fingerprint().unwrap().contains(CATALOGUE[1].sha256));
    }

    #[test]
    fn a_file_cut_short_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        pretend(&CATALOGUE[2], dir.path());
        let path = folder(dir.path()).join(CATALOGUE[2].file_name());
        fs::OpenOptions::new()
            .write(true)
            .open(path)
            .unwrap()
            .set_len(1)
            .unwrap();
        assert!(choose(CATALOGUE[2].name, dir.path()).is_err());
    }

    #[test]
    fn a_path_is_taken_and_told_from_others() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("my-own.gguf");
        fs::write(&path, "one").unwrap();
        let choice = choose(path.to_str().unwrap(), dir.path()).unwrap();
        assert_eq!((choice.name.as_str(), choice.method), ("my-own", None));
        let before = choice.fingerprint().unwrap();
        fs::write(&path, "two").unwrap();
        assert_ne!(choice.fingerprint().unwrap(), before);
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = choose("gpt-9", Path::new("nowhere"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("gpt-9") && error.contains(CATALOGUE[0].name),
            "{error}"
        );
    }

    #[test]
    fn sha256_is_the_known_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abc");
        fs::write(&path, "abc").unwrap();
        assert_eq!(
            sha256(&path).unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
