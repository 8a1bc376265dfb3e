//! The program as people run it: whole worlds, killed and split ones, and hostile input.
mod bad_input;
mod determinism;
mod evidence;
mod kill;
mod live;
mod load;
mod support;
mod telemetry;
mod tour;
mod upgrade;
