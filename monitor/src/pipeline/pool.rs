//! Threads that work on items in parallel and give the results in order.
//!
//! In: items with their weights. Out: their results, in the order of the items
//! for any number of threads. The owner's thread works too, instead of waiting.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

/// What is done with an item; the cache only affects speed.
type Work<C, I, O> = fn(&mut C, I) -> O;

/// The owner's side. Threads end with it.
pub(super) struct OrderedPool<C, I, O> {
    shared: Arc<Shared<I, O>>,
    work: Work<C, I, O>,
    helpers: Vec<JoinHandle<()>>,
    cache: C,
    /// How many items were posted, and how many of their results were taken.
    posted: u64,
    taken: u64,
}

struct Shared<I, O> {
    state: Mutex<State<I, O>>,
    /// There is an item to work on, or no more will come.
    work: Condvar,
    /// There is a result, or a thread panicked.
    news: Condvar,
}

struct State<I, O> {
    /// What all items weigh whose results were not taken.
    under_way: usize,
    waiting: VecDeque<Job<I>>,
    done: BTreeMap<u64, (usize, O)>,
    /// No more items will come, or no more results.
    is_closed: bool,
}

/// An item in progress.
struct Job<I> {
    number: u64,
    weight: usize,
    item: I,
}

impl<C, I, O> OrderedPool<C, I, O>
where
    C: Default + 'static,
    I: Send + 'static,
    O: Send + 'static,
{
    /// A pool without threads besides the owner's.
    pub(super) fn new(work: Work<C, I, O>) -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(State {
                    under_way: 0,
                    waiting: VecDeque::new(),
                    done: BTreeMap::new(),
                    is_closed: false,
                }),
                work: Condvar::new(),
                news: Condvar::new(),
            }),
            work,
            helpers: Vec::new(),
            cache: C::default(),
            posted: 0,
            taken: 0,
        }
    }

    /// This pool with that many more threads.
    ///
    /// # Errors
    /// That of starting a thread.
    pub(super) fn with_helpers(mut self, helpers: usize) -> io::Result<Self> {
        for _ in 0..helpers {
            let (shared, work) = (Arc::clone(&self.shared), self.work);
            let helper = thread::Builder::new()
                .name("phiwatch-helper".to_owned())
                .spawn(move || shared.help(work))?;
            self.helpers.push(helper);
        }
        Ok(self)
    }

    /// How many threads there are besides the owner's.
    pub(super) const fn helpers(&self) -> usize {
        self.helpers.len()
    }

    /// Posts an item, which weighs something.
    pub(super) fn post(&mut self, item: I, weight: usize) {
        let weight = weight.max(1);
        let mut state = self.shared.state();
        state.under_way = state.under_way.saturating_add(weight);
        state.waiting.push_back(Job {
            number: self.posted,
            weight,
            item,
        });
        drop(state);
        self.posted += 1;
        self.shared.work.notify_one();
    }

    /// Works on an item at once. The results of all posted ones must have been
    /// taken.
    pub(super) fn work(&mut self, item: I) -> O {
        debug_assert_eq!(self.posted, self.taken);
        (self.work)(&mut self.cache, item)
    }

    /// The next result in order, if there is one. While items that weigh more than
    /// `limit` are under way, the owner waits for it and works on others meanwhile.
    ///
    /// # Panics
    /// If a thread panicked: its results would be missing.
    pub(super) fn take(&mut self, limit: usize) -> Option<O> {
        let mut state = self.shared.state();
        loop {
            if let Some((weight, result)) = state.done.remove(&self.taken) {
                state.under_way = state.under_way.saturating_sub(weight);
                self.taken += 1;
                return Some(result);
            }
            if state.is_closed {
                drop(state);
                if let Some(panic) = self.joined().pop() {
                    std::panic::resume_unwind(panic);
                }
                return None;
            }
            if state.under_way <= limit {
                return None;
            }
            let Some(job) = state.waiting.pop_front() else {
                state = wait(&self.shared.news, state);
                continue;
            };
            drop(state);
            let result = (self.work)(&mut self.cache, job.item);
            state = self.shared.state();
            state.done.insert(job.number, (job.weight, result));
        }
    }
}

impl<C, I, O> OrderedPool<C, I, O> {
    /// Ends the threads, and returns what they panicked with.
    fn joined(&mut self) -> Vec<Box<dyn std::any::Any + Send>> {
        self.shared.close();
        let helpers = self.helpers.drain(..);
        helpers.filter_map(|helper| helper.join().err()).collect()
    }
}

impl<C, I, O> Drop for OrderedPool<C, I, O> {
    fn drop(&mut self) {
        // A panic was reported when it happened.
        drop(self.joined());
    }
}

impl<I, O> Shared<I, O> {
    fn state(&self) -> MutexGuard<'_, State<I, O>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn help<C: Default>(&self, work: Work<C, I, O>) {
        let _guard = CloseOnPanic(self);
        let mut cache = C::default();
        let mut state = self.state();
        while !state.is_closed {
            let Some(job) = state.waiting.pop_front() else {
                state = wait(&self.work, state);
                continue;
            };
            drop(state);
            let result = work(&mut cache, job.item);
            state = self.state();
            state.done.insert(job.number, (job.weight, result));
            self.news.notify_one();
        }
    }

    fn close(&self) {
        self.state().is_closed = true;
        self.work.notify_all();
        self.news.notify_all();
    }
}

fn wait<'a, T>(condition: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condition
        .wait(guard)
        .unwrap_or_else(PoisonError::into_inner)
}

/// Keeps other threads from waiting for one that panicked.
struct CloseOnPanic<'a, I, O>(&'a Shared<I, O>);

impl<I, O> Drop for CloseOnPanic<'_, I, O> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    fn pool(helpers: usize) -> OrderedPool<u64, u64, u64> {
        let work = |_: &mut u64, item| {
            assert!(item != 777, "an item that nobody can work on");
            item * 2
        };
        OrderedPool::new(work).with_helpers(helpers).unwrap()
    }

    #[test]
    fn results_keep_the_order_of_the_items() {
        for (helpers, limit) in [(0, 0), (0, 5), (1, 0), (1, 10), (2, 50), (7, 1_000)] {
            let (mut pool, mut results) = (pool(helpers), Vec::new());
            for item in 0..500 {
                pool.post(item, 10);
                results.extend(std::iter::from_fn(|| pool.take(limit)));
                let under_way = pool.shared.state().under_way;
                assert!(under_way <= limit, "{under_way}");
            }
            results.extend(std::iter::from_fn(|| pool.take(0)));
            let expected: Vec<_> = (0..500).map(|item| item * 2).collect();
            assert_eq!(results, expected, "{helpers} {limit}");
        }
    }

    #[test]
    fn a_panic_of_any_thread_ends_the_owner() {
        for helpers in [0, 1, 3] {
            let mut pool = pool(helpers);
            let ended = catch_unwind(AssertUnwindSafe(|| {
                for item in 0..2_000 {
                    pool.post(item, 1);
                    while pool.take(100).is_some() {}
                }
                while pool.take(0).is_some() {}
            }));
            assert!(ended.is_err(), "{helpers} helpers");
            assert!(pool.joined().is_empty());
        }
    }
}
