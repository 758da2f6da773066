//! The allocator of a module without the standard library.
#![allow(unsafe_code)]

use super::wasm::{from_arena, in_arena, resize_in_arena};
use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{copy_nonoverlapping, null_mut};
use dlmalloc::GlobalDlmalloc;

/// Small enough for the arena, in bytes.
const SMALL: usize = 512;
/// The largest alignment that the arena is asked for. It begins at a page of its own.
const ALIGNED: usize = 16;

/// An arena for the first small allocations, which are all that a call in a new instance makes; then dlmalloc. Both are
/// kept from being written out at each place that frees something, which makes modules a tenth larger.
pub struct Allocator;

// SAFETY: the arena hands out each place once until it is given back, aligned and inside; all else is dlmalloc's own.
unsafe impl GlobalAlloc for Allocator {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() <= SMALL
            && layout.align() <= ALIGNED
            && let Some(place) = from_arena(layout.size(), layout.align())
        {
            return place;
        }
        // SAFETY: handed on to the caller.
        unsafe { GlobalDlmalloc.alloc(layout) }
    }
    #[inline(never)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: handed on to the caller. (What the arena hands out may have been used before.)
        unsafe { GlobalDlmalloc.alloc_zeroed(layout) }
    }
    #[inline(never)]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        match in_arena(pointer) {
            Some(offset) => {
                resize_in_arena(offset, layout.size(), 0);
            }
            // SAFETY: handed on to the caller.
            None => unsafe { GlobalDlmalloc.dealloc(pointer, layout) },
        }
    }
    #[inline(never)]
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(offset) = in_arena(pointer) else {
            // SAFETY: handed on to the caller.
            return unsafe { GlobalDlmalloc.realloc(pointer, layout, size) };
        };
        if resize_in_arena(offset, layout.size(), size) {
            return pointer;
        }
        // SAFETY: the caller's size is valid for the alignment, and the two places do not overlap.
        unsafe {
            let made = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if made.is_null() {
                return null_mut();
            }
            copy_nonoverlapping(pointer, made, layout.size().min(size));
            self.dealloc(pointer, layout);
            made
        }
    }
}
