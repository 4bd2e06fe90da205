//! Counts the bytes that each thread has allocated, so that a script can be stopped before it takes the machine's memory.
//!
//! Rhai bounds each value; a thousand values of a megabyte each are within every bound. What a script holds in all only
//! the allocator knows. A program that installs [`Metered`] gives scripts a limit of memory; one that does not, leaves
//! them with the limits of values alone:
//!
//! ```
//! #[global_allocator]
//! static ALLOCATOR: lawbook::script::Metered = lawbook::script::Metered;
//! # fn main() {}
//! ```
//!
//! *Safety*: every call is handed to the system's allocator as it is, with the same layout, and its answer is given back
//! unchanged; the counter beside it is a thread-local cell without a destructor, which can be used at any time of a
//! thread's life and allocates nothing itself.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static HELD: Cell<i64> = const { Cell::new(0) };
}

/// The system's allocator, with a count for each thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Metered;

/// Bytes that this thread has allocated, less what it has freed; 0 where [`Metered`] is not installed.
pub(super) fn held() -> i64 {
    HELD.with(Cell::get)
}

fn count(bytes: usize, sign: i64) {
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    HELD.with(|held| held.set(held.get().wrapping_add(sign * bytes)));
}

#[expect(unsafe_code, reason = "an allocator is unsafe to implement; this one adds a counter to the system's")]
// SAFETY: see the head of this file.
unsafe impl GlobalAlloc for Metered {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(layout.size(), -1);
        count(size, 1);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
