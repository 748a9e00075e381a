//! Counts the bytes that are allocated. The one place with `unsafe`, which the trait of an allocator is.
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicBool, AtomicIsize, Ordering},
};

struct Counting;

/// Threads that count would wait for one another, and are not to where their speed is measured.
static COUNTS: AtomicBool = AtomicBool::new(false);

static LIVE: AtomicIsize = AtomicIsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What `work` gives, and how many bytes more are allocated after it than before, as they were asked for.
pub(crate) fn growth<T>(work: impl FnOnce() -> T) -> (T, f64) {
    LIVE.store(0, Ordering::Relaxed);
    COUNTS.store(true, Ordering::Relaxed);
    let given = work();
    COUNTS.store(false, Ordering::Relaxed);
    (given, LIVE.load(Ordering::Relaxed) as f64)
}

fn count(allocated: usize, freed: usize) {
    if COUNTS.load(Ordering::Relaxed) {
        // The size of an allocation fits, as `Layout` promises.
        LIVE.fetch_add(allocated as isize - freed as isize, Ordering::Relaxed);
    }
}

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's contract is the same as `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_counts_and_what_is_freed_does_not() {
        let (kept, bytes) = growth(|| {
            drop(std::hint::black_box(vec![0_u8; 1 << 24]));
            std::hint::black_box(vec![0_u8; 1 << 22])
        });
        let kept = kept.len() as f64;
        // Other tests allocate as well.
        assert!((bytes - kept).abs() < kept / 2.0, "{bytes}");
    }
}
