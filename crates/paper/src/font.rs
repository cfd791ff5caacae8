//! The font, and text set in it: Noto Sans, which has Latin, Greek and Cyrillic, and figures of one width.

use std::sync::LazyLock;

use krilla::text::Font;
use rustybuzz::{Direction, Face, Feature, ShapePlan, UnicodeBuffer, script, ttf_parser::Tag};
use trato_types::{Error, Result};

use crate::sheet::Length;

/// How heavy text is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Weight {
    /// As text is.
    Regular,
    /// For what is looked for first.
    Bold,
}

/// How text is set.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// How heavy.
    pub weight: Weight,
    /// How large.
    pub size: Length,
    /// How dark.
    pub tone: Tone,
}

/// How dark something is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tone {
    /// What is read.
    Ink,
    /// What helps to read it.
    Quiet,
    /// Rules.
    Rule,
    /// What lies behind the text.
    Shadow,
}

/// One line of text, set.
#[derive(Clone, Debug)]
pub struct Run {
    /// The text.
    pub text: String,
    /// How it is set.
    pub style: Style,
    /// Its glyphs, from left to right.
    pub glyphs: Vec<Glyph>,
    /// How wide it is.
    pub width: Length,
}

/// A glyph, in units of the font.
#[derive(Clone, Copy, Debug)]
pub struct Glyph {
    /// Which one.
    pub id: u32,
    /// The bytes of the text it stands for.
    pub bytes: (usize, usize),
    /// How far to the next one.
    pub advance: i32,
    /// How far it is moved.
    pub offset: (i32, i32),
}

/// Both weights of the font.
pub struct Fonts {
    regular: Cut,
    bold: Cut,
}

/// One weight of the font.
struct Cut {
    font: Font,
    face: Face<'static>,
    plan: ShapePlan,
    replacement: u32,
}

static FONTS: LazyLock<Option<Fonts>> = LazyLock::new(|| {
    Some(Fonts { regular: Cut::read(notosans::REGULAR_TTF)?, bold: Cut::read(notosans::BOLD_TTF)? })
});

impl Fonts {
    /// The fonts of the program.
    pub fn get() -> Result<&'static Self> {
        FONTS.as_ref().ok_or_else(|| Error::internal("the font cannot be read"))
    }

    /// What a weight is drawn with.
    pub fn font(&self, weight: Weight) -> Font {
        self.cut(weight).font.clone()
    }

    /// Units of the font in the size of its type.
    pub fn units(&self, weight: Weight) -> i64 {
        i64::from(self.cut(weight).face.units_per_em())
    }

    /// Sets a line.
    pub fn set(&self, text: impl Into<String>, style: Style) -> Run {
        let text = meant(text.into());
        let glyphs = self.cut(style.weight).glyphs(&text);
        let width = self.width(&glyphs, style);
        Run { text, style, glyphs, width }
    }

    /// Sets lines no wider than this. A word that is wider is divided. There is at least one line.
    pub fn wrap(&self, text: &str, style: Style, width: Length) -> Vec<Run> {
        let lines = text.split('\n').flat_map(|line| self.lines(line, style, width));
        lines.map(|line| self.set(line, style)).collect()
    }

    fn lines(&self, text: &str, style: Style, width: Length) -> Vec<String> {
        let measure = |text: &str| self.width(&self.cut(style.weight).glyphs(text), style);
        let space = measure(" ");
        let (mut lines, mut line, mut filled) = (Vec::new(), String::new(), 0);
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let wide = measure(word);
            if !line.is_empty() && filled + space + wide > width {
                // The space at the end of a line divides the words for those who copy it or hear it read.
                lines.push(std::mem::take(&mut line) + " ");
                filled = 0;
            }
            if !line.is_empty() {
                line.push(' ');
                filled += space;
            }
            if wide <= width {
                line.push_str(word);
                filled += wide;
                continue;
            }
            for letter in word.chars() {
                let mut buffer = [0; 4];
                let wide = measure(letter.encode_utf8(&mut buffer));
                if filled + wide > width && filled > 0 {
                    lines.push(std::mem::take(&mut line));
                    filled = 0;
                }
                line.push(letter);
                filled += wide;
            }
        }
        lines.push(line);
        lines
    }

    fn width(&self, glyphs: &[Glyph], style: Style) -> Length {
        let units: i64 = glyphs.iter().map(|glyph| i64::from(glyph.advance)).sum();
        units * style.size / self.units(style.weight).max(1)
    }

    const fn cut(&self, weight: Weight) -> &Cut {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }
}

impl Cut {
    fn read(file: &'static [u8]) -> Option<Self> {
        let face = Face::from_slice(file, 0)?;
        // Ligatures save nothing here, and some readers do not take them apart.
        let features = [Feature::new(Tag::from_bytes(b"liga"), 0, ..)];
        let plan = ShapePlan::new(&face, Direction::LeftToRight, Some(script::LATIN), None, &features);
        let replacement = face.glyph_index(char::REPLACEMENT_CHARACTER)?;
        Some(Self { font: Font::new(file.into(), 0)?, replacement: replacement.0.into(), plan, face })
    }

    /// What is not in the font becomes a replacement character, and keeps its bytes.
    fn glyphs(&self, text: &str) -> Vec<Glyph> {
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        buffer.set_direction(Direction::LeftToRight);
        buffer.set_script(script::LATIN);
        let shaped = rustybuzz::shape_with_plan(&self.face, &self.plan, buffer);
        let (infos, positions) = (shaped.glyph_infos(), shaped.glyph_positions());
        let replacement = self.face.glyph_hor_advance(rustybuzz::ttf_parser::GlyphId(
            u16::try_from(self.replacement).unwrap_or_default(),
        ));
        let mut glyphs = Vec::with_capacity(infos.len());
        for (at, (info, position)) in infos.iter().zip(positions).enumerate() {
            let start = info.cluster as usize;
            let later = infos.get(at..).unwrap_or_default().iter().map(|info| info.cluster as usize);
            let end = later.into_iter().find(|cluster| *cluster > start).unwrap_or(text.len());
            let (id, advance) = match info.glyph_id {
                0 => (self.replacement, replacement.unwrap_or_default().into()),
                id => (id, position.x_advance),
            };
            let offset = (position.x_offset, position.y_offset);
            glyphs.push(Glyph { id, bytes: (start, end), advance, offset });
        }
        glyphs
    }
}

/// The text with replacement characters for what means nothing to anybody else: letters of private use, and marks of the order
/// of bytes. A file that is to be kept must not have them.
fn meant(text: String) -> String {
    let is_private = |letter: char| matches!(letter, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}' | '\u{FEFF}' | '\u{FFFE}' | '\0');
    if text.contains(is_private) { text.replace(is_private, "\u{FFFD}") } else { text }
}
