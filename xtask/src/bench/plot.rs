//! Horizontal bars, as SVG by hand: for a document, on a light background or a dark one.

use std::fmt::Write as _;

/// Bars under a title.
pub(super) struct Chart {
    pub(super) title: String,
    /// Behind each value.
    pub(super) unit: String,
    pub(super) scale: Scale,
    pub(super) bars: Vec<Bar>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    Linear,
    /// From the power of ten below the least to that above the most.
    Logarithmic,
}

pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: f64,
    pub(super) whose: Whose,
    /// Where a mark stands.
    pub(super) budget: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Ours,
    Peer,
    /// What nobody can do without.
    Floor,
}

impl Whose {
    const fn class(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Peer => "peer",
            Self::Floor => "floor",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Ours => "these crates",
            Self::Peer => "others",
            Self::Floor => "the floor",
        }
    }
}

const WIDTH: f64 = 960.0;
/// Where the bars begin, and where the longest ends.
const LEFT: f64 = 330.0;
const RIGHT: f64 = 860.0;
const ROW: f64 = 24.0;

/// The viewer's background is kept; colors that hold on both are given, and better ones where it is known to be dark.
const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-size:15px;font-weight:600}.small{font-size:11px;fill:#57606a}
.ours{fill:#1f7a4d}.peer{fill:#c2601c}.floor{fill:#8c959f}.grid{stroke:#8c959f;stroke-opacity:.35}
.budget{stroke:#cf222e;stroke-width:2.5}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9198a1}.ours{fill:#3fb979}.peer{fill:#e8894a}.budget{stroke:#ff7b72}}";

pub(super) fn svg(charts: &[Chart]) -> String {
    let mut body = String::new();
    let mut top = 0.0;
    for chart in charts {
        top = chart.draw(&mut body, top) + 24.0;
    }
    let titles: Vec<&str> = charts.iter().map(|chart| chart.title.as_str()).collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {top}\" width=\"{WIDTH}\" role=\"img\" \
         aria-label=\"{}\">\n<style>{STYLE}</style>\n{body}</svg>\n",
        escaped(&titles.join("; "))
    )
}

impl Chart {
    /// Below `top`; says where it ends.
    fn draw(&self, svg: &mut String, top: f64) -> f64 {
        let mut put = |text: String| {
            svg.push_str(&text);
            svg.push('\n');
        };
        let title = escaped(&self.title);
        put(format!(
            "<text class=\"title\" x=\"16\" y=\"{}\">{title}</text>",
            top + 28.0
        ));
        for text in self.legend(top + 48.0) {
            put(text);
        }
        let first = top + 64.0;
        let bottom = first + ROW * self.bars.len() as f64 + 4.0;
        let axis = self.axis();
        for tick in axis.ticks() {
            let x = axis.place(tick);
            put(format!(
                "<path class=\"grid\" d=\"M{x:.1} {first}V{bottom}\"/>"
            ));
            let label = figure(tick);
            let y = bottom + 14.0;
            put(format!(
                "<text class=\"small\" x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{label}</text>"
            ));
        }
        for (place, bar) in self.bars.iter().enumerate() {
            let y = first + ROW * place as f64 + 4.0;
            let (end, class) = (axis.place(bar.value), bar.whose.class());
            let (width, text_y) = ((end - LEFT).max(1.0), y + 13.0);
            let label = escaped(&bar.label);
            put(format!(
                "<text x=\"{}\" y=\"{text_y}\" text-anchor=\"end\">{label}</text>",
                LEFT - 8.0
            ));
            put(format!(
                "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"17\" rx=\"2\"/>"
            ));
            let mut value_at = LEFT + width;
            if let Some(budget) = bar.budget {
                let x = axis.place(budget);
                put(format!(
                    "<path class=\"budget\" d=\"M{x:.1} {}V{}\"/>",
                    y - 3.0,
                    y + 20.0
                ));
                // The figure would be written over the mark.
                if (value_at - 4.0..value_at + 70.0).contains(&x) {
                    value_at = x;
                }
            }
            let (value, unit) = (figure(bar.value), escaped(&self.unit));
            put(format!(
                "<text x=\"{:.1}\" y=\"{text_y}\">{value} {unit}</text>",
                value_at + 6.0
            ));
        }
        bottom + 18.0
    }

    /// The colors that occur, and the mark.
    fn legend(&self, y: f64) -> Vec<String> {
        let mut texts = Vec::new();
        let mut x = 16.0;
        for whose in [Whose::Ours, Whose::Peer, Whose::Floor] {
            if self.bars.iter().any(|bar| bar.whose == whose) {
                let (class, name) = (whose.class(), whose.name());
                let (box_y, text_x) = (y - 9.0, x + 14.0);
                texts.push(format!(
                    "<rect class=\"{class}\" x=\"{x}\" y=\"{box_y}\" width=\"10\" height=\"10\"/>\
                     <text class=\"small\" x=\"{text_x}\" y=\"{y}\">{name}</text>"
                ));
                x += 100.0;
            }
        }
        if self.bars.iter().any(|bar| bar.budget.is_some()) {
            let (from, to, text_x) = (y - 11.0, y + 3.0, x + 10.0);
            texts.push(format!(
                "<path class=\"budget\" d=\"M{x} {from}V{to}\"/>\
                 <text class=\"small\" x=\"{text_x}\" y=\"{y}\">the budget</text>"
            ));
        }
        texts
    }

    fn axis(&self) -> Axis {
        let values = self
            .bars
            .iter()
            .flat_map(|bar| [Some(bar.value), bar.budget]);
        let values: Vec<f64> = values.flatten().filter(|value| *value > 0.0).collect();
        let most = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let least = values.iter().copied().fold(most, f64::min);
        match self.scale {
            Scale::Linear => Axis {
                scale: self.scale,
                from: 0.0,
                to: most,
            },
            Scale::Logarithmic => Axis {
                scale: self.scale,
                // A decade below, so that the least has a bar that can be seen.
                from: least.log10().floor()
                    - if least.log10().fract() < 0.3 {
                        1.0
                    } else {
                        0.0
                    },
                to: most.log10().max(least.log10().floor() + 1.0),
            },
        }
    }
}

struct Axis {
    scale: Scale,
    from: f64,
    to: f64,
}

impl Axis {
    fn place(&self, value: f64) -> f64 {
        let value = match self.scale {
            Scale::Linear => value,
            Scale::Logarithmic => value.max(f64::MIN_POSITIVE).log10(),
        };
        let part = ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0);
        LEFT + part * (RIGHT - LEFT)
    }

    fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Logarithmic => {
                let decades = self.from.ceil() as i32..=self.to.floor() as i32;
                decades.map(|decade| 10_f64.powi(decade)).collect()
            }
            Scale::Linear => {
                // Of 1, 2 and 5 and their tenfolds, that of which there are four to ten.
                let rough = self.to / 5.0;
                let decade = 10_f64.powf(rough.log10().floor());
                let step = [1.0, 2.0, 5.0, 10.0]
                    .map(|part| part * decade)
                    .into_iter()
                    .find(|step| *step >= rough)
                    .unwrap_or(rough);
                let count = (self.to / step).floor() as u32;
                (0..=count).map(|tick| f64::from(tick) * step).collect()
            }
        }
    }
}

