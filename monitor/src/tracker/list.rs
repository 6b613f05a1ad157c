//! Published lists of hosts: text in, names out.
//!
//! Three formats are read, line by line: hosts files (`0.0.0.0 name`), plain
//! names, and the `||name^` rules of content blockers. Parts of a rule beyond
//! the host (cosmetic rules, exceptions, paths, restrictions to pages) have no
//! meaning for requests of a server; such lines are skipped and counted.

use std::net::IpAddr;

use super::{CatalogError, Host, normalize_host};

/// The most names that one list may hold.
pub const MAX_NAMES: usize = 500_000;

/// Options of a rule that restrict or revoke it.
const RESTRICTING: &[&str] = &["badfilter", "denyallow", "domain", "from", "method", "to"];

/// The hosts of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostList {
    /// The hosts, in the order of the list.
    pub hosts: Vec<Host>,
    /// Rules that exempt something.
    pub exceptions: usize,
    /// Rules that hide parts of a page.
    pub cosmetic: usize,
    /// Rules that say more than a host, or less.
    pub unsupported: usize,
}

/// The meaning of one line.
enum Line {
    Nothing,
    Names(Vec<Host>),
    Exception,
    Cosmetic,
    Unsupported,
    Wrong,
}

/// Reads a list. Errors name the line.
pub fn parse_list(text: &str) -> Result<HostList, CatalogError> {
    let is_blocker = text.lines().any(|line| {
        let line = line.trim_start();
        line.starts_with("||") || line.starts_with('!') || line.starts_with("[Adblock")
    });
    let mut list = HostList::default();
    for (index, line) in text.lines().enumerate() {
        let wrong = |reason: String| CatalogError {
            line: index + 1,
            reason,
        };
        match read(line.trim()) {
            Line::Nothing => {}
            Line::Names(hosts) => list.hosts.extend(hosts),
            Line::Exception => list.exceptions += 1,
            Line::Cosmetic => list.cosmetic += 1,
            Line::Unsupported => list.unsupported += 1,
            Line::Wrong if is_blocker => list.unsupported += 1,
            Line::Wrong => {
                let reason = "neither a host name, nor an address with names, nor a ||name^ rule";
                return Err(wrong(reason.to_owned()));
            }
        }
        if list.hosts.len() > MAX_NAMES {
            return Err(wrong(format!("the list has more than {MAX_NAMES} names")));
        }
    }
    Ok(list)
}

fn read(line: &str) -> Line {
    let is_comment = line.starts_with('!')
        || line.starts_with('[')
        || (line.starts_with('#') && !line.starts_with("##"));
    if line.is_empty() || is_comment {
        return Line::Nothing;
    }
    if line.starts_with("@@") {
        return Line::Exception;
    }
    if ["##", "#@#", "#?#", "#$#", "#%#"]
        .iter()
        .any(|sign| line.contains(sign))
    {
        return Line::Cosmetic;
    }
    if let Some(rule) = line.strip_prefix("||") {
        return blocker_rule(rule);
    }
    let line = line.split('#').next().unwrap_or_default();
    let mut words = line.split_whitespace();
    let Some(first) = words.next() else {
        return Line::Nothing;
    };
    // Checked before addresses: names in a hosts file mean exactly those hosts.
    if first.parse::<IpAddr>().is_ok() {
        let names: Vec<&str> = words.collect();
        if names.is_empty() {
            // A plain list may hold an address, which is no name.
            return Line::Unsupported;
        }
        let hosts = names.into_iter().filter_map(|word| name(word, false));
        return Line::Names(hosts.collect());
    }
    let bare = first
        .strip_prefix("*.")
        .or_else(|| first.strip_prefix('.'))
        .unwrap_or(first);
    match (words.next(), name(bare, true)) {
        (None, Some(host)) => Line::Names(vec![host]),
        _ => Line::Wrong,
    }
}

/// `name^`, `name^$options`.
fn blocker_rule(rule: &str) -> Line {
    let (rule, options) = rule.split_once('$').unwrap_or((rule, ""));
    let restricted = options.split(',').any(|option| {
        let word = option.split('=').next().unwrap_or_default();
        RESTRICTING.contains(&word.trim_start_matches('~'))
    });
    let bare = rule.strip_suffix('^').unwrap_or(rule);
    match name(bare.strip_suffix('/').unwrap_or(bare), true) {
        Some(host) if !restricted => Line::Names(vec![host]),
        _ => Line::Unsupported,
    }
}

/// A host of more than one label, unlike `localhost` and its like.
fn name(text: &str, below: bool) -> Option<Host> {
    let normal = normalize_host(text)?;
    let is_domain = normal.contains('.')
        && !normal.starts_with('.')
        && !normal.contains("..")
        && normal.parse::<IpAddr>().is_err()
        && !matches!(&*normal, "localhost.localdomain");
    is_domain.then(|| Host {
        name: normal.into(),
        below,
        alone: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, hosts: &[&str], counts: [usize; 3]) {
        let list = parse_list(text).unwrap();
        let found: Vec<_> = list.hosts.iter().map(ToString::to_string).collect();
        assert_eq!(found, hosts, "{text:?}");
        assert_eq!(
            [list.exceptions, list.cosmetic, list.unsupported],
            counts,
            "{text:?}"
        );
    }

    #[test]
    fn three_formats() {
        check(
            "# comment\n127.0.0.1 localhost\n0.0.0.0 Ads.Example.com b.example.net # why\n::1 ip6-loopback\n",
            &["ads.example.com", "b.example.net"],
            [0, 0, 0],
        );
        check(
            "ads.example.com\r\n\n*.b.example.net\n.c.example.org  # why\n192.0.2.1\n",
            &[".ads.example.com", ".b.example.net", ".c.example.org"],
            [0, 0, 1],
        );
        check(
            "[Adblock Plus 2.0]\n! title\n||ads.example.com^\n||b.example.net^$third-party,script\n\
             @@||good.example.com^\nexample.com##.banner\n##.ad\n||c.example.org^$domain=x.example\n\
             ||d.example.org/pixel.gif\n/banner[0-9]/\n-ad-300x250.\n||*.example.org^\n",
            &[".ads.example.com", ".b.example.net"],
            [1, 2, 5],
        );
    }

    #[test]
    fn errors_name_the_line() {
        for (text, line) in [
            ("ads.example.com\nwhat is this\n", 2),
            ("nodots\n", 1),
            ("a..b.example\n", 1),
            ("\n\nhttp://example.com/x\n", 3),
        ] {
            assert_eq!(parse_list(text).unwrap_err().line, line, "{text:?}");
        }
    }

    #[test]
    fn no_prefix_panics() {
        let text = "||a.example.com^$x=é,~domain=b\n0.0.0.0 é.example ##\n@@#@#\n*.\n.\n";
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            drop(parse_list(&text[..end]));
        }
    }
}
