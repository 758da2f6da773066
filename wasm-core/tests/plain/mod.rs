//! What the core's functions should answer, worked out in the plainest way. Slow; the core lends constants only.

use skywasm_core::Error;
use skywasm_core::algorithms::{floats, md5_lanes, pynum};

/// Long division by 36, one hexadecimal digit after the other.
pub fn base36(hex: &[u8]) -> Result<Vec<u8>, Error> {
    let digit = |&byte: &u8| (byte as char).to_digit(16).ok_or(Error::Input);
    let mut number: Vec<u32> = hex.iter().map(digit).collect::<Result<_, _>>()?;
    if number.is_empty() {
        return Err(Error::Input);
    }
    let mut out = Vec::new();
    while number.iter().any(|&digit| digit != 0) {
        let mut rest = 0;
        for digit in &mut number {
            let value = rest * 16 + *digit;
            (*digit, rest) = (value / 36, value % 36);
        }
        out.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[rest as usize]);
    }
    out.reverse();
    Ok(if out.is_empty() { b"0".to_vec() } else { out })
}

/// All decimal digits of a double: the integer and how many of its digits stand behind the point.
pub fn exact(value: f64) -> (Vec<u8>, usize) {
    let bits = value.to_bits();
    let (power, fraction) = ((bits >> 52 & 0x7ff) as i32, bits & ((1 << 52) - 1));
    let (mut mantissa, mut power) = if power == 0 { (fraction, -1074) } else { (fraction | 1 << 52, power - 1075) };
    while mantissa & 1 == 0 && power < 0 {
        (mantissa, power) = (mantissa >> 1, power + 1);
    }
    // Nine digits a limb, the least significant first.
    let mut limbs = vec![mantissa % 1_000_000_000, mantissa / 1_000_000_000 % 1_000_000_000];
    let (mut times, factor) = if power < 0 { (-power, 5u64) } else { (power, 2) };
    while times > 0 {
        let some = times.min(12);
        let mut carry = 0;
        for limb in &mut limbs {
            let product = *limb * factor.pow(some as u32) + carry;
            (*limb, carry) = (product % 1_000_000_000, product / 1_000_000_000);
        }
        if carry > 0 {
            limbs.push(carry);
        }
        times -= some;
    }
    let mut digits: Vec<u8> =
        limbs.iter().flat_map(|limb| (0..9).map(move |at| (limb / 10u64.pow(at) % 10) as u8)).collect();
    while digits.len() > 1 && digits.last() == Some(&0) {
        digits.pop();
    }
    (digits, if power < 0 { -power as usize } else { 0 })
}

/// Rounds the exact digits half to even, by hand.
pub fn format(value: f64, precision: i64) -> Result<String, Error> {
    if !(0..=floats::PRECISION_LIMIT).contains(&precision) {
        return Err(Error::Input);
    }
    if value.is_nan() {
        return Ok("nan".into());
    }
    let places = if value.fract() == 0.0 { 0 } else { precision };
    if value.is_infinite() {
        return Ok(if value > 0.0 { "inf" } else { "-inf" }.into());
    }
    let (mut digits, mut behind) = exact(value);
    let places = places as usize;
    while digits.len() <= behind {
        digits.push(0);
    }
    if behind > places {
        let cut: Vec<u8> = digits.drain(..behind - places).collect();
        let last = *cut.last().unwrap();
        let rest = cut[..cut.len() - 1].iter().any(|&digit| digit != 0);
        let up = last > 5 || last == 5 && (rest || digits[0] % 2 == 1);
        if up {
            // Room for a carry; unused, it goes again.
            digits.push(0);
            let at = digits.iter().position(|&digit| digit != 9).unwrap();
            digits[..at].fill(0);
            digits[at] += 1;
            if digits.last() == Some(&0) {
                digits.pop();
            }
        }
        behind = places;
    }
    digits.splice(0..0, vec![0; places - behind]);
    let mut text: String = digits.iter().rev().map(|digit| (digit + b'0') as char).collect();
    if places > 0 {
        text.insert(text.len() - places, '.');
    }
    Ok(if value.is_sign_negative() { format!("-{text}") } else { text })
}

