//! The structure of a document: what is a title, a table, a cell. Readers follow it instead of what is drawn.

use std::num::NonZeroU16;

use krilla::tagging::{Identifier, TableHeaderScope, Tag, TagGroup, TagTree};

/// What a part of a document is.
#[derive(Clone, Debug)]
pub enum Part {
    /// The whole.
    Document,
    /// The title of the whole, and what it says.
    Title(String),
    /// A paragraph.
    Paragraph,
    /// A picture, and what it shows.
    Figure(String),
    /// A table.
    Table,
    /// The heads of its columns.
    Heads,
    /// Its rows.
    Rows,
    /// A row.
    Row,
    /// The head of a column.
    ColumnHead,
    /// The head of a row.
    RowHead,
    /// A cell.
    Cell,
}

/// Names a part.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PartId(usize);

/// All parts, each with those in it.
#[derive(Debug)]
pub struct Structure {
    parts: Vec<(Part, Vec<PartId>)>,
}

impl Structure {
    /// The part that holds all others.
    pub const ROOT: PartId = PartId(0);

    /// A document without parts.
    pub fn new() -> Self {
        Self { parts: vec![(Part::Document, Vec::new())] }
    }

    /// Puts a new part at the end of another one.
    pub fn add(&mut self, within: PartId, part: Part) -> PartId {
        let id = PartId(self.parts.len());
        self.parts.push((part, Vec::new()));
        if let Some((_, children)) = self.parts.get_mut(within.0) {
            children.push(id);
        }
        id
    }

    /// Places for what was drawn of each part.
    pub fn drawn(&self) -> Drawn {
        Drawn(vec![Vec::new(); self.parts.len()])
    }

    /// The tree with what was drawn of each part.
    pub fn into_tags(self, drawn: &Drawn, language: &str) -> TagTree {
        let mut tree = TagTree::new().with_lang(Some(language.to_owned()));
        if let Some((_, children)) = self.parts.first() {
            children.iter().for_each(|child| tree.push(self.group(*child, drawn)));
        }
        tree
    }

    fn group(&self, id: PartId, drawn: &Drawn) -> TagGroup {
        let (part, children) = &self.parts[id.0];
        let mut group = part.group();
        children.iter().for_each(|child| group.push(self.group(*child, drawn)));
        drawn.0[id.0].iter().for_each(|identifier| group.push(*identifier));
        group
    }
}

/// What was drawn, part by part.
#[derive(Debug)]
pub struct Drawn(Vec<Vec<Identifier>>);

impl Drawn {
    /// Notes that something of a part was drawn.
    pub fn note(&mut self, part: PartId, identifier: Identifier) {
        if let Some(identifiers) = self.0.get_mut(part.0) {
            identifiers.push(identifier);
        }
    }
}

impl Part {
    fn group(&self) -> TagGroup {
        match self {
            Self::Document => TagGroup::new(Tag::Part),
            Self::Title(title) => TagGroup::new(Tag::Hn(NonZeroU16::MIN, Some(title.clone()))),
            Self::Paragraph => TagGroup::new(Tag::P),
            Self::Figure(shows) => TagGroup::new(Tag::Figure(Some(shows.clone()))),
            Self::Table => TagGroup::new(Tag::Table),
            Self::Heads => TagGroup::new(Tag::THead),
            Self::Rows => TagGroup::new(Tag::TBody),
            Self::Row => TagGroup::new(Tag::TR),
            Self::ColumnHead => TagGroup::new(Tag::TH(TableHeaderScope::Column)),
            Self::RowHead => TagGroup::new(Tag::TH(TableHeaderScope::Row)),
            Self::Cell => TagGroup::new(Tag::TD),
        }
    }
}
