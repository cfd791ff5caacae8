//! Units of measure by the codes of UN/ECE recommendation 20, which people rarely write.

use trato_einvoice::Unit;

/// What people write, in small letters, and the code of it.
const KNOWN: [(&str, &str); 51] = [
    ("", "C62"),
    ("u", "C62"),
    ("ud", "C62"),
    ("ud.", "C62"),
    ("uds", "C62"),
    ("uds.", "C62"),
    ("unidad", "C62"),
    ("unidades", "C62"),
    ("unit", "C62"),
    ("units", "C62"),
    ("pc", "C62"),
    ("pcs", "C62"),
    ("piece", "C62"),
    ("pieces", "C62"),
    ("pieza", "C62"),
    ("piezas", "C62"),
    ("h", "HUR"),
    ("hr", "HUR"),
    ("hour", "HUR"),
    ("hours", "HUR"),
    ("hora", "HUR"),
    ("horas", "HUR"),
    ("min", "MIN"),
    ("d", "DAY"),
    ("day", "DAY"),
    ("days", "DAY"),
    ("día", "DAY"),
    ("días", "DAY"),
    ("week", "WEE"),
    ("weeks", "WEE"),
    ("semana", "WEE"),
    ("semanas", "WEE"),
    ("month", "MON"),
    ("months", "MON"),
    ("mes", "MON"),
    ("meses", "MON"),
    ("year", "ANN"),
    ("years", "ANN"),
    ("año", "ANN"),
    ("años", "ANN"),
    ("kg", "KGM"),
    ("g", "GRM"),
    ("t", "TNE"),
    ("l", "LTR"),
    ("m", "MTR"),
    ("km", "KMT"),
    ("m2", "MTK"),
    ("m²", "MTK"),
    ("m3", "MTQ"),
    ("m³", "MTQ"),
    ("kwh", "KWH"),
];

/// The code of a unit; none of what is neither known nor has the form of a code.
pub fn code(unit: &str) -> Option<Unit> {
    let written = unit.trim().to_lowercase();
    let known = KNOWN.iter().find(|(known, _)| *known == written).map(|(_, code)| *code);
    known.unwrap_or(unit).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_has_a_code() {
        let written = |unit: &str| code(unit).map(|unit| unit.to_string());
        for (unit, expected) in [("", "C62"), ("h", "HUR"), ("KG", "KGM"), ("Día", "DAY"), ("MTQ", "MTQ")] {
            assert_eq!(written(unit).as_deref(), Some(expected), "{unit:?}");
        }
        assert_eq!(code("bags of ten"), None);
    }
}
