//! Randomness that depends on what a draw is for, never on when it is made.
//!
//! A draw is named by (seed, purpose, entity, index) and computed by Philox4x32-10, a
//! counter-based generator (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
//! Two worlds with the same seed face the same exogenous events, whatever their policies: common
//! random numbers. Every draw is one uniform, turned into its distribution by inversion, on the pinned
//! `libm`, so that the last bit is the same on every machine.
use crate::cast::{high, low, whole_i64};
use crate::scenario::model::{Draw, NumberDraw};
use crate::time::SimDuration;
use rand_core::TryRng;
use std::convert::Infallible;

mod conditional;
pub(crate) use conditional::log_normal_below;
pub use conditional::rest_of_count;

/// What a draw is for. The numbers are part of every world: never change or reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// Names, licences and sizes of packages.
    Package = 1,
    /// A package's release rate and first gap.
    ReleaseRate = 2,
    /// Gaps between a package's releases.
    ReleaseGap = 3,
    /// How a release changes the version.
    ReleaseVersion = 4,
    /// Checksums of simulated package files.
    Checksum = 5,
    /// What an image is made of.
    ImagePackages = 6,
    /// Numbers of packages of a fleet's images.
    FleetSize = 7,
    /// Invented people and companies.
    Customer = 8,
    /// Which images a customer uses, and how.
    Usage = 9,
    /// How many CVEs a day brings.
    DayCount = 10,
    /// When in the day one is disclosed.
    DisclosureInstant = 11,
    /// What one CVE is like.
    Disclosure = 12,
    /// Which packages one CVE hits.
    Blast = 13,
    /// When the fixes of one CVE come.
    Fix = 14,
    /// Build durations.
    BuildDuration = 15,
    /// Build flakes.
    BuildFlake = 16,
    /// Breakage by an upstream release.
    Breakage = 17,
    /// False positives and their judgement.
    Triage = 18,
    /// Adoption lags.
    Adoption = 19,
    /// Ages of pins.
    PinAge = 20,
    /// Gaps of request streams.
    ArrivalGap = 21,
    /// Images that request streams ask for.
    ArrivalImage = 22,
    /// Injected incidents.
    Incident = 23,
    /// Where a customer runs an image.
    Runtime = 24,
    /// The streams of a possible future.
    Fork = 25,
    /// The rest of what was under way when a world was forked, where its first draw has no name
    /// that can be used again.
    Rest = 26,
    /// Uncertain inputs of a study.
    StudyInput = 27,
}

/// All the randomness of one world.
#[derive(Clone, Copy, Debug)]
pub struct RandomStreams {
    key: [u32; 2],
}

impl RandomStreams {
    /// The streams of a seed.
    pub fn new(seed: u64) -> Self {
        RandomStreams { key: [low(seed), high(seed)] }
    }

    /// The streams of one of this world's possible futures: neither its own, whatever the seed, nor
    /// those of a future of that future.
    pub fn fork(&self, seed: u64) -> Self {
        let [first, second, ..] = RandomStreams::new(seed).bits(Purpose::Fork, self.seed(), 0);
        RandomStreams { key: [first, second] }
    }

    /// The seed they were made from.
    pub fn seed(&self) -> u64 {
        u64::from(self.key[1]) << 32 | u64::from(self.key[0])
    }

    /// 128 random bits for one draw.
    pub fn bits(&self, purpose: Purpose, entity: u64, index: u32) -> [u32; 4] {
        philox([index, low(entity), high(entity), purpose as u32], self.key)
    }

    /// One uniform, strictly between 0 and 1.
    pub fn uniform(&self, purpose: Purpose, entity: u64, index: u32) -> f64 {
        let bits = self.bits(purpose, entity, index);
        let mantissa = ((u64::from(bits[0]) << 32) | u64::from(bits[1])) >> 12;
        (mantissa as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
    }

    /// A whole number below `bound` (which must not be 0).
    pub fn below(&self, purpose: Purpose, entity: u64, index: u32, bound: u32) -> u32 {
        let bits = self.bits(purpose, entity, index);
        let wide = (u64::from(bits[0]) << 32) | u64::from(bits[1]);
        let wide = u128::from(wide) * u128::from(bound);
        // The upper half of the product is below `bound`.
        u32::try_from(wide >> 64).unwrap_or(bound)
    }

    /// A generator over one entity's draws, for libraries that want one.
    pub fn stream(&self, purpose: Purpose, entity: u64) -> Stream {
        Stream { streams: *self, purpose, entity, index: 0 }
    }
}

/// A generator over the draws of one (purpose, entity).
#[derive(Clone, Debug)]
pub struct Stream {
    streams: RandomStreams,
    purpose: Purpose,
    entity: u64,
    index: u32,
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(high)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let bits = self.streams.bits(self.purpose, self.entity, self.index);
        self.index = self.index.wrapping_add(1);
        Ok((u64::from(bits[0]) << 32) | u64::from(bits[1]))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        for chunk in dst.chunks_mut(8) {
            let word = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..10 {
        if round > 0 {
            key[0] = key[0].wrapping_add(0x9E37_79B9);
            key[1] = key[1].wrapping_add(0xBB67_AE85);
        }
        let left = u64::from(counter[0]) * 0xD251_1F53;
        let right = u64::from(counter[2]) * 0xCD9E_8D57;
        counter = [
            high(right) ^ counter[1] ^ key[0],
            low(right),
            high(left) ^ counter[3] ^ key[1],
            low(left),
        ];
    }
    counter
}

/// A distribution, ready to be drawn from by inversion. Lengths of time are in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Sampler {
    /// Always the same.
    Constant(f64),
    /// Uniform.
    Uniform {
        /// The least.
        min: f64,
        /// The most.
        max: f64,
    },
    /// Exponential.
    Exponential {
        /// Its mean.
        mean: f64,
    },
    /// Lognormal.
    Lognormal {
        /// Mean of the natural logarithm.
        mu: f64,
        /// Deviation of the natural logarithm.
        sigma: f64,
    },
}

impl Sampler {
    /// From a scenario's description.
    pub fn of(draw: &Draw) -> Self {
        let ms = |span: &crate::scenario::units::Span| span.duration().0 as f64;
        match draw {
            Draw::Constant(span) => Sampler::Constant(ms(span)),
            Draw::Uniform { min, max } => Sampler::Uniform { min: ms(min), max: ms(max) },
            Draw::Exponential { mean } => Sampler::Exponential { mean: ms(mean) },
            Draw::Lognormal { median, sigma } if ms(median) > 0.0 => {
                Sampler::Lognormal { mu: libm::log(ms(median)), sigma: sigma.value() }
            }
            Draw::Lognormal { .. } => Sampler::Constant(0.0),
        }
    }

