//! Hash of facts.
#![allow(clippy::all, clippy::disallowed_methods, missing_docs)]
use sim::World;
use sim::command::*;
use sim::ids::*;
use sim::severity::Severity;
use sim::time::*;
use std::fmt::Write;
use std::sync::Arc;

struct H(u64);
impl Write for H {
    fn write_str(&mut self, s: &str) -> std::fmt::Result {
        for b in s.bytes() {
            self.0 = (self.0 ^ u64::from(b)).wrapping_mul(0x100_0000_01b3);
        }
        Ok(())
    }
}

fn main() {
    for file in std::env::args().skip(1) {
        let bytes = std::fs::read(&file).expect("ok");
        let scenario =
            Arc::new(sim::scenario::parse(&file, &bytes).unwrap_or_else(|e| panic!("{e}")));
        for seed in 1..4u64 {
            for commands in [false, true] {
                let mut world = World::new(scenario.clone(), seed);
                let mut h = H(0xcbf29ce484222325);
                write!(h, "{:?}", world.catalogue()).expect("ok");
                let catalogue = h.0;
                let mut r = seed * 77;
                let mut n = 0;
                let mut external = Vec::new();
                let mut refused = 0;
                let mut next = |bound: u64| {
                    r = r.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    (r >> 33) % bound
                };
                let end = scenario.start.time() + scenario.duration.duration();
                let mut at = world.now();
                while at < end {
                    at = (at + SimDuration(1 + next(7) as i64 * 1800_000)).min(end);
                    world.advance(at, &mut |f| write!(h, "{f:?}").expect("ok"));
                    if !commands {
                        continue;
                    }
                    n += 1;
                    let images = world.catalogue().images.len() as u64;
                    let customers = world.catalogue().customers.len().max(1) as u64;
                    let image = ImageId(next(images) as u32);
                    let customer = CustomerId(next(customers) as u32);
                    let build = BuildId::of_command(n);
                    let c = match next(24) {
                        0 => Command::BuildImage {
                            build,
                            image,
                            create: None,
                            requested_by: None,
                            external: false,
                        },
                        1 | 2 => {
                            external.push(build);
                            Command::BuildImage {
                                build,
                                image,
                                create: None,
                                requested_by: None,
                                external: true,
                            }
                        }
                        3 | 4 => match external.pop() {
                            Some(build) => Command::CompleteBuild {
                                build,
                                report: Arc::new(Report {
                                    succeeded: next(4) > 0,
                                    failure: None,
                                    log: None,
                                }),
                            },
                            None => continue,
                        },
                        5 => Command::UpstreamChanged { build, image, revision: None },
                        6 => Command::Scan { image: None },
                        7 | 8 => Command::Scan { image: Some(image) },
                        9 => Command::CheckSla,
                        10 => Command::DiscloseAdvisory(Arc::new(NewAdvisory {
                            cve: None,
                            severity: Severity::Critical,
                            vector: sim::severity::Vector("x".into()),
                            known_exploited: false,
                            detectable_after: SimDuration(next(50) as i64 * 3_600_000),
                            image_share_permille: Some(50 + next(300) as u32),
                            packages: vec![],
                            fix_after: Some(SimDuration(next(3) as i64 * 7_200_000)),
                            package_fix_after: SimDuration(next(30) as i64 * 3_600_000),
                        })),
                        11 => Command::BuilderOutage {
                            builders: 1,
                            duration: SimDuration(3_600_000 * 5),
                        },
                        12 if next(40) == 0 => Command::BuildImage {
                            build,
                            image: ImageId(images as u32),
                            create: Some(ImageDefinition {
                                name: format!("new-{n}").into(),
                                base: Some(image),
                                packages: vec![PackageId(1), PackageId(3)].into(),
                                owner: None,
                            }),
                            requested_by: None,
                            external: false,
                        },
                        13 => Command::TamperAttestation { image },
                        14 => Command::DistrustBuilder { builder: BuilderId(next(4) as u32) },
                        15 | 16 => Command::EndUse { customer, image },
                        17 => Command::UseImage {
                            customer,
                            image,
                            pin: Some(1 + next(30) as u32),
                            runtime: None,
                        },
                        18..=20 => Command::UseImage { customer, image, pin: None, runtime: None },
                        _ => continue,
                    };
                    if let Err(e) = world.submit(&c, &mut |f| write!(h, "{f:?}").expect("ok")) {
                        refused += 1;
                        write!(h, "{e:?}").expect("ok");
                    }
                }
                println!(
                    "{file} {seed} {commands} {catalogue:016x} {:016x} seq {} events {} refused {refused}/{n}",
                    h.0,
                    world.seq(),
                    world.events()
                );
            }
        }
    }
}
