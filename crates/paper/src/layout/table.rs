//! The lines: a table whose head stands on every page again, and whose columns are as wide as what stands in them.

use super::{Composer, QUIET, SMALL, Style, TEXT, Tone, ascent, leading};
use crate::{
    Document, Line, Word,
    font::{Fonts, Run, Weight},
    sheet::{Length, mm, pt},
    structure::{Part, PartId, Structure},
};

const HEAD: Style = Style { weight: Weight::Bold, ..QUIET };
/// Between two columns.
const GAP: Length = mm(40);
/// Above and below a row.
const PADDING: Length = mm(14);
/// Least width of what a line is; before it becomes narrower, the type becomes smaller.
const LEAST: Length = mm(550);

/// A column.
struct Column {
    content: Content,
    head: String,
    /// Its left edge; what a line is, is set from here, everything else to the right edge.
    left: Length,
    right: Length,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Content {
    Position,
    Description,
    Quantity,
    UnitPrice,
    TaxRate,
    Amount,
}

impl Composer<'_> {
    /// All lines.
    pub(super) fn table(&mut self) {
        if self.document.lines.is_empty() {
            return;
        }
        let style = fitting(self.document, self.fonts, self.sheet.right - self.sheet.left);
        let columns = columns(self.document, self.fonts, style, (self.sheet.left, self.sheet.right));
        let table = self.structure.add(Structure::ROOT, Part::Table);
        let heads = self.structure.add(table, Part::Heads);
        let heads = self.structure.add(heads, Part::Row);
        let cells: Vec<_> = columns.iter().map(|_| self.structure.add(heads, Part::ColumnHead)).collect();
        self.heads(&columns, Some(cells.as_slice()));
        let rows = self.structure.add(table, Part::Rows);
        for (number, line) in (1..).zip(&self.document.lines) {
            let row = self.structure.add(rows, Part::Row);
            self.row(&columns, number, line, style, row);
        }
        self.y += mm(20);
    }

    /// The heads of the columns. Those on later pages only help the eye.
    fn heads(&mut self, columns: &[Column], parts: Option<&[PartId]>) {
        let y = self.y + ascent(HEAD);
        for (at, column) in columns.iter().enumerate() {
            let part = parts.and_then(|parts| parts.get(at).copied());
            let run = self.fonts.set(column.head.clone(), HEAD);
            if column.content == Content::Description {
                self.text((column.left, y), run, part);
            } else {
                self.text_to((column.right, y), run, part);
            }
        }
        self.y += leading(HEAD) + mm(6);
        self.rule(self.y, pt(8), Tone::Ink);
    }

    /// One line. It is kept together unless it is longer than a page.
    fn row(&mut self, columns: &[Column], number: usize, line: &Line, style: Style, row: PartId) {
        let width = columns.iter().find(|column| column.content == Content::Description);
        let width = width.map_or(LEAST, |column| column.right - column.left);
        let mut texts = self.fonts.wrap(&line.description, style, width);
        texts.extend(line.remarks.iter().flat_map(|remark| self.fonts.wrap(remark, SMALL, width)));
        let height = 2 * PADDING + texts.iter().map(|run| leading(run.style)).sum::<Length>();
        if !self.fits(height) && (self.fits_a_page(height + mm(80)) || !self.fits(mm(300))) {
            self.break_table(columns);
        }
        let cells: Vec<_> = columns.iter().map(|_| self.structure.add(row, Part::Cell)).collect();
        let document = self.document;
        self.y += PADDING;
        let base = self.y + ascent(style);
        // Reading goes from left to right, so what stands beside the description is drawn when its first line is.
        let mut texts = texts.into_iter();
        for (column, part) in columns.iter().zip(&cells) {
            if column.content == Content::Description {
                let first = texts.next().unwrap_or_else(|| self.fonts.set("", style));
                self.text((column.left, base), first, Some(*part));
            } else {
                // A cell without anything in it would be none, and the ones after it in another column.
                let text = Some(column.content.text(document, number, line)).filter(|text| !text.is_empty());
                let run = self.fonts.set(text.unwrap_or_else(|| " ".to_owned()), style);
                self.text_to((column.right, base), run, Some(*part));
            }
        }
        self.y += leading(style);
        let place = columns.iter().zip(&cells).find(|(column, _)| column.content == Content::Description);
        if let Some((column, part)) = place {
            texts.for_each(|run| self.further(columns, column, run, *part));
        }
        self.y += PADDING;
        self.rule(self.y, pt(4), Tone::Rule);
    }

