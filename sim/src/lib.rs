//! The world: a pure, deterministic kernel that turns a scenario, a seed and commands into facts.
