//! Formulas as readable text: `x^2`, `H_2O`, `(a+b)/c`, `√2`. From TeX where a page has it, else from MathML.

use super::snapshot::Tree;

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 32;

/// Commands that are one character.
const SYMBOLS: [(&str, &str); 70] = [
    ("cdot", "·"),
    ("times", "×"),
    ("div", "÷"),
    ("pm", "±"),
    ("mp", "∓"),
    ("le", "≤"),
    ("leq", "≤"),
    ("ge", "≥"),
    ("geq", "≥"),
    ("ne", "≠"),
    ("neq", "≠"),
    ("approx", "≈"),
    ("equiv", "≡"),
    ("sim", "~"),
    ("infty", "∞"),
    ("to", "→"),
    ("rightarrow", "→"),
    ("leftarrow", "←"),
    ("Rightarrow", "⇒"),
    ("Leftrightarrow", "⇔"),
    ("rightleftharpoons", "⇌"),
    ("in", "∈"),
    ("notin", "∉"),
    ("subset", "⊂"),
    ("subseteq", "⊆"),
    ("cup", "∪"),
    ("cap", "∩"),
    ("emptyset", "∅"),
    ("forall", "∀"),
    ("exists", "∃"),
    ("neg", "¬"),
    ("land", "∧"),
    ("lor", "∨"),
    ("sum", "∑"),
    ("prod", "∏"),
    ("int", "∫"),
    ("partial", "∂"),
    ("nabla", "∇"),
    ("circ", "°"),
    ("degree", "°"),
    ("angle", "∠"),
    ("perp", "⊥"),
    ("parallel", "∥"),
    ("ldots", "…"),
    ("dots", "…"),
    ("cdots", "⋯"),
    ("alpha", "α"),
    ("beta", "β"),
    ("gamma", "γ"),
    ("delta", "δ"),
    ("epsilon", "ε"),
    ("varepsilon", "ε"),
    ("theta", "θ"),
    ("lambda", "λ"),
    ("mu", "μ"),
    ("nu", "ν"),
    ("pi", "π"),
    ("rho", "ρ"),
    ("sigma", "σ"),
    ("tau", "τ"),
    ("phi", "φ"),
    ("varphi", "φ"),
    ("omega", "ω"),
    ("Gamma", "Γ"),
    ("Delta", "Δ"),
    ("Theta", "Θ"),
    ("Sigma", "Σ"),
    ("Phi", "Φ"),
    ("Omega", "Ω"),
    ("prime", "′"),
];
/// Commands that only change how their argument looks.
const DRESS: [&str; 14] = [
    "text",
    "mathrm",
    "mathbf",
    "mathit",
    "mathbb",
    "mathcal",
    "operatorname",
    "textbf",
    "textit",
    "vec",
    "bar",
    "overline",
    "hat",
    "ce",
];

/// Returns TeX as readable text.
pub(super) fn tex(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut reader = Reader {
        chars: &chars,
        at: 0,
    };
    let text = reader.sequence(0);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

struct Reader<'a> {
    chars: &'a [char],
    at: usize,
}

