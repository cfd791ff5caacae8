//! Declared fields: what a caller may name, of which type it is, and in which column it lies.
//!
//! Fields are constants and their identifiers are checked when they are compiled, so nothing a caller sends can become
//! part of a statement's text.

/// The type of a field: which literals it takes and which column it lies in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Type {
    /// `text`; compared byte by byte (collation "C"). Absent when null or empty.
    Text,
    /// `text` that holds one of these names; has no order in a filter.
    Choice(&'static [&'static str]),
    /// `bigint`.
    Integer,
    /// `bigint` in minor units of a currency; the literal is that whole number, `10050` for 100.50 USD.
    Minor,
    /// `boolean`; the literals are `true` and `false`.
    Boolean,
    /// `date`; the literal is `2026-01-31`.
    Date,
    /// `timestamptz`; the literal is an RFC 3339 instant with at most six decimals of a second.
    Timestamp,
    /// `uuid`; the literal is the bare identifier.
    Uuid,
    /// `uuid` of a resource of this collection; the literal is its name, `accounts/{id}`.
    Reference(&'static str),
    /// `text` that holds a member's subject; the literal is `members/{subject}`.
    Member,
}

/// A field a caller may name in a filter, and in an order when it is sortable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Field {
    name: &'static str,
    column: &'static str,
    kind: Type,
    nullable: bool,
    sortable: bool,
    searchable: bool,
}

/// The fields every resource has.
pub const STANDARD: &[Field] = &[
    timestamp("create_time").sortable(),
    timestamp("update_time").sortable(),
    text("source").nullable(),
    text("external_id").nullable(),
];

/// The key that ends every order, so that no two rows are equal in it.
pub(crate) const ID: Field = uuid("id");

/// A text field.
pub const fn text(name: &'static str) -> Field {
    Field::new(name, Type::Text)
}
/// A field with one of these values, spelled as on the wire and in the column.
pub const fn choice(name: &'static str, values: &'static [&'static str]) -> Field {
    Field::new(name, Type::Choice(values))
}
/// A whole number.
pub const fn integer(name: &'static str) -> Field {
    Field::new(name, Type::Integer)
}
/// An amount of money in minor units.
pub const fn minor(name: &'static str) -> Field {
    Field::new(name, Type::Minor)
}
/// True or false.
pub const fn boolean(name: &'static str) -> Field {
    Field::new(name, Type::Boolean)
}
/// A civil date.
pub const fn date(name: &'static str) -> Field {
    Field::new(name, Type::Date)
}
/// An instant.
pub const fn timestamp(name: &'static str) -> Field {
    Field::new(name, Type::Timestamp)
}
/// An identifier that is no resource name, such as an event's.
pub const fn uuid(name: &'static str) -> Field {
    Field::new(name, Type::Uuid)
}
/// A reference to a resource of `collection`.
pub const fn reference(name: &'static str, collection: &'static str) -> Field {
    Field::new(name, Type::Reference(collection))
}
/// A reference to a member.
pub const fn member(name: &'static str) -> Field {
    Field::new(name, Type::Member)
}

impl Field {
    /// A dotted name (`person.given_name`) lies in the column of its last part unless [`Field::column`] says otherwise.
    const fn new(name: &'static str, kind: Type) -> Self {
        let column = last_part(name);
        assert!(is_name(name), "a field's name is lower-case words of letters, digits and _, joined by dots");
        Self { name, column, kind, nullable: false, sortable: false, searchable: false }
    }

    /// Says that the field lies in another column than its name does.
    #[must_use]
    pub const fn column(mut self, column: &'static str) -> Self {
        assert!(
            is_name(column) && last_part(column).len() == column.len(),
            "a column is one lower-case word"
        );
        self.column = column;
        self
    }

    /// Says that the column may be null. To leave this out where it may be null makes `!=` and pages lose rows.
    #[must_use]
    pub const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// Lets callers order by the field; an index on `(tenant_id, column, id)` should serve it, and a text
    /// column should be declared `collate "C"`, as texts, choices and members are sorted by their bytes. Such texts are
    /// short, as the last one of a page travels in the page token.
    #[must_use]
    pub const fn sortable(mut self) -> Self {
        self.sortable = true;
        self
    }

    /// Lets a bare literal (`acme`) look into this text field, as `field:"acme"` does.
    #[must_use]
    pub const fn searchable(mut self) -> Self {
        assert!(matches!(self.kind, Type::Text), "only a text field can be searched");
        self.searchable = true;
        self
    }

    /// The name callers use.
    pub const fn name(&self) -> &'static str {
        self.name
    }
    /// The column of the table.
    pub const fn column_name(&self) -> &'static str {
        self.column
    }
    /// The type.
    pub const fn kind(&self) -> Type {
        self.kind
    }
    /// True when the column may be null.
    pub const fn is_nullable(&self) -> bool {
        self.nullable
    }
    /// True when callers may order by the field.
    pub const fn is_sortable(&self) -> bool {
        self.sortable
    }
    /// True when bare literals look into the field.
    pub const fn is_searchable(&self) -> bool {
        self.searchable
    }
}

/// Finds a field by the name callers use.
pub(crate) fn find(fields: &[&'static [Field]], name: &str) -> Option<&'static Field> {
    fields.iter().flat_map(|set| set.iter()).find(|field| field.name == name)
}

/// The names for a message to a caller who used another one.
pub(crate) fn names(fields: &[&'static [Field]], wanted: impl Fn(&Field) -> bool) -> String {
    let names: Vec<&str> =
        fields.iter().flat_map(|set| set.iter()).filter(|field| wanted(field)).map(Field::name).collect();
    names.join(", ")
}

const fn last_part(name: &'static str) -> &'static str {
    let bytes = name.as_bytes();
    let mut start = bytes.len();
    while start > 0 && bytes[start - 1] != b'.' {
        start -= 1;
    }
    name.split_at(start).1
}

/// Words of lower-case letters, digits and `_`, none empty or beginning with a digit, joined by dots; 63 bytes at most,
/// PostgreSQL's limit.
const fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mut at = 0;
    let mut begins = true;
    while at < bytes.len() {
        match bytes[at] {
            b'a'..=b'z' | b'_' => begins = false,
            b'0'..=b'9' if !begins => {}
            b'.' if !begins => begins = true,
            _ => return false,
        }
        at += 1;
    }
    !begins && bytes.len() <= 63
}
