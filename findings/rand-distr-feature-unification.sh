#!/usr/bin/env bash
# A dependency that is never used changes what a seeded generator draws.
#
# rand_distr 0.6.0 with rand_pcg 0.10.3; num-bigint 0.5.1 is the bystander.
# Expected: the same seed, the same version of the same crate, the same machine: the same numbers.
# Behaviour: rand_distr computes ln, exp and powf by num-traits, which takes them from the crate
#   `libm` until any crate of the build enables num-traits' feature `std` (num-bigint does by
#   default); then they come from the platform, and some last bits differ. rand_distr's own default
#   feature `std` does not enable it. A simulation that branches on such a number goes elsewhere.
# Seen (x86_64, glibc, 10,000 draws each):
#   LogNormal: different draws
#   Weibull: different draws
#   Gamma: the same draws
#   Beta: different draws
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat >main.rs <<'RUST'
use rand_distr::{Beta, Distribution, Gamma, LogNormal, Weibull};
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::SeedableRng;

fn draws(name: &str, distribution: impl Distribution<f64>) {
    let mut generator = Pcg64Mcg::seed_from_u64(42);
    let bits: Vec<String> = (0..10_000)
        .map(|_| format!("{:016x}", distribution.sample(&mut generator).to_bits()))
        .collect();
    println!("{name} {}", bits.join(" "));
}

fn main() {
    draws("LogNormal", LogNormal::new(0.0, 1.0).unwrap());
    draws("Weibull", Weibull::new(1.0, 1.5).unwrap());
    draws("Gamma", Gamma::new(2.5, 1.0).unwrap());
    draws("Beta", Beta::new(2.0, 3.0).unwrap());
}
RUST

for kind in alone beside; do
    mkdir -p "$kind/src"
    cp main.rs "$kind/src/"
    cat >"$kind/Cargo.toml" <<TOML
[package]
name = "draws"
version = "0.0.0"
edition = "2021"

[dependencies]
rand_distr = "=0.6.0"
rand_pcg = "=0.10.3"
TOML
done
echo 'num-bigint = "=0.5.1"' >>beside/Cargo.toml
for kind in alone beside; do
    CARGO_TARGET_DIR=$dir/target cargo run --quiet --manifest-path "$kind/Cargo.toml" >"$kind.txt"
done

paste -d ' ' alone.txt beside.txt | awk '{
    count = NF / 2; different = 0
    for (i = 2; i <= count; i++) if ($i != $(i + count)) different++
    printf "%s: %s\n", $1, different ? "different draws" : "the same draws"
}' | tee seen

diff - seen <<'SEEN'
LogNormal: different draws
Weibull: different draws
Gamma: the same draws
Beta: different draws
SEEN
