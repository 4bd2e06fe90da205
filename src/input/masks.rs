//! Classifies 64 bytes of JSON text at a time: a mask of 64 bits for each class of bytes; and finds where plain strings end.
//!
//! The way of simdjson ("Parsing Gigabytes of JSON per Second", Langdale and Lemire 2019). *Law*: every machine gives the
//! same masks; [`Plain`] is the reference.
//!
//! *Safety*: [`Avx2`] uses instructions that not every machine has. Nobody but [`on_this_machine`] names it, after the
//! machine was asked whether it has them. [`plain_string`] does not have checked again what it has seen to be ASCII.

/// Where the bytes of a class stand in a block; the lowest bit is the first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Masks {
    /// `"`, escaped or not.
    pub(super) quotes: u64,
    /// `{`, `}`, `[`, `]`.
    pub(super) brackets: u64,
    /// `:`.
    pub(super) colons: u64,
    /// There is a backslash or a control character: ask for [`Odd`].
    pub(super) is_odd: bool,
}

/// Where the bytes of the rare classes stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Odd {
    pub(super) backslashes: u64,
    /// Everything below a space.
    pub(super) controls: u64,
}

/// How blocks are classified.
pub(super) trait Machine {
    fn masks(block: &[u8; 64]) -> Masks;
    fn odd(block: &[u8; 64]) -> Odd;
    /// The bits from each odd one (the first, the third, …) up to before the even one that follows it.
    fn between(bits: u64) -> u64;
}

/// Something to do over blocks, on any machine.
pub(super) trait Task {
    type Output;
    /// Must be inlined, so that all of it is compiled for the machine.
    fn run<M: Machine>(self) -> Self::Output;
}

/// Does it with the widest instructions that there are.
pub(super) fn on_this_machine<T: Task>(task: T) -> T::Output {
    #[cfg(target_arch = "x86_64")]
    if avx2::is_here() {
        #[expect(unsafe_code, reason = "instructions that not every machine has")]
        // SAFETY: this one has them.
        return unsafe { avx2::run(task) };
    }
    task.run::<Plain>()
}

/// The text of a JSON string up to the quote that ends it, eight bytes at a time: what most fields hold. `None` if it is
/// not ASCII, has escapes, or ends near the end of what is given.
#[inline]
pub(super) fn plain_string(text: &[u8]) -> Option<&str> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // The high bit of each byte that is the wanted one; above the lowest of these, of others, too.
    let are = |word: u64, wanted: u8| {
        let zeros = word ^ (ONES * u64::from(wanted));
        zeros.wrapping_sub(ONES) & !zeros & HIGH
    };
    let (words, _) = text.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let (quotes, others) = (are(word, b'"'), are(word, b'\\') | word & HIGH);
        if quotes | others != 0 {
            let first = (quotes | others).trailing_zeros();
            if quotes.trailing_zeros() != first {
                return None;
            }
            let plain = &text[..8 * at + first as usize / 8];
            #[expect(unsafe_code, reason = "to check text again takes longer than to find where it ends")]
            // SAFETY: no byte before the first quote has its high bit set, so all of it is ASCII.
            return Some(unsafe { std::str::from_utf8_unchecked(plain) });
        }
    }
    None
}

/// Byte by byte.
pub(super) struct Plain;

impl Machine for Plain {
    #[inline]
    fn masks(block: &[u8; 64]) -> Masks {
        let mut masks = Masks { quotes: 0, brackets: 0, colons: 0, is_odd: false };
        for (place, byte) in block.iter().enumerate() {
            match byte {
                b'"' => masks.quotes |= 1 << place,
                b'{' | b'}' | b'[' | b']' => masks.brackets |= 1 << place,
                b':' => masks.colons |= 1 << place,
                0..0x20 | b'\\' => masks.is_odd = true,
                _ => {}
            }
        }
        masks
    }

    fn odd(block: &[u8; 64]) -> Odd {
        let mask =
            |is: fn(u8) -> bool| (0..64).filter(|place| is(block[*place])).fold(0, |mask, place| mask | 1 << place);
        Odd { backslashes: mask(|byte| byte == b'\\'), controls: mask(|byte| byte < 0x20) }
    }

    #[inline]
    fn between(bits: u64) -> u64 {
        [1, 2, 4, 8, 16, 32].into_iter().fold(bits, |sums, step| sums ^ sums << step)
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8, _mm256_cmpeq_epi8,
        _mm256_max_epu8, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set_epi64x, _mm256_set1_epi8,
    };

    use super::{Machine, Masks, Odd, Task};

    /// 32 bytes at a time.
    struct Avx2;

