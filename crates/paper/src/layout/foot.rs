//! What stands on every page: who sends it, which page it is of how many, where to fold. Readers pass it over.

use super::{Composer, Item, Page, SMALL, Style, Tone, Weight, leading};
use crate::{
    Word,
    font::Run,
    sheet::{Length, mm, pt},
};

const SHADOW: Style = Style { weight: Weight::Bold, size: pt(1100), tone: Tone::Shadow };
/// Most lines of the foot.
const LINES: usize = 4;
/// Room for the number of the page.
const NUMBER: Length = mm(350);

impl Composer<'_> {
    /// A word across a page that is not to be taken for one that counts.
    pub(super) fn watermark(&mut self) {
        if let Some(mark) = self.document.mark {
            let word = self.document.language.word(mark.word(self.document.kind)).to_uppercase();
            self.draw(Item::Watermark(self.fonts.set(word, SHADOW)));
        }
    }

    /// Head and foot of every page, when it is known how many there are.
    pub(super) fn feet(&mut self) {
        let (fonts, sheet, document) = (self.fonts, self.sheet, self.document);
        let width = sheet.right - sheet.left - NUMBER;
        let foot: Vec<Run> =
            fonts.wrap(&document.issuer.footer, SMALL, width).into_iter().take(LINES).collect();
        let again = format!("{} · {}", document.issuer.name, document.title());
        let again = fonts.wrap(&again, SMALL, sheet.right - sheet.left);
        let count = self.pages.len().to_string();
        for (number, page) in (1..).zip(&mut self.pages) {
            let mut draw = |at, run| page.items.push(Item::Text { at, run, part: None });
            for (line, run) in (0..).zip(&foot) {
                draw((sheet.left, sheet.foot + line * leading(SMALL)), run.clone());
            }
            let number_of = document.language.sentence(Word::Page, &[&usize::to_string(&number), &count]);
            let run = fonts.set(number_of, SMALL);
            draw((sheet.right - run.width, sheet.foot), run);
            if number > 1
                && let Some(run) = again.first()
            {
                draw((sheet.left, sheet.top + mm(30)), run.clone());
            }
            let at = (sheet.left, sheet.foot - mm(50));
            page.rule(at, sheet.right - sheet.left);
            for fold in sheet.folds {
                page.rule((mm(40), *fold), mm(40));
            }
        }
    }
}

impl Page {
    fn rule(&mut self, at: (Length, Length), width: Length) {
        self.items.push(Item::Rule { at, width, thickness: pt(3), tone: Tone::Rule });
    }
}
