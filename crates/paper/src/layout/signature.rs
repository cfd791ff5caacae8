//! What the recipient signs: a sentence over two lines to write on, never parted from each other by the end of a page.

use super::{Composer, Item, SMALL, TEXT, Tone, ascent, leading};
use crate::{
    Signature, Word,
    sheet::{Length, mm, pt},
    structure::{Part, Structure},
};

/// Above the sentence.
const ABOVE: Length = mm(60);
/// Room to write in.
const ROOM: Length = mm(180);
/// Between the two lines.
const GAP: Length = mm(100);

impl Composer<'_> {
    /// Where the recipient signs.
    pub(super) fn signature(&mut self) {
        let Some(signature) = self.document.signature else { return };
        let language = self.document.language;
        let sentence = language.word(match signature {
            Signature::Acceptance => Word::Acceptance,
            Signature::Receipt => Word::Receipt,
        });
        let (left, right) = (self.sheet.left, self.sheet.right);
        let sentence = self.fonts.wrap(sentence, TEXT, right - left);
        let written = leading(TEXT) * i64::try_from(sentence.len()).unwrap_or(1);
        if self.fits(ABOVE + written + ROOM + leading(SMALL)) {
            self.y += ABOVE;
        } else {
            self.break_page();
        }
        let part = self.structure.add(Structure::ROOT, Part::Paragraph);
        for run in sentence {
            self.text((left, self.y + ascent(TEXT)), run, Some(part));
            self.y += leading(TEXT);
        }
        self.y += ROOM;
        let width = (right - left - GAP) / 2;
        for (at, word) in [(left, Word::PlaceAndDate), (right - width, Word::NameAndSignature)] {
            self.draw(Item::Rule { at: (at, self.y), width, thickness: pt(5), tone: Tone::Ink });
            let part = self.structure.add(Structure::ROOT, Part::Paragraph);
            let label = self.fonts.set(language.word(word), SMALL);
            self.text((at, self.y + mm(10) + ascent(SMALL)), label, Some(part));
        }
        self.y += mm(10) + leading(SMALL);
    }
}