/// The text's code points; bytes that continue none belong to the one before.
pub fn points(text: &[u8]) -> Vec<Vec<u8>> {
    let mut points: Vec<Vec<u8>> = Vec::new();
    for &byte in text {
        match points.last_mut() {
            Some(last) if byte & 0xc0 == 0x80 => last.push(byte),
            _ => points.push(vec![byte]),
        }
    }
    points
}

/// The rule of `text::truncate`, over a list of code points.
pub fn truncate(text: &[u8], length: i64, middle: bool) -> Vec<u8> {
    let all = points(text);
    let count = all.len() as i64;
    if count <= length {
        return text.to_vec();
    }
    // As in Python, a negative end counts from the end.
    let first = |some: &[Vec<u8>], end: i64| -> Vec<u8> {
        let end = if end < 0 { (some.len() as i64).saturating_add(end).max(0) } else { end.min(some.len() as i64) };
        some[..end as usize].concat()
    };
    if middle {
        if length <= 3 {
            return b"...".to_vec();
        }
        let (front, back) = ((length - 3) - (length - 3) / 2, (length - 3) / 2);
        return [first(&all, front), b"...".to_vec(), all[(count - back) as usize..].concat()].concat();
    }
    let words: Vec<&[Vec<u8>]> = all.split(|point| point == b" ").collect();
    if words[0].len() as i64 > length {
        return [first(words[0], length), b"...".to_vec()].concat();
    }
    // The word with which the letters so far are enough, or the last one.
    let mut letters = 0;
    let reached = words.iter().position(|word| {
        letters += word.len() as i64;
        letters >= length
    });
    let kept = &words[..reached.unwrap_or(words.len() - 1)];
    let before = kept.iter().map(|word| word.len() as i64).sum::<i64>() + (kept.len() as i64 - 1).max(0);
    let mut out = first(&all, before);
    if before < length {
        out.extend(all[before as usize..length as usize].concat());
    }
    [out, b"...".to_vec()].concat()
}

/// MD5 as its definition has it, one block after the other.
pub fn md5(message: &[u8]) -> [u8; 16] {
    const TURNS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((message.len() as u64 * 8).to_le_bytes());
    let mut state = md5_lanes::START;
    for block in padded.chunks(64) {
        let word = |at: usize| u32::from_le_bytes(block[4 * at..4 * at + 4].try_into().unwrap());
        let [mut a, mut b, mut c, mut d] = state;
        for step in 0..64usize {
            let (mixed, at) = match step / 16 {
                0 => (b & c | !b & d, step),
                1 => (d & b | !d & c, (5 * step + 1) % 16),
                2 => (b ^ c ^ d, (3 * step + 5) % 16),
                _ => (c ^ (b | !d), 7 * step % 16),
            };
            let constant = ((step as f64 + 1.0).sin().abs() * 2f64.powi(32)) as u32;
            let sum = a.wrapping_add(mixed).wrapping_add(constant).wrapping_add(word(at));
            let turned = b.wrapping_add(sum.rotate_left(TURNS[step / 16][step % 4]));
            (a, b, c, d) = (d, turned, b, c);
        }
        for (sum, part) in state.iter_mut().zip([a, b, c, d]) {
            *sum = sum.wrapping_add(part);
        }
    }
    md5_lanes::digest(state)
}

/// `int(text)` by a walk over its characters.
pub fn int(text: &str) -> Option<i128> {
    let text = text.trim_matches(pynum::is_blank);
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mut value, mut after_digit) = (0i128, false);
    for character in digits.chars() {
        match character.to_digit(10) {
            Some(digit) => (value, after_digit) = (value * 10 + i128::from(digit), true),
            None if character == '_' && after_digit => after_digit = false,
            None => return None,
        }
    }
    after_digit.then_some(if negative { -value } else { value })
}
