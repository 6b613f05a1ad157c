//! Dates to other dates in the same spelling.
//!
//! A date of birth may become any plausible one. A date of service keeps its
//! year, as the Safe Harbor rule allows, and so does a date of unknown meaning.

use super::super::{
    key::{RedactionKey, Stream},
    scramble::{Letters, different, scramble},
};
use crate::canary::spelling::MONTHS;

/// The meaning of a run of digits or letters in a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Year,
    Month,
    Day,
    /// The name of a month.
    Name(usize),
    /// All in eight digits.
    Whole,
    /// Part of the time of day: its number, from 0.
    Time(usize),
    Other,
}

/// Another date of birth.
pub(super) fn birth(key: &RedactionKey, value: &str) -> String {
    rewrite(key, "birth_date", value, |year, stream| {
        // Who is a child stays one.
        if year > 2_008 {
            stream.between(2_009, 2_020)
        } else {
            stream.between(1_935, 2_004)
        }
    })
}

/// Another date of the same year.
pub(super) fn service(key: &RedactionKey, value: &str) -> String {
    rewrite(key, "service_date", value, |year, _| year)
}

/// The replacement of a date of unknown meaning; `None` if `value` is no date.
pub(in crate::redact) fn shift(key: &RedactionKey, value: &str) -> Option<String> {
    let pieces = pieces(value);
    let has = |wanted: fn(&Piece) -> bool| pieces.iter().any(|(_, piece)| wanted(piece));
    let is_date = has(|piece| *piece == Piece::Whole)
        || has(|piece| *piece == Piece::Year)
            && has(|piece| matches!(piece, Piece::Month | Piece::Name(_)))
            && has(|piece| *piece == Piece::Day);
    is_date.then(|| service(key, value))
}

/// The runs of letters and of digits of a value, with their meaning.
fn pieces(value: &str) -> Vec<(&str, Piece)> {
    let mut runs: Vec<&str> = Vec::new();
    let mut rest = value;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        let run = rest.get(start..).unwrap_or_default();
        let is_digit = run.starts_with(|c: char| c.is_ascii_digit());
        let end = run
            .find(|c: char| !c.is_ascii_alphanumeric() || c.is_ascii_digit() != is_digit)
            .unwrap_or(run.len());
        let (run, behind) = run.split_at(end);
        runs.push(run);
        rest = behind;
    }
    let number = |run: &str| run.parse::<u32>().unwrap_or(u32::MAX);
    let is_digits = |run: &&&str| run.starts_with(|c: char| c.is_ascii_digit());
    let groups: Vec<&str> = runs.iter().filter(is_digits).copied().collect();
    let named = runs.iter().any(|run| month_of(run).is_some());
    let order: &[Piece] = match *groups {
        _ if named && groups.first().is_some_and(|year| year.len() == 4) => {
            &[Piece::Year, Piece::Day]
        }
        _ if named => &[Piece::Day, Piece::Year],
        [first, ..] if first.len() == 8 => &[Piece::Whole],
        [first, ..] if first.len() == 4 => &[Piece::Year, Piece::Month, Piece::Day],
        [first, second, third, ..] if third.len() == 4 => {
            let day_first = value.contains('.') && number(second) <= 12;
            if number(first) > 12 || day_first {
                &[Piece::Day, Piece::Month, Piece::Year]
            } else {
                &[Piece::Month, Piece::Day, Piece::Year]
            }
        }
        _ => &[],
    };
    let mut order = order.iter();
    let mut time = 0;
    runs.into_iter()
        .map(|run| {
            let piece = if !run.starts_with(|c: char| c.is_ascii_digit()) {
                month_of(run).map_or(Piece::Other, Piece::Name)
            } else if let Some(piece) = order.next() {
                *piece
            } else {
                time += 1;
                Piece::Time(time - 1)
            };
            (run, piece)
        })
        .collect()
}

/// The month that a word names by its first three letters.
fn month_of(word: &str) -> Option<usize> {
    let start = word.get(..3)?.to_ascii_lowercase();
    MONTHS.iter().position(|month| {
        month.starts_with(&start) && month.starts_with(&word.to_ascii_lowercase())
    })
}