impl Reader<'_> {
    fn sequence(&mut self, depth: usize) -> String {
        let mut text = String::new();
        while let Some(&c) = self.chars.get(self.at) {
            if c == '}' {
                break;
            }
            if matches!(c, '^' | '_') {
                self.at += 1;
                let raised = self.argument(depth);
                if c == '^' && matches!(raised.as_str(), "°" | "′") {
                    text += &raised;
                } else {
                    text.push(c);
                    text += &wrapped(&raised);
                }
            } else {
                text += &self.item(depth);
            }
        }
        text
    }

    /// Reads one character, group or command.
    fn item(&mut self, depth: usize) -> String {
        let Some(&c) = self.chars.get(self.at) else {
            return String::new();
        };
        self.at += 1;
        match c {
            '{' => {
                let inner = match depth < MAX_DEPTH {
                    true => self.sequence(depth + 1),
                    false => String::new(),
                };
                // Over the brace, if there is one.
                self.at += 1;
                inner
            }
            '\\' => self.command(depth),
            '~' | '&' => " ".to_owned(),
            '-' => "-".to_owned(),
            c => c.to_string(),
        }
    }

    fn argument(&mut self, depth: usize) -> String {
        while self.chars.get(self.at) == Some(&' ') {
            self.at += 1;
        }
        self.item(depth).trim().to_owned()
    }

    fn command(&mut self, depth: usize) -> String {
        let start = self.at;
        while self
            .chars
            .get(self.at)
            .is_some_and(char::is_ascii_alphabetic)
        {
            self.at += 1;
        }
        let name: String = self.chars[start..self.at].iter().collect();
        match name.as_str() {
            "" => {
                let c = self.chars.get(self.at).copied().unwrap_or(' ');
                self.at += 1;
                match c {
                    ',' | ';' | ':' | '!' | ' ' | '\\' => " ".to_owned(),
                    '(' | ')' | '[' | ']' => String::new(),
                    c => c.to_string(),
                }
            }
            "frac" | "dfrac" | "tfrac" => {
                let (over, under) = (self.argument(depth), self.argument(depth));
                format!("{}/{}", wrapped(&over), wrapped(&under))
            }
            "sqrt" => {
                let mut root = String::new();
                if self.chars.get(self.at) == Some(&'[') {
                    self.at += 1;
                    while let Some(&c) = self.chars.get(self.at) {
                        self.at += 1;
                        if c == ']' {
                            break;
                        }
                        root.push(c);
                    }
                }
                rooted(&root, &self.argument(depth))
            }
            "left" | "right" | "displaystyle" | "limits" | "big" | "Big" => {
                // `\left.` draws nothing.
                if self.chars.get(self.at) == Some(&'.') {
                    self.at += 1;
                }
                String::new()
            }
            "quad" | "qquad" => " ".to_owned(),
            name if DRESS.contains(&name) => self.argument(depth),
            name => match SYMBOLS.iter().find(|(known, _)| *known == name) {
                Some((_, symbol)) => (*symbol).to_owned(),
                // Functions such as \sin are their own names.
                None => format!("{name} "),
            },
        }
    }
}

/// Returns an operand in parentheses, unless it is one sign or number or has them already.
fn wrapped(text: &str) -> String {
    let text = text.trim();
    let plain = text.chars().count() <= 1
        || text.chars().all(|c| c.is_alphanumeric() || c == '.')
            && (text.chars().all(|c| c.is_ascii_digit() || c == '.')
                || text.chars().filter(|c| c.is_alphabetic()).count() <= 1)
        || (text.starts_with('(')
            && text.ends_with(')')
            && !text[1..text.len() - 1].contains(['(', ')']));
    match plain {
        true => text.to_owned(),
        false => format!("({text})"),
    }
}

fn rooted(root: &str, of: &str) -> String {
    let sign = match root.trim() {
        "" | "2" => "√".to_owned(),
        "3" => "∛".to_owned(),
        other => format!("{other}√"),
    };
    sign + &wrapped(of)
}

/// Returns what stands raised (`^`) or lowered (`_`) behind a sign, from `<sup>` and `<sub>`.
pub(super) fn raised(sign: char, text: &str, before: Option<char>) -> String {
    let text = text.trim();
    let ordinals = [
        "st", "nd", "rd", "th", "º", "ª", "o", "a", "er", "re", "e", "ème", "nd", "nde",
    ];
    let is_ordinal = ordinals.contains(&text) && before.is_some_and(|c| c.is_ascii_digit());
    let is_sign = ["°", "™", "®", "*", "†", "º", "ª"].contains(&text);
    if text.is_empty() || (sign == '^' && (is_ordinal || is_sign)) {
        return text.to_owned();
    }
    format!("{sign}{}", wrapped(text))
}

