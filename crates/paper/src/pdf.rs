//! Draws what is laid out. This is the one place where lengths become the fractions that the library for PDF takes.

use chrono::Datelike as _;
use krilla::{
    Document as Pdf, SerializeSettings,
    color::rgb,
    configure::{Accessibility, Archival, Configuration, ConfigurationBuilder},
    destination::XyzDestination,
    embed::{AssociationKind, EmbeddedFile, MimeType},
    geom::{PathBuilder, Point, Rect, Size, Transform},
    image::Image,
    metadata::{DateTime, Metadata},
    num::NormalizedF32,
    outline::{Outline, OutlineNode},
    page::PageSettings,
    paint::{Fill, FillRule},
    surface::Surface,
    tagging::{Artifact, ArtifactType, ContentTag, SpanTag},
    text::{GlyphId, KrillaGlyph},
};
use trato_types::{Date, Error, Result};

use crate::{
    Attachment, Document, PaperError,
    font::{Fonts, Run, Tone},
    hybrid, layout,
    layout::{Item, Page},
    sheet::Length,
    structure::{Drawn, PartId},
};

impl Document {
    /// As PDF/A-3a and PDF/UA-1. The same document gives the same bytes.
    pub fn to_pdf(&self) -> Result<Vec<u8>> {
        self.print(None)
    }

    /// The same with an e-invoice inside, as Factur-X and ZUGFeRD have it.
    pub fn to_hybrid(&self, attachment: &Attachment) -> Result<Vec<u8>> {
        hybrid::declare(&self.print(Some(attachment))?)
    }

    fn print(&self, attachment: Option<&Attachment>) -> Result<Vec<u8>> {
        let (pages, structure) = layout::lay_out(self)?.into_parts();
        let mut pdf = Pdf::new_with(settings(configuration()?));
        let mut drawn = structure.drawn();
        let (width, height) = self.paper.sheet().size;
        for page in &pages {
            let sheet = PageSettings::from_wh(points(width), points(height));
            let mut target =
                pdf.start_page_with(sheet.ok_or_else(|| Error::internal("a sheet has no size"))?);
            let mut surface = target.surface();
            draw(&mut surface, page, (width, height), &mut drawn)?;
            surface.finish();
            target.finish();
        }
        pdf.set_tag_tree(structure.into_tags(&drawn, self.language.tag()));
        let mut outline = Outline::new();
        outline.push_child(OutlineNode::new(self.title(), XyzDestination::new(0, Point::from_xy(0.0, 0.0))));
        pdf.set_outline(outline);
        pdf.set_metadata(self.metadata());
        if let Some(attachment) = attachment {
            let embedded = pdf.embed_file(self.embedded(attachment));
            embedded.ok_or_else(|| Error::internal("a PDF has the same attachment twice"))?;
        }
        pdf.finish().map_err(|error| Error::internal(format!("{error:?}")))
    }

    fn metadata(&self) -> Metadata {
        Metadata::new()
            .title(self.title())
            .authors(vec![self.issuer.name.clone()])
            .language(self.language.tag().to_owned())
            .producer("Trato".to_owned())
            .creation_date(date_time(self.date))
    }

    fn embedded(&self, attachment: &Attachment) -> EmbeddedFile {
        EmbeddedFile {
            path: Attachment::FILE_NAME.to_owned(),
            mime_type: MimeType::new(Attachment::MEDIA_TYPE),
            description: Some(self.title()),
            association_kind: AssociationKind::Alternative,
            data: attachment.cii.clone().into(),
            modification_date: Some(date_time(self.date)),
            compress: Some(true),
            location: None,
        }
    }
}

/// INVALID when an image cannot be printed: it is printed here.
pub fn try_image(image: Image) -> Result<(), PaperError> {
    // Nothing is asked of the whole document, but everything of its colours and pictures.
    let configuration = ConfigurationBuilder::new().with_archival_validator(Archival::A3_B).finish();
    let mut pdf = Pdf::new_with(settings(configuration.map_err(|_| PaperError::NotAnImage)?));
    let page = PageSettings::from_wh(100.0, 100.0);
    let mut page = pdf.start_page_with(page.ok_or(PaperError::NotAnImage)?);
    let mut surface = page.surface();
    surface.draw_image(image, Size::from_wh(10.0, 10.0).ok_or(PaperError::NotAnImage)?);
    surface.finish();
    page.finish();
    pdf.set_metadata(Metadata::new().creation_date(DateTime::new(2000)));
    match pdf.finish() {
        Ok(_) => Ok(()),
        Err(krilla::error::KrillaError::Validation(_)) => Err(PaperError::ColoursUnsuited),
        Err(_) => Err(PaperError::NotAnImage),
    }
}

