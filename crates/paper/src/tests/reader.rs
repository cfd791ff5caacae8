//! What is seen on the pages of a file: each piece of text, and where it stands. Only the operators that place text are
//! followed; of those that the files of this crate do not have, the reader says so.

use std::collections::BTreeMap;

use lopdf::{Dictionary, Document as File, Encoding, Object, ObjectId, content::Content};

use super::read;

/// A page, in points.
pub struct Page {
    pub width: f32,
    pub height: f32,
    pub pieces: Vec<Piece>,
}

/// Text without a gap in it, and the box that its tallest and its lowest letter would fill, in points from the upper left
/// corner of the page.
#[derive(Clone, Debug)]
pub struct Piece {
    pub text: String,
    pub left: f32,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
    /// It belongs to the structure, or is named as what is passed over when the document is read aloud.
    pub is_marked: bool,
}

/// The pages of a file.
pub fn pages(pdf: &[u8]) -> Vec<Page> {
    let file = read(pdf);
    file.get_pages().into_values().map(|page| Pen::follow(&file, page)).collect()
}

/// Follows the drawing of a page.
struct Pen<'a> {
    fonts: BTreeMap<Vec<u8>, Font<'a>>,
    /// From the letters to the text, from the text to the page, and the latter as it was before.
    text: Matrix,
    page: Matrix,
    saved: Vec<Matrix>,
    font: Vec<u8>,
    size: f32,
    /// Parts of the structure that are open.
    open: usize,
    seen: Page,
}

impl<'a> Pen<'a> {
    fn follow(file: &'a File, page: ObjectId) -> Page {
        let sheet = file.get_dictionary(page).and_then(|page| page.get_deref(b"MediaBox", file));
        let sheet: Vec<f32> = sheet.and_then(Object::as_array).expect("a sheet").iter().map(number).collect();
        let fonts = file.get_page_fonts(page).expect("fonts").into_iter();
        let mut pen = Pen {
            fonts: fonts.map(|(name, font)| (name, Font::of(file, font))).collect(),
            text: Matrix::SAME,
            page: Matrix::SAME,
            saved: Vec::new(),
            font: Vec::new(),
            size: 0.0,
            open: 0,
            seen: Page { width: sheet[2], height: sheet[3], pieces: Vec::new() },
        };
        let content = Content::decode(&file.get_page_content(page)).expect("operators");
        for operation in &content.operations {
            pen.obey(&operation.operator, &operation.operands);
        }
        assert_eq!((pen.open, pen.saved.len()), (0, 0), "what is begun is ended");
        pen.seen
    }

    fn obey(&mut self, operator: &str, operands: &[Object]) {
        match operator {
            "q" => self.saved.push(self.page),
            "Q" => self.page = self.saved.pop().expect("a place to go back to"),
            "cm" => self.page = Matrix::of(operands).then(&self.page),
            "BDC" | "BMC" => self.open += 1,
            "EMC" => self.open -= 1,
            "BT" => self.text = Matrix::SAME,
            "Tm" => self.text = Matrix::of(operands),
            "Tf" => {
                self.font = operands[0].as_name().expect("the name of a font").to_vec();
                self.size = number(&operands[1]);
            }
            "Tj" => self.show(operands),
            "TJ" => self.show(operands[0].as_array().expect("text and gaps")),
            "Td" | "TD" | "T*" | "TL" | "Tc" | "Tw" | "Tz" | "Ts" | "'" | "\"" => {
                panic!("{operator} is not followed")
            }
            _ => {}
        }
    }

    /// Text, and how far back it is moved between.
    fn show(&mut self, items: &[Object]) {
        let font = &self.fonts[&self.font];
        let (mut text, mut advance) = (String::new(), 0.0);
        for item in items {
            match item {
                Object::String(codes, _) => {
                    text += &File::decode_text(&font.encoding, codes).expect("text");
                    advance += font.width(codes) * self.size;
                }
                back => advance -= number(back) / 1000.0 * self.size,
            }
        }
        let (top, bottom) = (font.ascent * self.size, font.descent * self.size);
        let place = self.text.then(&self.page);
        let corners = [[0.0, top], [advance, top], [0.0, bottom], [advance, bottom]];
        let corners = corners.map(|corner| place.apply(corner));
        let least = |axis: usize| corners.iter().map(|corner| corner[axis]).fold(f32::MAX, f32::min);
        let most = |axis: usize| corners.iter().map(|corner| corner[axis]).fold(f32::MIN, f32::max);
        let piece = Piece {
            text,
            left: least(0),
            top: self.seen.height - most(1),
            right: most(0),
            bottom: self.seen.height - least(1),
            is_marked: self.open > 0,
        };
        self.text = Matrix([[1.0, 0.0], [0.0, 1.0], [advance, 0.0]]).then(&self.text);
        match self.seen.pieces.last_mut() {
            Some(last) if last.goes_on_in(&piece) => last.append(piece),
            _ => self.seen.pieces.push(piece),
        }
    }
}

