//! What a study says to people and to other programs: tables for a terminal, rows for R and pandas,
//! a report in one file. All are functions of the result alone and give the same bytes everywhere.
mod arrange;
pub mod csv;
mod figures;
mod html;
mod plot;
mod printable;
mod text;

pub use html::html;
pub use text::text;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