fn configuration() -> Result<Configuration> {
    ConfigurationBuilder::new()
        .with_archival_validator(Archival::A3_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|error| Error::internal(format!("{error:?}")))
}

fn settings(configuration: Configuration) -> SerializeSettings {
    SerializeSettings { configuration, enable_tagging: true, ..SerializeSettings::default() }
}

/// Noon would be another day somewhere; the first moment of the day in UTC is what a day is without a time.
fn date_time(date: Date) -> DateTime {
    let small = |number: u32| u8::try_from(number).unwrap_or_default();
    DateTime::new(u16::try_from(date.year()).unwrap_or_default())
        .month(small(date.month()))
        .day(small(date.day()))
        .hour(0)
        .minute(0)
        .second(0)
        .utc_offset_hour(0)
}

fn draw(surface: &mut Surface<'_>, page: &Page, size: (Length, Length), drawn: &mut Drawn) -> Result<()> {
    let fonts = Fonts::get()?;
    for item in &page.items {
        match item {
            Item::Text { at, run, part } => {
                tagged(surface, *part, drawn, SPAN, |surface| text(surface, fonts, *at, run));
            }
            Item::Rule { at, width, thickness, tone } => {
                let rect = Rect::from_xywh(points(at.0), points(at.1), points(*width), points(*thickness));
                let mut path = PathBuilder::new();
                if let Some(rect) = rect {
                    path.push_rect(rect);
                }
                if let Some(path) = path.finish() {
                    tagged(surface, None, drawn, SPAN, |surface| {
                        surface.set_fill(Some(fill(*tone)));
                        surface.draw_path(&path);
                    });
                }
            }
            Item::Picture { at, size, image, part } => {
                let Some(size) = Size::from_wh(points(size.0), points(size.1)) else { continue };
                tagged(surface, Some(*part), drawn, ContentTag::Other, |surface| {
                    surface.push_transform(&Transform::from_translate(points(at.0), points(at.1)));
                    surface.draw_image(image.clone(), size);
                    surface.pop();
                });
            }
            Item::Watermark(run) => {
                let (x, y) = (points(size.0 / 2), points(size.1 / 2));
                let at = ((size.0 - run.width) / 2, size.1 / 2 + run.style.size / 3);
                tagged(surface, None, drawn, SPAN, |surface| {
                    surface.push_transform(&Transform::from_rotate_at(-50.0, x, y));
                    text(surface, fonts, at, run);
                    surface.pop();
                });
            }
        }
    }
    Ok(())
}

const SPAN: ContentTag<'static> =
    ContentTag::Span(SpanTag { lang: None, alt_text: None, expanded: None, actual_text: None });

/// Draws something as what belongs to a part, or as what readers pass over.
fn tagged(
    surface: &mut Surface<'_>,
    part: Option<PartId>,
    drawn: &mut Drawn,
    tag: ContentTag<'_>,
    draw: impl FnOnce(&mut Surface<'_>),
) {
    let tag =
        if part.is_some() { tag } else { ContentTag::Artifact(Artifact::with_kind(ArtifactType::Other)) };
    let identifier = surface.start_tagged(tag);
    draw(surface);
    surface.end_tagged();
    if let Some(part) = part {
        drawn.note(part, identifier);
    }
}

fn text(surface: &mut Surface<'_>, fonts: &Fonts, at: (Length, Length), run: &Run) {
    let units = fonts.units(run.style.weight) as f32;
    let of_type = |length: i32| length as f32 / units;
    let glyphs = run.glyphs.iter().map(|glyph| {
        let (id, bytes) = (GlyphId::new(glyph.id), glyph.bytes.0..glyph.bytes.1);
        let (x, y) = (of_type(glyph.offset.0), of_type(glyph.offset.1));
        KrillaGlyph::new(id, of_type(glyph.advance), x, y, 0.0, bytes, None)
    });
    let glyphs: Vec<_> = glyphs.collect();
    let (at, font, size) =
        (Point::from_xy(points(at.0), points(at.1)), fonts.font(run.style.weight), run.style.size);
    surface.set_fill(Some(fill(run.style.tone)));
    surface.draw_glyphs(at, &glyphs, font, &run.text, points(size), false);
}

fn fill(tone: Tone) -> Fill {
    let (red, green, blue) = match tone {
        Tone::Ink => (24, 27, 33),
        Tone::Quiet => (92, 98, 108),
        Tone::Rule => (205, 209, 215),
        Tone::Shadow => (240, 241, 243),
    };
    Fill {
        paint: rgb::Color::new(red, green, blue).into(),
        opacity: NormalizedF32::ONE,
        rule: FillRule::NonZero,
    }
}

/// Thousandths of a point as points.
fn points(length: Length) -> f32 {
    length as f32 / 1000.0
}