/// As many digits as a reader wants, with thousands apart.
pub(super) fn figure(value: f64) -> String {
    let size = value.abs();
    if size < 1000.0 {
        let digits = match size {
            0.0..10.0 => 3,
            10.0..100.0 => 2,
            _ => 1,
        };
        let text = format!("{value:.digits$}");
        let text = match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.'),
            false => &text,
        };
        return text.to_owned();
    }
    let digits = format!("{size:.0}");
    let mut text = String::from(if value < 0.0 { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '"' => escaped.push_str("&quot;"),
            other => write!(escaped, "{other}").expect("a string takes all that is written"),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(scale: Scale, values: &[f64], budget: Option<f64>) -> Chart {
        let bars = values.iter().map(|&value| Bar {
            label: "a & b".to_owned(),
            value,
            whose: Whose::Ours,
            budget,
        });
        Chart {
            title: "times <1>".to_owned(),
            unit: "ns".to_owned(),
            scale,
            bars: bars.collect(),
        }
    }

    #[test]
    fn a_bar_is_as_long_as_its_value_on_its_scale() {
        for (scale, value, place) in [
            (Scale::Linear, 50.0, LEFT + (RIGHT - LEFT) / 20.0),
            (Scale::Linear, 1000.0, RIGHT),
            (
                Scale::Logarithmic,
                50.0,
                LEFT + (RIGHT - LEFT) * (50_f64.log10() - 1.0) / 2.0,
            ),
            (Scale::Logarithmic, 1000.0, RIGHT),
        ] {
            let axis = chart(scale, &[50.0, 1000.0], None).axis();
            assert!(
                (axis.place(value) - place).abs() < 1e-9,
                "{scale:?} {value}"
            );
        }
    }

    #[test]
    fn a_budget_beyond_all_bars_is_on_the_picture() {
        let axis = chart(Scale::Linear, &[1.0], Some(4.0)).axis();
        assert_eq!(axis.place(4.0), RIGHT);
        assert_eq!(axis.ticks().last(), Some(&4.0));
    }

    #[test]
    fn the_text_of_others_is_no_markup() {
        let svg = svg(&[chart(Scale::Linear, &[1.0], Some(2.0))]);
        assert!(svg.contains("times &lt;1>") && svg.contains("a &amp; b"));
        assert_eq!(svg.matches("class=\"budget\"").count(), 2);
    }

    #[test]
    fn figures_have_the_digits_that_matter() {
        for (value, text) in [
            (0.0, "0"),
            (1.1504, "1.15"),
            (20.0, "20"),
            (213.44, "213.4"),
            (12_681.4, "12,681"),
            (-1234.0, "-1,234"),
        ] {
            assert_eq!(figure(value), text);
        }
    }
}