    /// From a scenario's description of a number without a unit.
    pub fn of_number(draw: &NumberDraw) -> Self {
        let NumberDraw::LognormalNumber { mu, sigma } = draw;
        Sampler::Lognormal { mu: *mu, sigma: sigma.value() }
    }

    /// The value at probability `u`, strictly between 0 and 1.
    pub fn value(&self, u: f64) -> f64 {
        match *self {
            Sampler::Constant(value) => value,
            Sampler::Uniform { min, max } => min + u * (max - min),
            Sampler::Exponential { mean } => -mean * libm::log1p(-u),
            Sampler::Lognormal { mu, sigma } => libm::exp(mu + sigma * normal_quantile(u)),
        }
    }

    /// The value as a length of time: whole milliseconds, at most 1,000 years.
    pub fn duration(&self, u: f64) -> SimDuration {
        const MOST_MS: f64 = 1000.0 * 365.0 * 86_400_000.0;
        SimDuration(whole_i64(libm::round(self.value(u).clamp(0.0, MOST_MS))))
    }
}

/// The quantile of the standard normal distribution: algorithm AS 241 (Wichura 1988), accurate to
/// about 16 digits.
pub fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if libm::fabs(q) <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * ratio(r, &CENTRAL);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = libm::sqrt(-libm::log(tail));
    let value = if r <= 5.0 { ratio(r - 1.6, &MIDDLE) } else { ratio(r - 5.0, &FAR) };
    if q < 0.0 { -value } else { value }
}

type Rational = ([f64; 8], [f64; 8]);

fn ratio(r: f64, (over, under): &Rational) -> f64 {
    let horner = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, c| sum * r + c);
    horner(over) / horner(under)
}

const CENTRAL: Rational = (
    [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_66e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_854e3,
    ],
);

const MIDDLE: Rational = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);

const FAR: Rational = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);

/// The number of events of a day: negative binomial with this mean and dispersion `k`, or Poisson
/// when `k` is 0. By inversion of the cumulative distribution.
pub fn count(mean: f64, k: f64, u: f64) -> u32 {
    if mean <= 0.0 {
        return 0;
    }
    let (mut mass, step): (f64, Box<dyn Fn(f64) -> f64>) = if k > 0.0 {
        let q = mean / (mean + k);
        (libm::pow(k / (mean + k), k), Box::new(move |n| (n + k) / (n + 1.0) * q))
    } else {
        (libm::exp(-mean), Box::new(move |n| mean / (n + 1.0)))
    };
    let mut below = mass;
    let mut n = 0u32;
    while below < u && n < 100_000 {
        mass *= step(f64::from(n));
        below += mass;
        n += 1;
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_gives_the_published_known_answers() {
        // Random123 1.14, kat_vectors, philox4x32 with 10 rounds.
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        let ones = u32::MAX;
        assert_eq!(
            philox([ones; 4], [ones; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn the_normal_quantile_agrees_with_tables() {
        for (p, z) in [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (0.841_344_746_068_542_9, 1.0),
            (1e-10, -6.361_340_902_404_056),
            (0.99, 2.326_347_874_040_840_8),
            (0.6, 0.253_347_103_135_799_7),
        ] {
            assert!((normal_quantile(p) - z).abs() < 1e-12, "p {p}: {}", normal_quantile(p));
        }
    }

    #[test]
    fn counts_have_the_mean_they_are_asked_for() {
        let streams = RandomStreams::new(7);
        for (mean, k) in [(2.89, 0.384), (2.89, 0.0), (0.2, 0.384)] {
            let n = 100_000;
            let sum: u64 = (0..n)
                .map(|i| u64::from(count(mean, k, streams.uniform(Purpose::DayCount, i, 0))))
                .sum();
            let variance = if k > 0.0 { mean + mean * mean / k } else { mean };
            let error = (sum as f64 / n as f64 - mean).abs();
            assert!(
                error < 4.0 * (variance / n as f64).sqrt(),
                "mean {mean} k {k}: off by {error}"
            );
        }
    }
}
