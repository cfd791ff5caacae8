//! Where everything on a document stands. Pages are filled from the top; what does not fit begins the next one.

mod foot;
mod head;
mod signature;
mod sums;
mod table;

use krilla::image::Image;
use trato_types::{Error, Result};

use crate::{
    Document,
    font::{Fonts, Run, Style, Tone, Weight},
    sheet::{Length, Sheet, mm, pt},
    structure::{Part, PartId, Structure},
};

/// Type of text that is read.
const TEXT: Style = Style { weight: Weight::Regular, size: pt(90), tone: Tone::Ink };
/// The same for what is looked for.
const STRONG: Style = Style { weight: Weight::Bold, ..TEXT };
/// Type of what helps to read.
const QUIET: Style = Style { weight: Weight::Regular, size: pt(80), tone: Tone::Quiet };
/// Type of what is there for those who ask.
const SMALL: Style = Style { size: pt(70), ..QUIET };

/// From one line of text to the next.
const fn leading(style: Style) -> Length {
    style.size * 14 / 10
}

/// From the base line to the top of the capitals.
const fn ascent(style: Style) -> Length {
    style.size * 3 / 4
}

/// A laid out document.
pub struct Layout {
    /// Its pages.
    pub pages: Vec<Page>,
    /// What its parts are.
    pub structure: Structure,
}

/// What stands on a page.
#[derive(Default)]
pub struct Page {
    /// In the order in which it is drawn.
    pub items: Vec<Item>,
}

/// Something on a page.
pub enum Item {
    /// A line of text from its left end.
    Text {
        /// The left end of its base line.
        at: (Length, Length),
        /// The text.
        run: Run,
        /// What it belongs to; nothing for what repeats on every page.
        part: Option<PartId>,
    },
    /// A rule.
    Rule {
        /// Its left end.
        at: (Length, Length),
        /// How long.
        width: Length,
        /// How thick.
        thickness: Length,
        /// How dark.
        tone: Tone,
    },
    /// A picture.
    Picture {
        /// Its upper left corner.
        at: (Length, Length),
        /// Width and height.
        size: (Length, Length),
        /// The picture.
        image: Image,
        /// What it belongs to.
        part: PartId,
    },
    /// A word across the page, behind everything.
    Watermark(Run),
}

/// Lays out a document.
pub fn lay_out(document: &Document) -> Result<Layout> {
    let mut composer = Composer {
        document,
        fonts: Fonts::get()?,
        sheet: document.paper.sheet(),
        pages: vec![Page::default()],
        structure: Structure::new(),
        y: 0,
    };
    composer.watermark();
    composer.head()?;
    composer.introduction();
    composer.table();
    composer.sums();
    composer.payment();
    composer.notes();
    composer.signature();
    composer.feet();
    Ok(Layout { pages: composer.pages, structure: composer.structure })
}

/// Fills pages.
struct Composer<'a> {
    document: &'a Document,
    fonts: &'static Fonts,
    sheet: &'static Sheet,
    pages: Vec<Page>,
    structure: Structure,
    /// Where the next text begins, from above.
    y: Length,
}

impl Composer<'_> {
    fn draw(&mut self, item: Item) {
        if let Some(page) = self.pages.last_mut() {
            page.items.push(item);
        }
    }

    /// Text with its left end here.
    fn text(&mut self, at: (Length, Length), run: Run, part: Option<PartId>) {
        if !run.text.is_empty() {
            self.draw(Item::Text { at, run, part });
        }
    }

    /// Text with its right end here.
    fn text_to(&mut self, at: (Length, Length), run: Run, part: Option<PartId>) {
        let left = at.0 - run.width;
        self.text((left, at.1), run, part);
    }

    /// A rule from margin to margin.
    fn rule(&mut self, y: Length, thickness: Length, tone: Tone) {
        let width = self.sheet.right - self.sheet.left;
        self.draw(Item::Rule { at: (self.sheet.left, y), width, thickness, tone });
    }

    /// True when so much more has a place on this page.
    const fn fits(&self, height: Length) -> bool {
        self.y + height <= self.sheet.bottom
    }

    /// So much has a place on a page of its own.
    const fn fits_a_page(&self, height: Length) -> bool {
        self.sheet.next + height <= self.sheet.bottom
    }

    fn break_page(&mut self) {
        self.pages.push(Page::default());
        self.watermark();
        self.y = self.sheet.next;
    }

    /// A paragraph from margin to margin, over as many pages as it takes.
    fn paragraph(&mut self, text: &str, style: Style) {
        let lines = self.fonts.wrap(text, style, self.sheet.right - self.sheet.left);
        let part = self.structure.add(Structure::ROOT, Part::Paragraph);
        for run in lines {
            if !self.fits(leading(style)) {
                self.break_page();
            }
            let at = (self.sheet.left, self.y + ascent(style));
            self.text(at, run, Some(part));
            self.y += leading(style);
        }
        self.y += mm(15);
    }

    fn introduction(&mut self) {
        if !self.document.introduction.is_empty() {
            self.paragraph(&self.document.introduction, TEXT);
            self.y += mm(15);
        }
    }
}

impl Layout {
    /// The structure, and the pages without it.
    pub fn into_parts(self) -> (Vec<Page>, Structure) {
        (self.pages, self.structure)
    }
}

/// An error of ours in a picture that was checked before.
fn unreadable(error: crate::PaperError) -> Error {
    Error::internal(error)
}
