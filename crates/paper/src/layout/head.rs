//! The head of the first page: who sends it, to whom, and what it is.

use trato_types::{Address, Result};

use super::{Composer, Item, QUIET, SMALL, STRONG, Style, TEXT, Tone, Weight, ascent, leading, unreadable};
use crate::{
    Value,
    font::Run,
    sheet::{Length, mm, pt},
    structure::{Part, Structure},
};

const NAME: Style = Style { weight: Weight::Bold, size: pt(150), tone: Tone::Ink };
/// Sizes of the name in tenths of a point, the largest first, and the one of a name that fits in none of them.
const NAMES: [i64; 3] = [150, 120, 100];
const LEAST_NAME: i64 = 80;
const TITLE: Style = Style { weight: Weight::Bold, size: pt(180), tone: Tone::Ink };
const RECIPIENT: Style = Style { size: pt(100), ..TEXT };
/// Largest width and height of a logo.
const LOGO: (Length, Length) = (mm(700), mm(220));
/// From the left edge of the facts to what they are.
const VALUES: Length = mm(300);

impl Composer<'_> {
    /// Everything above the lines.
    pub(super) fn head(&mut self) -> Result<()> {
        self.logo()?;
        self.issuer();
        self.window();
        self.details();
        self.title();
        Ok(())
    }

    /// The logo; where there is none the name, which takes no more room than a logo does: below is the window.
    fn logo(&mut self) -> Result<()> {
        let issuer = &self.document.issuer;
        let (left, top) = (self.sheet.left, self.sheet.top);
        let Some(logo) = &issuer.logo else {
            let part = self.structure.add(Structure::ROOT, Part::Paragraph);
            let width = self.sheet.aside - left - mm(80);
            let height = |runs: &[Run]| -> Length { runs.iter().map(|run| leading(run.style)).sum() };
            let set = |size| self.fonts.wrap(&issuer.name, Style { size: pt(size), ..NAME }, width);
            let fitting = NAMES.into_iter().map(set).find(|runs| height(runs) <= LOGO.1);
            let mut y = top;
            for run in fitting.unwrap_or_else(|| set(LEAST_NAME)) {
                let style = run.style;
                self.text((left, y + ascent(style)), run, Some(part));
                y += leading(style);
            }
            return Ok(());
        };
        let image = logo.image().map_err(unreadable)?;
        let (width, height) = image.size();
        let (width, height) = (i64::from(width), i64::from(height));
        let by_width = (LOGO.0, (LOGO.0 * height / width).max(1));
        let by_height = ((LOGO.1 * width / height).max(1), LOGO.1);
        let size = if by_width.1 <= LOGO.1 { by_width } else { by_height };
        let part = self.structure.add(Structure::ROOT, Part::Figure(issuer.name.clone()));
        self.draw(Item::Picture { at: (left, top), size, image, part });
        Ok(())
    }

    /// Who makes it out, to the right of the logo; where there is none, the name stands there.
    fn issuer(&mut self) {
        let issuer = &self.document.issuer;
        let (width, mut y) = (self.sheet.right - self.sheet.aside, self.sheet.top);
        let name = if issuer.logo.is_some() { issuer.name.as_str() } else { "" };
        let mut runs = self.fonts.wrap(name, Style { size: QUIET.size, ..STRONG }, width);
        runs.retain(|run| !run.text.is_empty());
        let address = issuer.address.iter().flat_map(|address| self.address(address, true));
        let texts: Vec<String> = address.chain(issuer.identifiers.iter().cloned()).collect();
        runs.extend(texts.iter().flat_map(|text| self.fonts.wrap(text, QUIET, width)));
        // The facts beside the window begin below.
        let most = (self.sheet.details - mm(40) - y) / leading(QUIET);
        runs.truncate(usize::try_from(most).unwrap_or_default());
        if runs.is_empty() {
            return;
        }
        let part = self.structure.add(Structure::ROOT, Part::Paragraph);
        for run in runs {
            self.text((self.sheet.aside, y + ascent(QUIET)), ended(self, run), Some(part));
            y += leading(QUIET);
        }
    }

    /// What the window of the envelope shows.
    fn window(&mut self) {
        let (sheet, recipient) = (self.sheet, &self.document.recipient);
        let sender = self.sender();
        let width = sender.width.min(sheet.window_width);
        let at = (sheet.left, sheet.sender + mm(8));
        self.draw(Item::Rule { at, width, thickness: pt(3), tone: Tone::Rule });
        // It says again what the head says.
        self.text((sheet.left, sheet.sender), sender, None);

        let mut lines = vec![recipient.name.clone()];
        lines.extend(recipient.address.iter().flat_map(|address| self.address(address, false)));
        let part = self.structure.add(Structure::ROOT, Part::Paragraph);
        let set = |size: Length| -> Vec<Run> {
            let style = Style { size, ..RECIPIENT };
            lines.iter().flat_map(|line| self.fonts.wrap(line, style, sheet.window_width)).collect()
        };
        // The more lines there are, the closer they stand; all of them must be seen.
        let pitch = |runs: &[Run]| sheet.recipient_height / i64::try_from(runs.len() - 1).unwrap_or(1).max(1);
        let sizes = [100, 90, 80, 70, 60].map(pt);
        let fitting = sizes.into_iter().map(set).find(|runs| {
            let size = runs.first().map_or(0, |run| run.style.size);
            pitch(runs) >= size * 11 / 10
        });
        let runs = fitting.unwrap_or_else(|| set(pt(50)));
        let pitch = pitch(&runs).min(runs.first().map_or(0, |run| leading(run.style)));
        for (number, run) in (0..).zip(runs) {
            self.text((sheet.left, sheet.recipient + number * pitch), ended(self, run), Some(part));
        }
    }

    /// Who sends it, in one line that is cut to the width of the window.
    fn sender(&self) -> Run {
        let issuer = &self.document.issuer;
        let address = issuer.address.iter().flat_map(|address| self.address(address, true));
        let line = std::iter::once(issuer.name.clone()).chain(address).collect::<Vec<_>>().join(" · ");
        let mut runs = self.fonts.wrap(&line, SMALL, self.sheet.window_width).into_iter();
        runs.next().unwrap_or_else(|| self.fonts.set("", SMALL))
    }

    /// An address as it stands on an envelope. The country stands on it where it is another than the issuer's.
    fn address(&self, address: &Address, is_own: bool) -> Vec<String> {
        let mut lines = address.lines.clone();
        let own = self.document.issuer.address.as_ref().map(|own| own.country_code.as_str());
        let town = match address.country_code.as_str() {
            "US" | "CA" | "AU" => {
                let state = [address.region.as_str(), address.postal_code.as_str()];
                let state = state.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
                [address.locality.clone(), state]
                    .into_iter()
                    .filter(|part| !part.is_empty())
                    .collect::<Vec<_>>()
                    .join(", ")
            }
            _ => {
                let town = [address.postal_code.as_str(), address.locality.as_str()];
                let town = town.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
                let region = (!address.region.is_empty() && address.region != address.locality)
                    .then(|| format!(" ({})", address.region));
                town + region.as_deref().unwrap_or_default()
            }
        };
        lines.push(town);
        if !is_own && own != Some(address.country_code.as_str()) {
            lines.push(self.document.language.country(&address.country_code).to_uppercase());
        }
        lines.retain(|line| !line.trim().is_empty());
        lines
    }

    /// Number, days and references beside the window.
    fn details(&mut self) {
        let (document, sheet) = (self.document, self.sheet);
        if document.details.is_empty() {
            return;
        }
        let table = self.structure.add(Structure::ROOT, Part::Table);
        let mut y = sheet.details;
        for detail in &document.details {
            let row = self.structure.add(table, Part::Row);
            let head = self.structure.add(row, Part::RowHead);
            let cell = self.structure.add(row, Part::Cell);
            let value = match &detail.value {
                Value::Text(text) => text.clone(),
                Value::Date(date) => document.language.date(*date),
            };
            let label = self.fonts.set(document.language.word(detail.label), QUIET);
            self.text((sheet.aside, y), label, Some(head));
            let width = sheet.right - sheet.aside - VALUES;
            for run in self.fonts.wrap(&value, TEXT, width) {
                self.text((sheet.aside + VALUES, y), run, Some(cell));
                y += leading(TEXT);
            }
            y += mm(6);
        }
        self.y = y;
    }

    fn title(&mut self) {
        let title = self.document.title();
        let part = self.structure.add(Structure::ROOT, Part::Title(title.clone()));
        // Many facts push the title down.
        let mut y = self.sheet.title.max(self.y + mm(60));
        for run in self.fonts.wrap(&title, TITLE, self.sheet.right - self.sheet.left) {
            self.text((self.sheet.left, y), run, Some(part));
            y += leading(TITLE);
        }
        self.y = y - leading(TITLE) + mm(70);
    }
}

/// The line with a space at its end, which divides it from the next for those who do not see that it is one.
fn ended(composer: &Composer<'_>, run: Run) -> Run {
    if run.text.ends_with(' ') { run } else { composer.fonts.set(run.text + " ", run.style) }
}
