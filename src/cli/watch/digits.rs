//! Numbers large enough to read from the back of the room, drawn in blocks. Pure.

/// Rows of a digit before it is scaled.
const ROWS: usize = 5;
/// Columns of a digit before it is scaled; terminal cells are about twice as high as wide, so each counts double.
const COLUMNS: usize = 3;
/// Each digit row by row, three bits a row, the left column first.
const SHAPES: [[u8; ROWS]; 10] = [
    [0b111, 0b101, 0b101, 0b101, 0b111],
    [0b010, 0b110, 0b010, 0b010, 0b111],
    [0b111, 0b001, 0b111, 0b100, 0b111],
    [0b111, 0b001, 0b111, 0b001, 0b111],
    [0b101, 0b101, 0b111, 0b001, 0b001],
    [0b111, 0b100, 0b111, 0b001, 0b111],
    [0b111, 0b100, 0b111, 0b101, 0b111],
    [0b111, 0b001, 0b001, 0b010, 0b010],
    [0b111, 0b101, 0b111, 0b101, 0b111],
    [0b111, 0b101, 0b111, 0b001, 0b111],
];

/// Returns `number` as large as `width` columns and `height` rows allow; a single plain line when there is no room.
pub(super) fn lines(number: u32, width: u16, height: u16) -> Vec<String> {
    let text = number.to_string();
    // One empty column between digits.
    let columns = text.len() * (COLUMNS + 1) - 1;
    let scale = (usize::from(height) / ROWS).min(usize::from(width) / (columns * 2));
    if scale == 0 {
        return vec![text];
    }
    let row = |row: usize| {
        let digits = text
            .bytes()
            .map(|digit| SHAPES[usize::from(digit - b'0')][row]);
        let digit = |bits: u8| {
            let cells = (0..COLUMNS)
                .rev()
                .map(|bit| if bits >> bit & 1 == 1 { "█" } else { " " });
            cells.map(|cell| cell.repeat(2 * scale)).collect::<String>()
        };
        digits
            .map(digit)
            .collect::<Vec<_>>()
            .join(&" ".repeat(2 * scale))
    };
    (0..ROWS)
        .flat_map(|index| std::iter::repeat_n(row(index), scale))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_ten_looks_like_a_ten() {
        assert_eq!(
            lines(10, 20, 5),
            [
                "  ██    ██████",
                "████    ██  ██",
                "  ██    ██  ██",
                "  ██    ██  ██",
                "██████  ██████",
            ]
        );
    }

    #[test]
    fn without_room_it_is_plain() {
        assert_eq!(lines(7, 5, 5), ["7"]);
        assert_eq!(lines(7, 80, 4), ["7"]);
    }

    proptest! {
        #[test]
        fn it_never_leaves_its_room(number in 0_u32..1_000, width in 3_u16..300, height in 1_u16..100) {
            let lines = lines(number, width, height);
            prop_assert!(lines.len() <= usize::from(height));
            prop_assert!(lines.iter().all(|line| line.chars().count() <= usize::from(width)));
        }
    }
}
