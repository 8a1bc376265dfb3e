//! The program as people run it: whole worlds, killed and split ones, and hostile input.
mod bad_input;
mod demo;
mod determinism;
mod evidence;
mod examples;
mod kill;
mod oracle;
mod scenario_load;
mod support;
mod telemetry;
mod upgrade;