fn rewrite(
    key: &RedactionKey,
    kind: &str,
    value: &str,
    year_of: impl Fn(u32, &mut Stream) -> u32,
) -> String {
    let pieces = pieces(value);
    let number = |run: &str| run.parse::<u32>().unwrap_or_default();
    let find = |wanted: Piece| {
        pieces
            .iter()
            .find(|(_, piece)| *piece == wanted)
            .map(|(run, _)| number(run))
    };
    let whole = find(Piece::Whole);
    let named = pieces.iter().find_map(|(_, piece)| match piece {
        Piece::Name(month) => u32::try_from(*month).ok().map(|month| month + 1),
        _ => None,
    });
    let year = find(Piece::Year).or(whole.map(|whole| whole / 10_000));
    let month = find(Piece::Month)
        .or(named)
        .or(whole.map(|w| w / 100 % 100));
    let day = find(Piece::Day).or(whole.map(|whole| whole % 100));
    let (Some(year), Some(month), Some(day)) = (year, month, day) else {
        return part(key, kind, value, year_of);
    };
    let seed = format!("{year:04}-{month:02}-{day:02}");
    different(value, |attempt| {
        let mut stream = key.stream(kind, format!("{seed}{attempt}").as_bytes());
        let year = year_of(year, &mut stream);
        // Groups keep their lengths, and their apparent order.
        let one_digit = |wanted| {
            pieces
                .iter()
                .any(|(run, piece)| *piece == wanted && run.len() == 1)
        };
        let month = range(&mut stream, one_digit(Piece::Month), 1, 12);
        let day = if day > 12 {
            range(&mut stream, false, 13, 28)
        } else {
            range(&mut stream, one_digit(Piece::Day), 1, 12)
        };
        spell(value, &pieces, (year, month, day), &mut stream)
    })
}

/// A number of the range that has one digit, or two.
fn range(stream: &mut Stream, one_digit: bool, first: u32, last: u32) -> u32 {
    if one_digit {
        stream.between(first, last.min(9))
    } else {
        stream.between(first, last)
    }
}

fn spell(
    value: &str,
    pieces: &[(&str, Piece)],
    (year, month, day): (u32, u32, u32),
    stream: &mut Stream,
) -> String {
    let mut made = String::with_capacity(value.len());
    let mut rest = value;
    for (run, piece) in pieces {
        let Some((before, behind)) = rest.split_once(run) else {
            continue;
        };
        made.push_str(before);
        rest = behind;
        let width = run.len();
        let new = match piece {
            Piece::Year => format!("{year:04}"),
            Piece::Month => format!("{month:0width$}"),
            // An ordinary number of one digit may grow to two.
            Piece::Day => format!("{day:0width$}"),
            Piece::Whole => format!("{year:04}{month:02}{day:02}"),
            Piece::Name(old) => month_like(run, *old, month),
            Piece::Time(0) if width == 2 => format!("{:02}", stream.between(8, 18)),
            Piece::Time(_) if width == 2 => format!("{:02}", stream.between(0, 59)),
            Piece::Time(_) => scramble(run, Letters::Plain, stream),
            Piece::Other => (*run).to_owned(),
        };
        made.push_str(&new);
    }
    made + rest
}

/// The name of a month, as long as `run`, which is the name of the month `old`.
fn month_like(run: &str, old: usize, month: u32) -> String {
    let index = usize::try_from(month.saturating_sub(1)).unwrap_or_default();
    let fitting: Vec<&&str> = MONTHS
        .iter()
        .filter(|name| run.len() == 3 || name.len() == run.len())
        .collect();
    let name = fitting
        .get(index.checked_rem(fitting.len()).unwrap_or_default())
        .copied()
        .or(MONTHS.get(old));
    let name = name.copied().unwrap_or_default();
    let name = name.get(..run.len()).unwrap_or(name);
    // As it was: all capitals, one, or none.
    run.chars()
        .zip(name.chars())
        .map(|(like, c)| {
            if like.is_ascii_uppercase() {
                c.to_ascii_uppercase()
            } else {
                c
            }
        })
        .collect()
}

/// A part of a date: its year, month or day.
fn part(
    key: &RedactionKey,
    kind: &str,
    value: &str,
    year_of: impl Fn(u32, &mut Stream) -> u32,
) -> String {
    let mut stream = key.stream(kind, value.to_lowercase().as_bytes());
    let number = value.parse::<u32>().ok();
    different(value, |_| match (number, value.len()) {
        (Some(year @ 1_900..=2_099), 4) => match year_of(year, &mut stream) {
            same if same == year => stream.between(year.saturating_sub(9), year).to_string(),
            other => other.to_string(),
        },
        (Some(1..=9), 1) => stream.between(1, 9).to_string(),
        (Some(1..=12), 2) => format!("{:02}", stream.between(1, 12)),
        (Some(13..=31), 2) => stream.between(13, 28).to_string(),
        _ => match month_of(value) {
            Some(old) => month_like(value, old, stream.between(1, 12)),
            None => scramble(value, Letters::Plain, &mut stream),
        },
    })
}
