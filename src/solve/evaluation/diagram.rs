//! The reliability diagram: the share of right answers over their confidence, as SVG.

use super::{Bin, Outcome, bins, figures};
use std::fmt::Write as _;

/// Side of the square, and the room around it, in units of the picture.
const SIDE: f64 = 400.0;
const EDGE: f64 = 60.0;

/// Returns the diagram of `outcomes` under `title`, as SVG.
pub fn reliability_diagram(title: &str, outcomes: &[Outcome]) -> String {
    let all = SIDE + 2.0 * EDGE;
    let title = quick_xml::escape::escape(title);
    let ece = figures(outcomes, outcomes.len()).ece;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {all} {all}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{all}\" height=\"{all}\" fill=\"white\"/>\n\
         <text x=\"{}\" y=\"28\" text-anchor=\"middle\" font-size=\"16\">{title}: {} answers, ECE {ece:.3}</text>\n",
        all / 2.0,
        outcomes.len()
    );
    for step in 0..=5 {
        let share = f64::from(step) / 5.0;
        let (x, y) = (at_x(share), at_y(share));
        // Writing to a string never fails.
        let _ = write!(
            svg,
            "<line x1=\"{x}\" y1=\"{}\" x2=\"{x}\" y2=\"{}\" stroke=\"#ddd\"/><line x1=\"{}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\" stroke=\"#ddd\"/>\n\
             <text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{share:.1}</text><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{share:.1}</text>\n",
            at_y(0.0),
            at_y(1.0),
            at_x(0.0),
            at_x(1.0),
            at_y(0.0) + 20.0,
            at_x(0.0) - 8.0,
            y + 4.0
        );
    }
    for Bin {
        weight,
        confidence,
        accuracy,
    } in bins(outcomes)
    {
        let (x, y) = (at_x(confidence), at_y(accuracy));
        let _ = writeln!(
            svg,
            "<rect class=\"bar\" x=\"{:.1}\" y=\"{y:.1}\" width=\"20\" height=\"{:.1}\" fill=\"#1976d2\" fill-opacity=\"{:.2}\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"11\">{:.0} %</text>",
            x - 10.0,
            at_y(0.0) - y,
            0.35 + 0.65 * weight.sqrt(),
            y - 5.0,
            100.0 * weight
        );
    }
    let _ = write!(
        svg,
        "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"#c62828\" stroke-dasharray=\"6 4\"/>\n\
         <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">confidence; over each bar, its share of the questions</text>\n\
         <text transform=\"rotate(-90)\" x=\"{}\" y=\"18\" text-anchor=\"middle\">share of right answers</text>\n</svg>\n",
        at_x(0.0),
        at_y(0.0),
        at_x(1.0),
        at_y(1.0),
        all / 2.0,
        all - 14.0,
        -all / 2.0
    );
    svg
}

fn at_x(share: f64) -> f64 {
    EDGE + share * SIDE
}

fn at_y(share: f64) -> f64 {
    EDGE + (1.0 - share) * SIDE
}
