//! Finding the template that matches a path: one map look-up per segment, literal before `*` before `**`.

use std::collections::HashMap;

use crate::template::{Segment, Template};

/// Most segments of a path that are looked at; longer ones match nothing but `**`.
const MAX_SEGMENTS: usize = 32;

/// Templates by segment, each leading to values `T`.
#[derive(Debug)]
pub struct Trie<T> {
    root: Node<T>,
}

#[derive(Debug)]
struct Node<T> {
    literals: HashMap<String, Node<T>>,
    one: Option<Box<Node<T>>>,
    here: Ends<T>,
    rest: Ends<T>,
}

/// What ends at a node, by verb.
type Ends<T> = HashMap<Option<String>, Vec<T>>;

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self { literals: HashMap::new(), one: None, here: HashMap::new(), rest: HashMap::new() }
    }
}

impl<T> Default for Trie<T> {
    fn default() -> Self {
        Self { root: Node::default() }
    }
}

impl<T> Trie<T> {
    /// Adds a value under a template; several may share one.
    pub fn insert(&mut self, template: &Template, value: T) {
        let mut node = &mut self.root;
        for segment in &template.segments {
            match segment {
                Segment::Literal(text) => node = node.literals.entry(text.clone()).or_default(),
                Segment::One => node = node.one.get_or_insert_default(),
                Segment::Rest => return node.rest.entry(template.verb.clone()).or_default().push(value),
            }
        }
        node.here.entry(template.verb.clone()).or_default().push(value);
    }

    /// Offers every value whose template matches to `take`, the most specific first, until it says `Some`.
    /// The segments are those of the undecoded path; `take` learns whether the end of the last one was read as a verb.
    pub fn find<R>(&self, segments: &[&str], take: &mut impl FnMut(&T, bool) -> Option<R>) -> Option<R> {
        if segments.len() > MAX_SEGMENTS {
            return None;
        }
        // A colon in the last segment may begin a verb, or be part of an id.
        if let Some((head, verb)) = segments.last().and_then(|last| last.rsplit_once(':')) {
            let mut shortened = [""; MAX_SEGMENTS];
            let shortened = &mut shortened[..segments.len()];
            shortened.copy_from_slice(segments);
            shortened[segments.len() - 1] = head;
            let verb = Some(verb.to_owned());
            let mut is_verb = false;
            let found = self.root.find(shortened, &verb, &mut |value| {
                is_verb = true;
                take(value, true)
            });
            // Where a template has the verb it is one, also when it has another HTTP method.
            if is_verb {
                return found;
            }
        }
        self.root.find(segments, &None, &mut |value| take(value, false))
    }
}

impl<T> Node<T> {
    fn find<R>(
        &self,
        segments: &[&str],
        verb: &Option<String>,
        take: &mut impl FnMut(&T) -> Option<R>,
    ) -> Option<R> {
        let mut offer = |ends: &Ends<T>| ends.get(verb)?.iter().find_map(&mut *take);
        let Some((segment, deeper)) = segments.split_first() else {
            return offer(&self.here).or_else(|| offer(&self.rest));
        };
        if let Some(found) = self.literals.get(*segment).and_then(|node| node.find(deeper, verb, take)) {
            return Some(found);
        }
        if !segment.is_empty()
            && let Some(found) = self.one.as_ref().and_then(|node| node.find(deeper, verb, take))
        {
            return Some(found);
        }
        self.rest.get(verb)?.iter().find_map(take)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(templates: &[&str], path: &str) -> Option<(usize, bool)> {
        let mut trie = Trie::default();
        for (index, template) in templates.iter().enumerate() {
            trie.insert(&Template::parse(template).expect("a template"), index);
        }
        let segments: Vec<_> = path.split('/').skip(1).collect();
        trie.find(&segments, &mut |index, is_verb| Some((*index, is_verb)))
    }

    #[test]
    fn a_literal_is_preferred_to_one_segment_and_that_to_the_rest() {
        let templates = ["/v1/**", "/v1/books/*", "/v1/books/new"];

        assert_eq!(find(&templates, "/v1/books/new"), Some((2, false)));
        assert_eq!(find(&templates, "/v1/books/7"), Some((1, false)));
        assert_eq!(find(&templates, "/v1/books/7/pages"), Some((0, false)));
        assert_eq!(find(&templates, "/v1"), Some((0, false)));
        assert_eq!(find(&templates, "/v2"), None);
    }

    #[test]
    fn a_dead_end_behind_a_literal_is_left_again() {
        assert_eq!(find(&["/v1/books/new/pages", "/v1/*/new"], "/v1/books/new"), Some((1, false)));
    }

    #[test]
    fn a_colon_is_a_verb_only_where_a_template_says_so() {
        let templates = ["/v1/members/*", "/v1/members/*:invite"];

        assert_eq!(find(&templates, "/v1/members/idp:ana"), Some((0, false)));
        assert_eq!(find(&templates, "/v1/members/idp:ana:invite"), Some((1, true)));
        assert_eq!(find(&templates, "/v1/members/ana:invite"), Some((1, true)));
    }

    #[test]
    fn one_segment_is_never_empty() {
        assert_eq!(find(&["/v1/books/*"], "/v1/books/"), None);
        assert_eq!(find(&["/v1/books"], "/v1/books/"), None);
    }
}