impl Piece {
    /// A line is drawn in several pieces where a glyph stands for more than one letter. Kerning moves them by less than a
    /// point; texts that have nothing to do with one another are further apart.
    fn goes_on_in(&self, other: &Self) -> bool {
        let is_on_line = |one: f32, other: f32| (one - other).abs() < 0.01;
        let follows = (self.right - other.left).abs() < 1.0;
        follows && is_on_line(self.top, other.top) && is_on_line(self.bottom, other.bottom)
    }

    fn append(&mut self, other: Self) {
        self.text += &other.text;
        self.right = other.right;
        self.is_marked &= other.is_marked;
    }
}

/// A font, its lengths in the size of its type.
struct Font<'a> {
    encoding: Encoding<'a>,
    widths: BTreeMap<i64, f32>,
    ascent: f32,
    descent: f32,
}

impl<'a> Font<'a> {
    fn of(file: &'a File, font: &'a Dictionary) -> Self {
        let glyphs = font.get_deref(b"DescendantFonts", file).and_then(Object::as_array);
        let (_, glyphs) = file.dereference(&glyphs.expect("glyphs")[0]).expect("glyphs");
        let glyphs = glyphs.as_dict().expect("glyphs");
        let about = glyphs.get_deref(b"FontDescriptor", file).and_then(Object::as_dict).expect("lengths");
        let length = |key: &[u8]| number(about.get(key).expect("a length")) / 1000.0;
        let widths = glyphs.get_deref(b"W", file).and_then(Object::as_array).expect("widths");
        Self {
            encoding: font.get_font_encoding(file).expect("an encoding"),
            widths: widths_of(widths),
            ascent: length(b"Ascent"),
            descent: length(b"Descent"),
        }
    }

    /// How far these glyphs lead, each of which has a code of two bytes.
    fn width(&self, codes: &[u8]) -> f32 {
        let codes = codes.chunks_exact(2).map(|code| i64::from(u16::from_be_bytes([code[0], code[1]])));
        codes.map(|code| self.widths.get(&code).copied().unwrap_or_default()).sum()
    }
}

/// The first glyph and the last, and the width of each of them.
fn widths_of(ranges: &[Object]) -> BTreeMap<i64, f32> {
    let mut widths = BTreeMap::new();
    for range in ranges.chunks(3) {
        let [first, last, width] = range else { panic!("{range:?} is no range of glyphs") };
        let glyph = |code: &Object| code.as_i64().expect("a glyph");
        widths.extend((glyph(first)..=glyph(last)).map(|code| (code, number(width) / 1000.0)));
    }
    widths
}

/// Where the two axes lead, and where the origin lies.
#[derive(Clone, Copy)]
struct Matrix([[f32; 2]; 3]);

impl Matrix {
    const SAME: Self = Self([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]);

    fn of(operands: &[Object]) -> Self {
        let at = |place: usize| number(&operands[place]);
        Self([[at(0), at(1)], [at(2), at(3)], [at(4), at(5)]])
    }

    /// This one first, and then the other.
    fn then(&self, other: &Self) -> Self {
        let turned = |axis: [f32; 2]| [0, 1].map(|to| axis[0] * other.0[0][to] + axis[1] * other.0[1][to]);
        Self([turned(self.0[0]), turned(self.0[1]), other.apply(self.0[2])])
    }

    fn apply(&self, point: [f32; 2]) -> [f32; 2] {
        [0, 1].map(|to| point[0] * self.0[0][to] + point[1] * self.0[1][to] + self.0[2][to])
    }
}

fn number(object: &Object) -> f32 {
    object.as_float().expect("a number")
}
