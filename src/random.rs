//! Randomness that can be written down: a generator is a seed, a stream, and a
//! position.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// The streams of one seed: uses that must not disturb each other.
pub(crate) mod stream {
    pub const DATA: u64 = 0;
    pub const INITIALISATION: u64 = 1;
    pub const SHUFFLE: u64 = 2;
    /// Of the first layer; the others' follow.
    pub const LAYERS: u64 = 16;
}

/// Where a generator stands.
///
/// The generator is ChaCha with 8 rounds, which gives the same numbers on every
/// machine. Two streams of one seed have nothing in common.
///
/// ```
/// use gradus::random::Random;
/// use rand::RngExt;
///
/// let mut generator = Random::new(7, 0).generator();
/// let _: f64 = generator.random();
/// let here = Random::of(7, &generator);
/// assert_eq!(here.generator().random::<u32>(), generator.random::<u32>());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Random {
    /// What everything is derived from.
    pub seed: u64,
    /// Which of the seed's independent streams.
    pub stream: u64,
    /// How many 32-bit words have been drawn.
    pub position: u64,
}

impl Random {
    /// The beginning of a stream.
    pub fn new(seed: u64, stream: u64) -> Self {
        Self { seed, stream, position: 0 }
    }

    /// Where a generator of this seed stands now.
    pub fn of(seed: u64, generator: &ChaCha8Rng) -> Self {
        let position =
            u64::try_from(generator.get_word_pos()).unwrap_or(u64::MAX);
        Self { seed, stream: generator.get_stream(), position }
    }

    /// A generator that stands here.
    pub fn generator(&self) -> ChaCha8Rng {
        let mut generator = ChaCha8Rng::seed_from_u64(self.seed);
        generator.set_stream(self.stream);
        generator.set_word_pos(u128::from(self.position));
        generator
    }
}
