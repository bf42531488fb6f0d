//! Reading pages: how many, how fast, from a cold start, how heavy, and how soon again when Chromium is killed.
//!
//! Beside Playwright with the same Chromium, which does only what it must: quiz-stats also asks for robots.txt, lets
//! everything through a guard of its own, waits until the page rests, and looks at all of it.

mod cold;
mod reader;
mod reading;
mod recovery;
mod site;
mod weight;

use crate::{Plan, figures::Table};
use site::Site;

pub(crate) async fn run(plan: &Plan) -> anyhow::Result<Vec<Table>> {
    let site = Site::start().await?;
    let mut tables = reading::run(plan, &site).await?;
    tables.push(cold::run(plan, &site).await?);
    tables.push(weight::run(plan, &site).await?);
    tables.push(recovery::run(plan, &site).await?);
    Ok(tables)
}
