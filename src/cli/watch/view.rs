//! The show drawn into a terminal: big number, gauge, caption, progress, connection. Pure.

use super::{
    digits,
    screen::{Link, Mood, Screen},
};
use ratatui::{
    Frame,
    layout::{Alignment, Constraint, Layout, Rect},
    style::{Color, Stylize as _},
    symbols::border,
    text::Line,
    widgets::{Block, Paragraph},
};

/// Widest gauge in columns: wider ones are hard to take in.
const MAX_GAUGE_COLUMNS: u16 = 60;

/// Draws `screen` as it looks at local time `now_ms`.
pub(super) fn draw(frame: &mut Frame<'_>, screen: &Screen, now_ms: u64) {
    let link = screen.link_text(now_ms);
    let link = if screen.link == Link::Live {
        link.green()
    } else {
        link.yellow()
    };
    let block = Block::bordered()
        .border_set(border::ROUNDED)
        .border_style(Color::DarkGray)
        .title(Line::from(format!(" quiz-stats · {} ", screen.channel)).bold())
        .title(Line::from(vec![" ".into(), link, " ".into()]).right_aligned())
        .title_bottom(Line::from(" q quits ").dark_gray().right_aligned());
    let inside = block.inner(frame.area());
    frame.render_widget(block, frame.area());

    let [number, _, caption, _, gauge, progress, news] = Layout::vertical([
        Constraint::Min(1),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(inside);
    draw_number(frame, screen, now_ms, number);
    frame.render_widget(
        Paragraph::new(screen.caption(now_ms))
            .bold()
            .alignment(Alignment::Center),
        caption,
    );
    let colour = colour(screen.mood(now_ms));
    let wide = centred(gauge);
    frame.render_widget(
        Line::from(meter(screen.level(now_ms), wide.width, ["█", "░"])).fg(colour),
        wide,
    );
    if let Some((elapsed, total)) = screen.progress(now_ms) {
        let label = format!("{} / {} ", clock(elapsed), clock(total));
        let wide = centred(progress);
        let left = wide
            .width
            .saturating_sub(u16::try_from(label.len()).unwrap_or(u16::MAX));
        #[expect(clippy::cast_precision_loss, reason = "shows are shorter than 2^52 ms")]
        let ratio = elapsed as f64 / total.max(1) as f64;
        let line = label + &meter(ratio, left, ["━", "─"]);
        frame.render_widget(Line::from(line).dark_gray(), wide);
    }
    frame.render_widget(
        Paragraph::new(screen.news.as_str())
            .dark_gray()
            .alignment(Alignment::Center),
        news,
    );
}

fn draw_number(frame: &mut Frame<'_>, screen: &Screen, now_ms: u64, area: Rect) {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "values are small and never negative"
    )]
    let number = screen.value(now_ms).round() as u32;
    let lines = digits::lines(number, area.width, area.height.saturating_sub(2).max(1));
    let height = u16::try_from(lines.len())
        .unwrap_or(area.height)
        .min(area.height);
    let middle = Rect {
        y: area.y + (area.height - height) / 2,
        height,
        ..area
    };
    let lines: Vec<Line<'_>> = lines.into_iter().map(Line::from).collect();
    frame.render_widget(
        Paragraph::new(lines)
            .fg(colour(screen.mood(now_ms)))
            .bold()
            .alignment(Alignment::Center),
        middle,
    );
}

/// Returns a bar of `width` cells, filled as far as `ratio` says. The two symbols differ without colour, too.
fn meter(ratio: f64, width: u16, [filled, empty]: [&str; 2]) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the width"
    )]
    let cells = (ratio.clamp(0.0, 1.0) * f64::from(width)).round() as u16;
    filled.repeat(cells.into()) + &empty.repeat((width - cells).into())
}

const fn colour(mood: Mood) -> Color {
    match mood {
        Mood::Idle => Color::DarkGray,
        Mood::Answer => Color::Cyan,
        Mood::Finale => Color::Yellow,
    }
}

fn centred(area: Rect) -> Rect {
    let width = area.width.min(MAX_GAUGE_COLUMNS);
    Rect {
        x: area.x + (area.width - width) / 2,
        width,
        ..area
    }
}

/// Returns minutes and seconds.
fn clock(ms: u64) -> String {
    format!("{}:{:02}", ms / 60_000, ms / 1_000 % 60)
}

#[cfg(test)]
mod tests {
    use super::super::screen::tests::{connected, show};
    use super::*;
    use ratatui::{Terminal, backend::TestBackend};

    fn drawn(screen: &Screen, now_ms: u64, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, screen, now_ms)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn the_number_stands_large_above_its_caption() {
        let text = drawn(&connected(show(1)), 7_000, 60, 20);
        for part in [
            "quiz-stats · default",
            "live",
            "q quits",
            "question 1 of 1 · 93 % sure",
            "0:02 / 0:20",
            // A fifth of the finale, a tenth of the time.
            "████████████░░░",
            "━━━━━─────",
            // The top and the second row of a 2, twice as large.
            "████████████",
            "            ████",
        ] {
            assert!(text.contains(part), "no {part:?} in\n{text}");
        }
    }

    #[test]
    fn a_lost_connection_is_told_and_the_show_goes_on_from_what_is_known() {
        let mut screen = connected(show(1));
        screen.link = Link::Waiting {
            why: "connection lost".into(),
            until_ms: 9_000,
        };
        let text = drawn(&screen, 7_000, 80, 20);
        assert!(
            text.contains("connection lost · again in 2 s") && text.contains("question 1"),
            "{text}"
        );
    }

    #[test]
    fn any_size_is_drawn_without_panic() {
        let screen = connected(show(1));
        for width in (1..40).chain([300]) {
            for height in (1..30).chain([100]) {
                drawn(&screen, 7_000, width, height);
            }
        }
    }

    #[test]
    fn durations_read_like_a_clock() {
        assert_eq!(
            (clock(0), clock(61_999), clock(3_600_000)),
            ("0:00".into(), "1:01".into(), "60:00".into())
        );
    }
}
