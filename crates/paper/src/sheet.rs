//! Sheets, and where on them everything has its place. Lengths are thousandths of a point, so that layout is whole numbers
//! and comes out alike everywhere.

/// A length in thousandths of a point.
pub type Length = i64;

/// Tenths of a millimetre.
pub const fn mm(tenths: i64) -> Length {
    tenths * 72_000 / 254
}

/// Tenths of a point.
pub const fn pt(tenths: i64) -> Length {
    tenths * 100
}

/// The paper a document is made for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Paper {
    /// 210 by 297 mm, with the window of DIN 5008, form B.
    #[default]
    A4,
    /// 8.5 by 11 inches, folded in three for the window of an envelope #10.
    Letter,
}

/// Where on a sheet everything has its place. Places of text are base lines.
#[derive(Debug)]
pub struct Sheet {
    /// Width and height.
    pub size: (Length, Length),
    /// Left edge of the text.
    pub left: Length,
    /// Right edge of the text.
    pub right: Length,
    /// Top of letterhead and logo.
    pub top: Length,
    /// The line that says who sends it, first in the window.
    pub sender: Length,
    /// First line of the recipient.
    pub recipient: Length,
    /// From there to the last line at most.
    pub recipient_height: Length,
    /// Widest line in the window.
    pub window_width: Length,
    /// Left edge of what stands to the right of the window.
    pub aside: Length,
    /// First line of the facts beside the window.
    pub details: Length,
    /// The title.
    pub title: Length,
    /// Top of the text on all pages but the first.
    pub next: Length,
    /// End of the text.
    pub bottom: Length,
    /// First line of the foot.
    pub foot: Length,
    /// Where it is folded.
    pub folds: &'static [Length],
}

/// The address field begins 45 mm from above and 20 mm from the left, and is 85 by 45 mm large; its last 27.3 mm are for the
/// recipient, from the tallest letter of the first line to the lowest of the last.
static A4: Sheet = Sheet {
    size: (mm(2100), mm(2970)),
    left: mm(250),
    right: mm(1900),
    top: mm(150),
    sender: mm(606),
    recipient: mm(665),
    recipient_height: mm(224),
    window_width: mm(780),
    aside: mm(1220),
    details: mm(540),
    title: mm(1090),
    next: mm(300),
    bottom: mm(2640),
    foot: mm(2745),
    folds: &[mm(1050), mm(2100)],
};

/// The window is 7/8 inch from the left, 1/2 inch from below and 4 1/2 by 1 1/8 inches large: on the upper third of the
/// sheet it shows what lies from 2.04 to 3.17 inches from above and from 7/8 to 5 3/8 inches from the left. What stands
/// beside it begins to the right of that, and has its room from the margin.
static LETTER: Sheet = Sheet {
    size: (pt(6120), pt(7920)),
    left: mm(254),
    right: mm(1981),
    top: mm(150),
    sender: mm(546),
    recipient: mm(595),
    recipient_height: mm(198),
    window_width: mm(900),
    aside: mm(1380),
    details: mm(540),
    title: mm(990),
    next: mm(300),
    bottom: mm(2460),
    foot: mm(2565),
    folds: &[],
};

impl Paper {
    /// Its sheet.
    pub(crate) fn sheet(self) -> &'static Sheet {
        match self {
            Self::A4 => &A4,
            Self::Letter => &LETTER,
        }
    }
}