    pub(super) fn is_here() -> bool {
        // The answers are remembered by the library.
        std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("bmi1")
            && std::arch::is_x86_feature_detected!("bmi2")
            && std::arch::is_x86_feature_detected!("lzcnt")
            && std::arch::is_x86_feature_detected!("popcnt")
            && std::arch::is_x86_feature_detected!("pclmulqdq")
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
    pub(super) fn run<T: Task>(task: T) -> T::Output {
        task.run::<Avx2>()
    }

    // Macros, for functions and closures would not always be compiled for the same instructions.
    macro_rules! half {
        ($block:expr, $at:expr) => {{
            let (words, _) = $block.as_chunks::<8>();
            let word = |place: usize| i64::from_le_bytes(words[$at * 4 + place]);
            _mm256_set_epi64x(word(3), word(2), word(1), word(0))
        }};
    }
    macro_rules! equal {
        ($bytes:expr, $byte:expr) => {
            _mm256_cmpeq_epi8($bytes, _mm256_set1_epi8($byte as i8))
        };
    }
    macro_rules! bracket {
        ($bytes:expr) => {{
            // `[` and `{`, `]` and `}` differ in this bit alone.
            let folded = _mm256_or_si256($bytes, _mm256_set1_epi8(0x20));
            _mm256_or_si256(equal!(folded, b'{'), equal!(folded, b'}'))
        }};
    }
    macro_rules! below_space {
        ($bytes:expr) => {
            equal!(_mm256_max_epu8($bytes, _mm256_set1_epi8(0x1f)), 0x1f)
        };
    }
    macro_rules! mask {
        ($low:expr, $high:expr) => {
            u64::from(_mm256_movemask_epi8($low) as u32) | u64::from(_mm256_movemask_epi8($high) as u32) << 32
        };
    }

    #[expect(unsafe_code, reason = "instructions that not every machine has")]
    impl Machine for Avx2 {
        #[inline(always)]
        fn masks(block: &[u8; 64]) -> Masks {
            // SAFETY: see the head of this file.
            unsafe {
                let (low, high): (__m256i, __m256i) = (half!(block, 0), half!(block, 1));
                let backslashes = _mm256_or_si256(equal!(low, b'\\'), equal!(high, b'\\'));
                let controls = below_space!(_mm256_min_epu8(low, high));
                let odd = _mm256_or_si256(backslashes, controls);
                Masks {
                    quotes: mask!(equal!(low, b'"'), equal!(high, b'"')),
                    brackets: mask!(bracket!(low), bracket!(high)),
                    colons: mask!(equal!(low, b':'), equal!(high, b':')),
                    is_odd: _mm256_movemask_epi8(odd) != 0,
                }
            }
        }

        #[inline(always)]
        fn odd(block: &[u8; 64]) -> Odd {
            // SAFETY: see the head of this file.
            unsafe {
                let (low, high): (__m256i, __m256i) = (half!(block, 0), half!(block, 1));
                Odd {
                    backslashes: mask!(equal!(low, b'\\'), equal!(high, b'\\')),
                    controls: mask!(below_space!(low), below_space!(high)),
                }
            }
        }

        #[inline(always)]
        fn between(bits: u64) -> u64 {
            // SAFETY: see the head of this file.
            unsafe {
                let sums = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, bits as i64), _mm_set1_epi8(-1));
                _mm_cvtsi128_si64(sums) as u64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Classify<'a>(&'a [u8; 64]);

    impl Task for Classify<'_> {
        type Output = (Masks, Odd, u64);

        #[inline(always)]
        fn run<M: Machine>(self) -> Self::Output {
            (M::masks(self.0), M::odd(self.0), M::between(M::masks(self.0).quotes))
        }
    }

    proptest! {
        #[test]
        fn a_plain_string_ends_at_its_first_quote(
            begin in proptest::collection::vec(proptest::sample::select(b"aZ0 :/!#\x01\x7f[]".to_vec()), 0..40),
            more in proptest::collection::vec(proptest::sample::select(b"\"\\a!#\x80\xa2\xc3\xff]".to_vec()), 0..20),
        ) {
            let text = [begin, more].concat();
            let end = text.iter().position(|byte| *byte == b'"' || *byte == b'\\' || !byte.is_ascii());
            // What ends in the last bytes is left to others.
            let expected = end.filter(|end| text[*end] == b'"' && *end < text.len() / 8 * 8).map(|end| &text[..end]);
            prop_assert_eq!(plain_string(&text).map(str::as_bytes), expected);
        }

        #[test]
        fn every_machine_gives_the_same_masks(bytes in proptest::array::uniform32(any::<u8>()), more in proptest::collection::vec(
            proptest::sample::select(b"\"\\{}[]:, \n\ta{z|\x1f\x7f".to_vec()), 32)) {
            let mut block = [0; 64];
            block[..32].copy_from_slice(&bytes);
            block[32..].copy_from_slice(&more);
            prop_assert_eq!(on_this_machine(Classify(&block)), Classify(&block).run::<Plain>());
        }
    }
}
