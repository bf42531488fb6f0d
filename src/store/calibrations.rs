//! The file that `quiz-stats calibrate` writes and the service reads at its start.

use crate::solve::calibration::Calibrations;
use anyhow::Context as _;
use std::{fs, io, path::Path};

/// Its name in the data folder.
const FILE: &str = "calibration.json";

/// Reads the calibrations of the models; none, where there is no file.
///
/// # Errors
/// When the file cannot be read or is not one of ours.
pub fn load(data_dir: &Path) -> anyhow::Result<Calibrations> {
    let path = data_dir.join(FILE);
    match fs::read(&path) {
        Ok(json) => serde_json::from_slice(&json).with_context(|| {
            format!(
                "{} is no calibration: delete it, or run `quiz-stats calibrate` again",
                path.display()
            )
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Calibrations::default()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Puts the calibrations in the place of those that were there, as a whole or not at all.
///
/// # Errors
/// When the file cannot be written.
pub fn save(data_dir: &Path, calibrations: &Calibrations) -> anyhow::Result<()> {
    let path = data_dir.join(FILE);
    let draft = data_dir.join(format!(".{FILE}"));
    let json = serde_json::to_vec_pretty(calibrations)?;
    fs::create_dir_all(data_dir)
        .and_then(|()| fs::write(&draft, json))
        .and_then(|()| fs::rename(&draft, &path))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::{Method, calibration::Calibration};

    #[test]
    fn what_is_saved_is_loaded_and_rubbish_is_told() {
        let folder = tempfile::TempDir::new().unwrap();
        assert_eq!(load(folder.path()).unwrap(), Calibrations::default());
        let mut calibrations = Calibrations::default();
        let one = Calibration {
            temperature: 1.5,
            set_from: 0.2,
            questions: 40,
        };
        calibrations.set("m", Method::Logprobs, one);
        save(folder.path(), &calibrations).unwrap();
        assert_eq!(load(folder.path()).unwrap(), calibrations);
        fs::write(folder.path().join(FILE), "{").unwrap();
        assert!(
            load(folder.path())
                .unwrap_err()
                .to_string()
                .contains("calibrate")
        );
    }
}
