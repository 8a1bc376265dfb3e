//! Against values to 20 digits from mpmath 1.3 (50 digits of working precision).
use super::*;

fn near(got: f64, expected: f64, what: &str) {
    let error = (got / expected - 1.0).abs();
    assert!(error < 1e-12, "{what}: {got:e} and not {expected:e}, off by {error:e}");
}

#[test]
fn the_incomplete_beta_function_agrees_with_mpmath() {
    for (x, a, b, below, above) in [
        (0.5, 2.0, 3.0, 0.6875, 0.3125),
        (0.001, 0.5, 0.5, 0.020_135_041_633_377_491, 0.979_864_958_366_622_5),
        (0.3, 10.0, 0.5, 1.220_522_927_953_170_9e-6, 0.999_998_779_477_072),
        (0.25, 250.0, 750.0, 0.504_856_533_503_607_4, 0.495_143_466_496_392_55),
        (0.9, 30.5, 3.0, 0.356_060_496_179_716_6, 0.643_939_503_820_283_4),
        (1e-9, 0.5, 40.0, 2.249_717_126_056_786_5e-4, 0.999_775_028_287_394_3),
        (0.7, 1.0, 7.0, 0.999_781_3, 0.000_218_7),
        (0.02, 3.0, 1000.5, 0.999_999_631_119_025_5, 3.688_809_744_783_431e-7),
    ] {
        let (lower, upper) = regularized_beta(x, 1.0 - x, a, b);
        near(lower, below, &format!("I_{x}({a}, {b})"));
        near(upper, above, &format!("1 - I_{x}({a}, {b})"));
    }
}

#[test]
fn the_incomplete_beta_function_keeps_its_digits_for_large_parameters() {
    // Its sensitivity to the last bit of x is 1e-13 here.
    let (below, above) = regularized_beta(0.2501, 0.7499, 250_000.0, 750_000.0);
    assert!((below - 0.591_460_843_400_677_7).abs() < 1e-11, "{below}");
    assert!((above - 0.408_539_156_599_332_3).abs() < 1e-11, "{above}");
    assert_eq!(regularized_beta(0.0, 1.0, 2.0, 3.0), (0.0, 1.0));
    assert_eq!(regularized_beta(1.0, 0.0, 2.0, 3.0), (1.0, 0.0));
}

#[test]
fn tails_of_students_distribution_agree_with_mpmath() {
    for (t, df, tail) in [
        (2.0, 3.0, 0.069_662_984_279_421_6),
        (0.5, 7.0, 0.316_203_567_844_642_1),
        (12.0, 30.0, 2.790_092_707_599_628e-13),
        (0.001, 5.0, 0.499_620_393_386_098_8),
        (40.0, 4.0, 1.167_008_161_300_634_3e-6),
        (3.0, 999.0, 0.001_383_388_230_073_897),
    ] {
        near(t_sf(t, df), tail, &format!("P(T > {t}), {df} df"));
        near(t_cdf(-t, df), tail, &format!("P(T <= -{t}), {df} df"));
        near(t_cdf(t, df), 1.0 - tail, &format!("P(T <= {t}), {df} df"));
    }
}

#[test]
fn quantiles_of_students_distribution_agree_with_mpmath() {
    for (tail, df, t) in [
        (0.025, 1.0, 12.706_204_736_174_704),
        (0.025, 2.0, 4.302_652_729_749_464),
        (0.025, 3.0, 3.182_446_305_283_71),
        (0.025, 9.0, 2.262_157_162_798_205_5),
        (0.005, 4.0, 4.604_094_871_349_993),
        (0.025, 29.0, 2.045_229_642_132_704),
        (0.025, 999.0, 1.962_341_461_133_45),
        (1e-6, 6.0, 17.830_314_500_655_49),
        (0.25, 11.0, 0.697_445_327_559_881_5),
        (0.4999, 8.0, 2.585_990_546_478_818e-4),
        (0.0005, 99.0, 3.391_528_833_363_650_6),
        // SciPy 1.17.
        (0.025, 1e6, 1.959_966_356_814_107_2),
        (0.025, 1e9, 1.959_963_986_912_325_3),
    ] {
        near(t_upper(tail, df), t, &format!("t of {tail}, {df} df"));
        near(t_quantile(tail, df), -t, &format!("lower t of {tail}, {df} df"));
        // Next to 1 a probability has no more digits.
        let above = t_upper(1.0 - tail, df);
        assert!(
            (above / -t - 1.0).abs() < 1e-12 / tail.min(0.01),
            "t of 1 - {tail}, {df} df: {above}"
        );
    }
    assert_eq!(t_upper(0.5, 8.0), 0.0);
}

#[test]
fn the_normal_distribution_agrees_with_mpmath() {
    for (z, below) in [
        (-1.96, 0.024_997_895_148_220_435),
        (0.0, 0.5),
        (3.0, 0.998_650_101_968_369_9),
        (-8.0, 6.220_960_574_271_784e-16),
        (-37.0, 5.725_571_222_524_577e-300),
    ] {
        near(normal_cdf(z), below, &format!("P(Z <= {z})"));
    }
    near(normal_upper(0.025), 1.959_963_984_540_054, "z");
}

#[test]
fn the_binomial_distribution_adds_up_its_terms() {
    let (n, p) = (10_u64, 0.3_f64);
    let mut sum = 0.0;
    let mut mass = (1.0 - p).powi(10);
    for k in 0..=n {
        let above = binomial_sf(k, n, p);
        assert!((above - (1.0 - sum)).abs() < 1e-14, "P(B >= {k}): {above}");
        sum += mass;
        near(binomial_cdf(k, n, p), sum, &format!("P(B <= {k})"));
        mass *= (n - k) as f64 / (k + 1) as f64 * p / (1.0 - p);
    }
    assert_eq!(binomial_sf(11, n, p), 0.0);
}

#[test]
fn ceilings_saturate() {
    assert_eq!([0.0, 0.1, 3.0, -2.5, 1e30].map(ceiling), [0, 1, 3, 0, u64::MAX]);
}