    /// A further line of what a line is.
    fn further(&mut self, columns: &[Column], column: &Column, run: Run, part: PartId) {
        if !self.fits(leading(run.style) + PADDING) {
            self.break_table(columns);
            self.y += PADDING;
        }
        let height = leading(run.style);
        self.text((column.left, self.y + ascent(run.style)), run, Some(part));
        self.y += height;
    }

    fn break_table(&mut self, columns: &[Column]) {
        self.break_page();
        self.heads(columns, None);
    }
}

impl Content {
    const ALL: [Self; 6] =
        [Self::Position, Self::Description, Self::Quantity, Self::UnitPrice, Self::TaxRate, Self::Amount];

    /// What stands in the column for a line.
    fn text(self, document: &Document, number: usize, line: &Line) -> String {
        let language = document.language;
        match self {
            Self::Position => number.to_string(),
            Self::Description => line.description.clone(),
            Self::Quantity => {
                let unit = language.unit(&line.unit, &line.quantity);
                let gap = if unit.is_empty() { "" } else { "\u{A0}" };
                format!("{}{gap}{unit}", language.decimal(&line.quantity))
            }
            Self::UnitPrice if line.unit_price.is_empty() => String::new(),
            Self::UnitPrice if line.price_per.is_empty() => {
                language.price(&line.unit_price, document.currency)
            }
            Self::UnitPrice => {
                let price = language.price(&line.unit_price, document.currency);
                format!("{price}\u{A0}/\u{A0}{}", language.decimal(&line.price_per))
            }
            Self::TaxRate => {
                let rates: Vec<_> = line.tax_rates.iter().map(|rate| language.percent(rate)).collect();
                rates.join(" + ")
            }
            Self::Amount => {
                line.amount.map(|amount| language.amount(amount, document.currency)).unwrap_or_default()
            }
        }
    }

    fn head(self, document: &Document) -> String {
        let word = match self {
            Self::Position => Word::Position,
            Self::Description => Word::Description,
            Self::Quantity => Word::Quantity,
            Self::UnitPrice => Word::UnitPrice,
            Self::TaxRate => Word::TaxRate,
            Self::Amount => Word::Amount,
        };
        document.language.sentence(word, &[document.currency.code()])
    }
}

/// Columns for which any line has something, each as wide as the widest that stands in it; what a line is has the rest.
fn columns(document: &Document, fonts: &Fonts, style: Style, (left, right): (Length, Length)) -> Vec<Column> {
    let mut edge = right;
    let mut columns: Vec<Column> = Vec::new();
    let widths = widths(document, fonts, style);
    for (content, width) in widths.iter().rev().filter(|(content, _)| *content != Content::Description) {
        if *content == Content::Position {
            continue;
        }
        columns.push(Column {
            content: *content,
            head: content.head(document),
            left: edge - width,
            right: edge,
        });
        edge -= width + GAP;
    }
    let position =
        widths.iter().find(|(content, _)| *content == Content::Position).map_or(0, |(_, width)| *width);
    let head = |content: Content| content.head(document);
    let start = left + position;
    columns.push(Column {
        content: Content::Description,
        head: head(Content::Description),
        left: start + GAP,
        right: edge,
    });
    columns.push(Column { content: Content::Position, head: head(Content::Position), left, right: start });
    columns.reverse();
    columns
}

/// How wide each column has to be; those for which no line has anything are left out.
fn widths(document: &Document, fonts: &Fonts, style: Style) -> Vec<(Content, Length)> {
    let width = |content: Content| {
        let texts = (1..).zip(&document.lines).map(|(number, line)| content.text(document, number, line));
        // The longest text is the widest one, near enough: figures have one width.
        let longest = texts.filter(|text| !text.is_empty()).max_by_key(|text| text.chars().count())?;
        let head = fonts.set(content.head(document), HEAD).width;
        let marks = style.size / 2;
        Some((content, head.max(fonts.set(longest, style).width + marks)))
    };
    Content::ALL.into_iter().filter_map(width).collect()
}

/// The largest type in which a line has room enough to say what it is.
fn fitting(document: &Document, fonts: &Fonts, width: Length) -> Style {
    let room = |style: &Style| {
        let taken: Length = widths(document, fonts, *style)
            .iter()
            .filter(|(content, _)| *content != Content::Description)
            .map(|(_, width)| width + GAP)
            .sum();
        width - taken >= LEAST
    };
    let sizes = [80, 70, 60].map(|size| Style { size: pt(size), ..TEXT });
    std::iter::once(TEXT).chain(sizes).find(room).unwrap_or(Style { size: pt(50), ..TEXT })
}
