//! How `run` and `capture` store captures, from the configuration and the
//! command line.

use std::{fs, path::PathBuf, time::Duration};

use clap::Args;

use super::{ExitStatus, Failure, OrFail as _};
use crate::{
    config::CaptureSection,
    store::{AgeRecipients, QuotaLimits, SigningKey, StoreOptions},
};

/// Who can read raw captures.
#[derive(Clone, Debug, Default, Args)]
pub struct EncryptArgs {
    /// The age recipient who can read what --raw records; may be repeated
    /// [default: capture.recipients of the configuration]
    #[arg(long, value_name = "AGE1…", requires = "raw")]
    pub recipient: Vec<String>,
    /// A file with one recipient a line
    #[arg(long, value_name = "FILE", requires = "raw")]
    pub recipients_file: Option<PathBuf>,
}

/// A segment takes at most one part in this many of all captures, so that
/// deleting the oldest does not delete everything.
const SEGMENT_PART: u64 = 4;

/// How captures are stored. With `raw` they are encrypted, and refused without
/// a recipient: raw payload never reaches the disk in plain text.
pub(super) fn store_options(
    section: &CaptureSection,
    raw: bool,
    args: &EncryptArgs,
) -> Result<StoreOptions, Failure> {
    let recipients = if raw {
        let recipients = raw_recipients(section, args)?;
        if recipients.is_empty() {
            return Err(Failure::message(
                ExitStatus::Usage,
                "--raw records every payload value, so it is encrypted and needs to know for whom: \
                 give --recipient age1… or --recipients-file FILE, or set capture.recipients; \
                 without --raw, captures are redacted and need no recipient",
            ));
        }
        recipients
    } else {
        AgeRecipients::default()
    };
    let key = section
        .sign_key
        .as_deref()
        .map(SigningKey::load)
        .transpose()
        .or_fail(ExitStatus::Config)?;
    Ok(StoreOptions {
        segment_bytes: section.segment_bytes.min(section.max_bytes / SEGMENT_PART),
        segment_age: Duration::from_secs(section.segment_seconds),
        quota: QuotaLimits {
            max_bytes: section.max_bytes,
            max_age: section
                .max_age_days
                .map(|days| Duration::from_secs(u64::from(days) * 86_400)),
            min_free_bytes: section.min_free_bytes,
        },
        sync: section.sync,
        recipients,
        key,
    })
}

/// The recipients on the command line, or those of the configuration if there
/// are none.
fn raw_recipients(section: &CaptureSection, args: &EncryptArgs) -> Result<AgeRecipients, Failure> {
    let mut recipients = AgeRecipients::parse(&args.recipient).or_fail(ExitStatus::Usage)?;
    if let Some(path) = &args.recipients_file {
        let text = fs::read_to_string(path).map_err(|error| {
            let read = anyhow::Error::new(error).context(format!("read {}", path.display()));
            Failure::new(ExitStatus::Io, read)
        })?;
        let listed = AgeRecipients::parse_file(&text).map_err(|error| {
            let read = anyhow::Error::new(error).context(path.display().to_string());
            Failure::new(ExitStatus::Usage, read)
        })?;
        recipients = recipients.and(listed);
    }
    if recipients.is_empty() {
        recipients = AgeRecipients::parse(&section.recipients).or_fail(ExitStatus::Config)?;
    }
    Ok(recipients)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_captures_need_a_recipient_and_the_error_says_what_else_there_is() {
        let section = CaptureSection::default();
        let failure = store_options(&section, true, &EncryptArgs::default())
            .map(drop)
            .unwrap_err();
        assert_eq!(failure.code, ExitStatus::Usage);
        let text = failure.to_string();
        assert!(
            text.contains("--recipient") && text.contains("without --raw"),
            "{text}"
        );
        let options = store_options(&section, false, &EncryptArgs::default()).unwrap();
        assert!(options.recipients.is_empty());
        assert_eq!(options.segment_bytes, section.max_bytes / 4);
    }

    #[cfg(feature = "encryption")]
    #[test]
    fn recipients_of_the_command_line_come_before_those_of_the_file() {
        let [one, two, three] =
            [(); 3].map(|()| age::x25519::Identity::generate().to_public().to_string());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("recipients");
        fs::write(&file, format!("# team\n{two}\n")).unwrap();
        let section = CaptureSection {
            recipients: vec![three.clone()],
            ..CaptureSection::default()
        };
        let check = |args: EncryptArgs, expected: &[&String]| {
            let options = store_options(&section, true, &args).unwrap();
            assert_eq!(
                options.recipients.texts().iter().collect::<Vec<_>>(),
                expected
            );
        };
        check(EncryptArgs::default(), &[&three]);
        let args = EncryptArgs {
            recipient: vec![one.clone()],
            recipients_file: Some(file.clone()),
        };
        check(args.clone(), &[&one, &two]);
        fs::write(&file, "# nobody\n").unwrap();
        let failure = store_options(&section, true, &args).map(drop).unwrap_err();
        assert!(
            failure.to_string().contains("no recipient in it"),
            "{failure}"
        );
    }
}
