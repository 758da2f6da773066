//! The allocator of a module without the standard library.
#![allow(unsafe_code)]

use core::alloc::{GlobalAlloc, Layout};
use dlmalloc::GlobalDlmalloc;

/// dlmalloc, kept from being written out at each place that frees something, which makes modules a tenth larger.
pub struct Allocator;

// SAFETY: each function is dlmalloc's own.
unsafe impl GlobalAlloc for Allocator {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: handed on to the caller.
        unsafe { GlobalDlmalloc.alloc(layout) }
    }
    #[inline(never)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: handed on to the caller.
        unsafe { GlobalDlmalloc.alloc_zeroed(layout) }
    }
    #[inline(never)]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: handed on to the caller.
        unsafe { GlobalDlmalloc.dealloc(pointer, layout) }
    }
    #[inline(never)]
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: handed on to the caller.
        unsafe { GlobalDlmalloc.realloc(pointer, layout, size) }
    }
}
