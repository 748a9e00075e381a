//! Counts allocations. The one place with `unsafe`, which the trait of an allocator is.
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

/// The system's allocator, and a count of the calls that ask it for memory. To be a program's `#[global_allocator]`.
///
/// What C code allocates is not counted: aws-lc asks the system itself.
#[derive(Debug)]
pub struct Counting;

/// To count takes time, which is not to be in what is measured.
static COUNTS: AtomicBool = AtomicBool::new(false);

static COUNT: AtomicU64 = AtomicU64::new(0);

/// The allocations of all threads during this work.
pub(crate) fn during(work: impl FnOnce()) -> u64 {
    COUNT.store(0, Ordering::Relaxed);
    COUNTS.store(true, Ordering::Relaxed);
    work();
    COUNTS.store(false, Ordering::Relaxed);
    COUNT.load(Ordering::Relaxed)
}

fn one_more() {
    if COUNTS.load(Ordering::Relaxed) {
        COUNT.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        one_more();
        // SAFETY: the caller's contract is the same as `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        one_more();
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
