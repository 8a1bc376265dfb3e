//! The program as people run it: whole worlds, killed and split ones, and hostile input.
mod agreement;
mod ahead;
mod bad_input;
mod demo;
mod determinism;
mod evidence;
mod examples;
#[path = "../api/support/instants.rs"]
mod instants_in;
mod kill;
mod one_story;
mod oracle;
mod pipes;
mod pooled;
mod repair;
mod retention;
mod scenario_load;
mod seeds;
mod stop;
mod studies;
mod support;
mod telemetry;
mod upgrade;
mod whole_world;
