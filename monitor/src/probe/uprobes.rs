//! Links of programs to the sites of a library, by the best interface that the
//! kernel has. Every site is optional by itself: one that the kernel refuses does
//! not take the others with it.

use std::{num::NonZeroU32, os::fd::OwnedFd, path::Path, sync::LazyLock};

use aya::{
    Ebpf,
    programs::{
        ProgramError, UProbe,
        uprobe::{UProbeAttachLocation, UProbeAttachPoint, UProbeLink, UProbeScope},
    },
    util::KernelVersion,
};
use phiwatch_ebpf::abi::cookie;

use super::{
    load::{program, reason},
    multi::{MultiProgram, Probe},
    sites::{Part, Site, Sites},
};

/// How the kernel lets programs be linked to code; see [`super::multi`].
pub(super) enum Interface {
    /// One link for many probes.
    Multi {
        /// Program of every probe that is no exit.
        call: MultiProgram,
        /// Program of exits.
        exit: MultiProgram,
    },
    /// One link a probe, with a cookie.
    Cookies,
    /// One link a probe, one program a function.
    Plain,
}

/// Probes that are in place. Dropping it takes them away, which takes some
/// hundredths of a second for each part.
#[derive(Debug, Default)]
pub(super) struct Link(Vec<LinkPart>);

impl Link {
    /// Whether nothing is in place.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What can be taken away by itself.
    pub(super) fn into_parts(self) -> Vec<LinkPart> {
        self.0
    }
}

/// What the kernel holds, by either interface.
#[derive(Debug)]
pub(super) struct LinkPart {
    _multi: Option<OwnedFd>,
    _single: Option<UProbeLink>,
}

impl From<OwnedFd> for LinkPart {
    fn from(descriptor: OwnedFd) -> Self {
        Self {
            _multi: Some(descriptor),
            _single: None,
        }
    }
}

impl From<UProbeLink> for LinkPart {
    fn from(link: UProbeLink) -> Self {
        Self {
            _multi: None,
            _single: Some(link),
        }
    }
}

/// A link, and which hooks it could not put in place.
#[derive(Debug, Default)]
pub(super) struct Linked {
    /// The link.
    pub link: Link,
    /// The hooks that failed, with the reason.
    pub failed: Vec<(&'static str, String)>,
}

/// Which attachment is linked, and for whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    /// The file.
    pub path: &'a Path,
    /// The process; `None` is every one that maps the file.
    pub pid: Option<u32>,
    /// A thread of the process, if its main thread has ended: only perf probes can
    /// be told of the process by it.
    pub thread: Option<u32>,
    /// Index in the map `TARGETS`.
    pub index: u16,
}

impl Interface {
    /// What it is, for people.
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Self::Multi { .. } => "one link for all probes of a library",
            Self::Cookies => "one link for each probe",
            Self::Plain => "one link for each probe, where functions begin and return",
        }
    }

    /// Whether programs are told by a cookie which site they are at.
    pub(super) fn has_cookies(&self) -> bool {
        !matches!(self, Self::Plain)
    }

    /// Links the programs to one part of a library's sites.
    pub(super) fn link(
        &self,
        ebpf: &mut Ebpf,
        sites: &Sites,
        part: Part,
        target: Target<'_>,
    ) -> Linked {
        let sites = sites.part(part);
        let mut linked = Linked::default();
        match self {
            Self::Multi { call, exit } if target.thread.is_none() && multi_serves(target) => {
                // Ends before beginnings: an end without a beginning is told
                // from one that was lost only while nothing has begun.
                for (program, is_exit) in [(exit, true), (call, false)] {
                    let own: Vec<&Site> = sites
                        .iter()
                        .filter(|site| site.is_exit == is_exit)
                        .collect();
                    link_many(program, &own, target, &mut linked);
                }
            }
            Self::Multi { .. } | Self::Cookies | Self::Plain => {
                let has_cookies = self.has_cookies();
                for is_exit in [true, false] {
                    for site in sites.iter().filter(|site| site.is_exit == is_exit) {
                        link_one(ebpf, site, target, has_cookies, &mut linked);
                    }
                }
            }
        }
        linked
    }

    /// Links the program of `SSL_free` to the beginning of any function, for
    /// `doctor`.
    pub(super) fn link_for_test(
        &self,
        ebpf: &mut Ebpf,
        offset: u64,
        path: &Path,
    ) -> Result<Link, String> {
        let sites = Sites::of_one(Site {
            hook: "ssl_free",
            offset,
            cookie: cookie::pack(0, 0, phiwatch_ebpf::abi::function::SSL_FREE, 0, 0),
            is_exit: false,
            program: "ssl_free",
        });
        let target = Target {
            path,
            pid: None,
            thread: None,
            index: 0,
        };
        let Linked { link, failed } = self.link(ebpf, &sites, Part::Calls, target);
        match failed.into_iter().next() {
            None => Ok(link),
            Some((_, why)) => Err(why),
        }
    }
}

/// Before Linux 6.10 a multi link for one process runs its program for the main
/// thread alone.
fn multi_serves(target: Target<'_>) -> bool {
    static ALL_THREADS: LazyLock<bool> = LazyLock::new(|| {
        KernelVersion::current().is_ok_and(|kernel| kernel >= KernelVersion::new(6, 10, 0))
    });
    target.pid.is_none() || *ALL_THREADS
}

fn with_target(cookie: u64, index: u16) -> u64 {
    cookie | u64::from(index) << 16
}

/// One link for all sites; where the kernel refuses that, one for each.
fn link_many(program: &MultiProgram, sites: &[&Site], target: Target<'_>, linked: &mut Linked) {
    let Target {
        path, pid, index, ..
    } = target;
    if sites.is_empty() {
        return;
    }
    let probes: Vec<Probe> = sites
        .iter()
        .map(|site| Probe {
            offset: site.offset,
            cookie: with_target(site.cookie, index),
        })
        .collect();
    if let Ok(link) = program.link(path, pid, &probes) {
        linked.link.0.push(link.into());
        return;
    }
    for (site, probe) in sites.iter().zip(&probes) {
        match program.link(path, pid, std::slice::from_ref(probe)) {
            Ok(link) => linked.link.0.push(link.into()),
            Err(error) => linked.failed.push((site.hook, error.to_string())),
        }
    }
}

fn link_one(
    ebpf: &mut Ebpf,
    site: &Site,
    target: Target<'_>,
    has_cookies: bool,
    linked: &mut Linked,
) {
    let Target {
        path,
        pid,
        thread,
        index,
    } = target;
    let name = match (has_cookies, site.is_exit) {
        (false, _) => site.program,
        (true, false) => "tls_call",
        (true, true) => "tls_exit",
    };
    let point = UProbeAttachPoint {
        location: UProbeAttachLocation::AbsoluteOffset(site.offset),
        cookie: has_cookies.then(|| with_target(site.cookie, index)),
    };
    let scope = thread
        .or(pid)
        .and_then(NonZeroU32::new)
        .map_or(UProbeScope::AllProcesses, UProbeScope::OneProcess);
    let attach = || -> Result<UProbeLink, ProgramError> {
        let program: &mut UProbe = program(ebpf, name)?;
        // The better interface has loaded it for itself alone.
        if program.fd().is_err() {
            program.load()?;
        }
        let id = program.attach(point, path, scope)?;
        program.take_link(id)
    };
    match attach() {
        Ok(link) => linked.link.0.push(link.into()),
        Err(error) => linked.failed.push((site.hook, reason(&error))),
    }
}