/// Returns a `<math>` element as readable text.
pub(super) fn mathml(tree: &Tree<'_>, math: usize) -> String {
    let notes = (math..tree.end(math)).find(|&at| {
        tree.tag(at) == "annotation" && tree.attribute(at, "encoding").contains("tex")
            || tree.tag(at) == "annotation" && tree.attribute(at, "encoding").is_empty()
    });
    if let Some(note) = notes {
        let source = raw(tree, note);
        if !source.trim().is_empty() {
            return tex(&source);
        }
    }
    let text = row(tree, math, 0);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns all text below a node.
pub(super) fn raw(tree: &Tree<'_>, at: usize) -> String {
    (at..tree.end(at))
        .map(|at| tree.node(at).text.as_str())
        .collect()
}

fn row(tree: &Tree<'_>, at: usize, depth: usize) -> String {
    let children = tree.children(at).iter();
    children.map(|&child| part(tree, child, depth)).collect()
}

fn part(tree: &Tree<'_>, at: usize, depth: usize) -> String {
    if depth > MAX_DEPTH {
        return String::new();
    }
    let of = |place: usize| {
        let elements = tree
            .children(at)
            .iter()
            .filter(|&&child| !tree.is_text(child));
        let child = elements.copied().nth(place);
        child.map_or_else(String::new, |child| {
            part(tree, child, depth + 1).trim().to_owned()
        })
    };
    match tree.tag(at) {
        "" => String::new(),
        "mi" | "mn" | "mtext" | "ms" => raw(tree, at).trim().to_owned(),
        "mo" => {
            match raw(tree, at).trim() {
                "\u{2061}" | "\u{2062}" | "\u{2063}" | "" => String::new(),
                "−" => " - ".to_owned(),
                sign @ ("=" | "+" | "-" | "<" | ">" | "≤" | "≥" | "≠" | "≈" | "→" | "⇌" | "×"
                | "±") => format!(" {sign} "),
                "," => ", ".to_owned(),
                other => other.to_owned(),
            }
        }
        "mfrac" => format!("{}/{}", wrapped(&of(0)), wrapped(&of(1))),
        "msqrt" => rooted("", row(tree, at, depth + 1).trim()),
        "mroot" => rooted(&of(1), &of(0)),
        "msup" => format!("{}^{}", of(0), wrapped(&of(1))),
        "msub" => format!("{}_{}", of(0), wrapped(&of(1))),
        "msubsup" => format!("{}_{}^{}", of(0), wrapped(&of(1)), wrapped(&of(2))),
        "mspace" => " ".to_owned(),
        "annotation" | "annotation-xml" => String::new(),
        "mfenced" => format!("({})", row(tree, at, depth + 1)),
        _ => row(tree, at, depth + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::snapshot::Snapshot, *};

    #[test]
    fn tex_is_readable() {
        for (source, text) in [
            ("x^2", "x^2"),
            (r"\frac{a}{b}", "a/b"),
            (r"\frac{a+b}{2}", "(a+b)/2"),
            (r"\sqrt{2}", "√2"),
            (r"\sqrt{x+1}", "√(x+1)"),
            (r"x^{n+1} \le \pi", "x^(n+1) ≤ π"),
            (r"\mathrm{H}_2\mathrm{O}", "H_2O"),
            (r"90^\circ", "90°"),
            (r"\left( \frac{1}{2} \right)", "( 1/2 )"),
            (r"\sin x", "sin x"),
            (r"10^{-3}", "10^(-3)"),
            (r"2x", "2x"),
        ] {
            assert_eq!(tex(source), text, "{source}");
        }
    }

    #[test]
    fn broken_tex_ends() {
        for source in [
            "{",
            "}",
            "\\",
            "\\frac",
            "\\sqrt[",
            "^",
            &"{".repeat(10_000),
            &"^{".repeat(10_000),
        ] {
            tex(source);
        }
    }

    #[test]
    fn mathml_is_readable() {
        let html = "<math><mfrac><mrow><mi>a</mi><mo>+</mo><mn>1</mn></mrow><mn>2</mn></mfrac><mo>=</mo><msup><mi>x</mi><mn>2</mn></msup></math>";
        let page = Snapshot::of_html(html, None);
        let math = page
            .nodes
            .iter()
            .position(|node| node.tag == "math")
            .unwrap();
        assert_eq!(mathml(&Tree::new(&page), math), "(a + 1)/2 = x^2");
    }
}
