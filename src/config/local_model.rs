//! `[local_model]`: the model in the process.

use super::{check::Check, section::section};

section! {
    /// The model in the process, used when no server is configured.
    [local_model] LocalModel {
        /// Catalogue name, path of a GGUF file, or `auto` for the best one present in `data_dir/models`.
        model: String = "auto".to_owned(),
        /// Questions computed at once, each by a thread; 0 takes one per core.
        threads: usize = 0,
    }
}

impl LocalModel {
    fn validate(&self, check: &mut Check<'_>) {
        check.that(
            "model",
            !self.model.trim().is_empty(),
            r#"must be "auto", a catalogue name or the path of a GGUF file"#,
        );
        check.between("threads", self.threads, 0, 1_024);
    }
}
