//! The items of a batch, as they lie in the input.

use crate::bytes::find;
use crate::error::Error;
use crate::wire::{
    FORM_COUNT_SHIFT, FORM_FIXED8, FORM_JOINED, FORM_LAYOUT, FORM_NULLS, FORM_OFFSETS32, FORM_OFFSETS64,
    FORM_SEPARATOR_SHIFT,
};
use core::ops::Range;

/// From so many bytes on, room for the results is made beforehand.
const LARGE: usize = 1024 * 1024;
/// What a result may be longer than its item, with its separator, before the room is too small.
const MARGIN: usize = 4;

enum Layout<'a> {
    /// Where the next item starts; `None` behind the last.
    Joined(u8, Option<usize>),
    Offsets32(&'a [[u8; 4]]),
    Offsets64(&'a [[u8; 8]]),
    Fixed8(usize),
}

/// The items of a batch, one after the other. Nothing the host says about them is believed unchecked.
pub struct Column<'a> {
    data: &'a [u8],
    layout: Layout<'a>,
    present: Option<&'a [u8]>,
    count: usize,
    counted: bool,
    index: usize,
}

impl<'a> Column<'a> {
    /// Reads the form of a batch, and what stands before its data. `fixed`: whether items are values of 8 bytes.
    ///
    /// # Errors
    /// `Error::Protocol` for a layout that does not suit the items, and for an input that is too short.
    pub fn new(input: &'a [u8], form: i64, fixed: bool) -> Result<Column<'a>, Error> {
        let count = usize::try_from(form >> FORM_COUNT_SHIFT).map_err(|_| Error::Protocol)?;
        let kind = form & FORM_LAYOUT;
        if fixed != (kind == FORM_FIXED8) {
            return Err(Error::Protocol);
        }
        let nulls = form & FORM_NULLS != 0;
        let (offsets, rest) = split(input, offsets_size(kind, count))?;
        let bitmap_size = if nulls { count.div_ceil(64).checked_mul(8) } else { Some(0) };
        let (bitmap, data) = split(rest, bitmap_size)?;
        let layout = match kind {
            FORM_JOINED => Layout::Joined((form >> FORM_SEPARATOR_SHIFT) as u8, Some(0)),
            FORM_OFFSETS32 => Layout::Offsets32(offsets.as_chunks().0),
            FORM_OFFSETS64 => Layout::Offsets64(offsets.as_chunks().0),
            _ => Layout::Fixed8(0),
        };
        // Room is made for as many results as there are items, so nobody may claim more than there can be.
        if kind == FORM_JOINED && count > data.len() + 1 || kind == FORM_FIXED8 && count > data.len() / 8 {
            return Err(Error::Protocol);
        }
        let counted = nulls || count > 0 || matches!(kind, FORM_OFFSETS32 | FORM_OFFSETS64);
        Ok(Column { data, layout, present: nulls.then_some(bitmap), count, counted, index: 0 })
    }

    /// What the ranges of [`next_range`](Column::next_range) are ranges of.
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Where the next item lies; `None` inside for one that is missing.
    ///
    /// # Errors
    /// `Error::Protocol` for damaged offsets, and for more or fewer items than were announced.
    #[inline(always)]
    pub fn next_range(&mut self) -> Option<Result<Option<Range<usize>>, Error>> {
        if self.counted && self.index == self.count {
            return self.rest().map(Err);
        }
        let Some(range) = self.following() else { return self.counted.then_some(Err(Error::Protocol)) };
        if range.start > range.end || range.end > self.data.len() {
            return Some(Err(Error::Protocol));
        }
        let index = self.index;
        self.index += 1;
        let there =
            self.present.is_none_or(|bits| bits.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1));
        Some(Ok(there.then_some(range)))
    }

    /// The place of the next item as the host tells it.
    #[inline(always)]
    fn following(&mut self) -> Option<Range<usize>> {
        match &mut self.layout {
            Layout::Joined(separator, next) => {
                let start = (*next)?;
                let length = find(self.data.get(start..)?, *separator);
                *next = length.map(|length| start + length + 1);
                Some(start..length.map_or(self.data.len(), |length| start + length))
            }
            Layout::Offsets32(offsets) => {
                let [from, to, ..] = offsets else { return None };
                let range = u32::from_le_bytes(*from) as usize..u32::from_le_bytes(*to) as usize;
                *offsets = &offsets[1..];
                Some(range)
            }
            Layout::Offsets64(offsets) => {
                let [from, to, ..] = offsets else { return None };
                let range = large(*from)..large(*to);
                *offsets = &offsets[1..];
                Some(range)
            }
            Layout::Fixed8(at) => {
                let start = *at;
                if start == self.data.len() {
                    return None;
                }
                *at = start + 8;
                Some(start..start + 8)
            }
        }
    }

    /// What is wrong once all items have been given, if anything is.
    #[cold]
    fn rest(&mut self) -> Option<Error> {
        let wrong = match &self.layout {
            Layout::Joined(_, None) => false,
            // No items at all are joined to nothing, as one empty item is.
            Layout::Joined(_, Some(at)) => self.count > 0 || *at < self.data.len(),
            Layout::Fixed8(at) => *at < self.data.len(),
            Layout::Offsets32(_) | Layout::Offsets64(_) => false,
        };
        wrong.then_some(Error::Protocol)
    }

    /// The number of items, as far as it is known without looking at them; else 0.
    pub(crate) fn known(&self) -> usize {
        match &self.layout {
            _ if self.counted => self.count,
            Layout::Fixed8(_) => self.data.len() / 8,
            _ => 0,
        }
    }

    /// Bytes to reserve for results of `width` bytes an item, 0 when that varies: large vectors must not grow by
    /// doubling, for which there is no memory.
    pub(crate) fn room(&self, width: usize) -> Result<usize, Error> {
        let items = match &self.layout {
            Layout::Joined(separator, _) if self.data.len() > LARGE => {
                self.data.iter().filter(|&byte| byte == separator).count() + 1
            }
            _ => self.known(),
        };
        let room = if width > 0 {
            items.checked_mul(width)
        } else if self.data.len() > LARGE {
            items.checked_mul(MARGIN).and_then(|more| more.checked_add(self.data.len()))
        } else {
            Some(0)
        };
        room.ok_or(Error::Limit)
    }
}

impl<'a> Iterator for Column<'a> {
    type Item = Result<Option<&'a [u8]>, Error>;
    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        Some(match self.next_range()? {
            Ok(Some(range)) => self.data.get(range).map(Some).ok_or(Error::Protocol),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        })
    }
}

/// The size of the offsets of `count` items; `None` when that is no size.
fn offsets_size(layout: i64, count: usize) -> Option<usize> {
    match layout {
        FORM_OFFSETS32 => count.checked_add(1)?.checked_mul(4),
        FORM_OFFSETS64 => count.checked_add(1)?.checked_mul(8),
        _ => Some(0),
    }
}

fn split(input: &[u8], size: Option<usize>) -> Result<(&[u8], &[u8]), Error> {
    size.and_then(|size| input.split_at_checked(size)).ok_or(Error::Protocol)
}

/// An offset of 64 bits; one that is too large stays too large.
#[inline(always)]
fn large(offset: [u8; 8]) -> usize {
    usize::try_from(u64::from_le_bytes(offset)).unwrap_or(usize::MAX)
}
