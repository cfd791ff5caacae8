//! Prints documents to look at: `target/debug/examples/samples FOLDER [LOGO]`.

use std::{env, error::Error, fs, path::PathBuf};

use trato_paper::{
    Detail, Document, Issuer, Kind, Language, Line, Logo, Mark, Paper, Payment, Recipient, Signature, Sum,
    Value, Word,
};
use trato_types::{Address, Currency, Date, Minor};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("which folder?")?);
    let logo = match arguments.next() {
        Some(path) => Some(Logo::checked("logo", fs::read(path)?)?),
        None => None,
    };
    fs::create_dir_all(&folder)?;
    for (name, document) in samples(logo.as_ref())? {
        fs::write(folder.join(format!("{name}.pdf")), document.to_pdf()?)?;
    }
    Ok(())
}

fn samples(logo: Option<&Logo>) -> Result<Vec<(&'static str, Document)>, Box<dyn Error>> {
    let short = document(Language::Spanish, Paper::A4, lines(4, Language::Spanish))?;
    let long = document(Language::AmericanEnglish, Paper::Letter, lines(60, Language::English))?;
    let mut with_logo = short.clone();
    with_logo.issuer.logo = logo.cloned();
    let mut letter = document(Language::AmericanEnglish, Paper::Letter, lines(3, Language::English))?;
    letter.issuer.logo = logo.cloned();
    let mut draft = document(Language::English, Paper::A4, lines(2, Language::English))?;
    (draft.mark, draft.number, draft.payment) = (Some(Mark::Draft), String::new(), None);
    let mut credit = with_logo.clone();
    (credit.kind, credit.number, credit.payment) = (Kind::CreditNote, "R2026-0007".into(), None);
    credit.introduction = "Motivo: dos molinillos llegaron rotos".into();
    credit.details.push(Detail { label: Word::CreditedInvoice, value: Value::Text("F2026-0042".into()) });
    credit.lines.iter_mut().for_each(|line| line.unit_price.clear());
    let mut quote = with_logo.clone();
    offer(&mut quote);
    let mut long_quote = long.clone();
    offer(&mut long_quote);
    long_quote.recipient.name =
        "International Association of Hotel and Restaurant Owners of Springfield and Shelbyville, Inc."
            .into();
    long_quote.issuer.name =
        "Cafés y Maquinaria de Hostelería Hispania y Asociados, Sociedad Limitada".into();
    let mut one_line = document(Language::English, Paper::A4, lines(1, Language::English))?;
    offer(&mut one_line);
    (one_line.mark, one_line.number) = (Some(Mark::Draft), String::new());
    let mut delivery = short.clone();
    deliver(&mut delivery);
    let mut delivery_logo = letter.clone();
    deliver(&mut delivery_logo);
    let mut long_delivery = document(Language::Spanish, Paper::A4, lines(60, Language::Spanish))?;
    deliver(&mut long_delivery);
    long_delivery.mark = Some(Mark::Void);
    Ok(vec![
        ("short-es-a4", short),
        ("short-es-a4-logo", with_logo),
        ("short-en-letter-logo", letter),
        ("long-en-letter", long),
        ("draft-en-a4", draft),
        ("credit-es-a4-logo", credit),
        ("quote-es-a4-logo", quote),
        ("quote-long-en-letter", long_quote),
        ("quote-one-en-a4-draft", one_line),
        ("delivery-es-a4", delivery),
        ("delivery-en-letter-logo", delivery_logo),
        ("delivery-long-es-a4-void", long_delivery),
    ])
}

/// Makes a quote of it.
fn offer(document: &mut Document) {
    (document.kind, document.number, document.payment) = (Kind::Quote, "P2026-0107".into(), None);
    document.details.truncate(2);
    document.details[0].value = Value::Text(document.number.clone());
    document.details.insert(1, Detail { label: Word::Version, value: Value::Text("2".into()) });
    document.details.push(Detail { label: Word::ValidUntil, value: Value::Date(document.date) });
    let language = document.language;
    document.notes = vec![
        language.sentence(Word::PaymentTerms, &["30 días, 2 % a los 10 días"]),
        language.sentence(Word::DeliveryTerms, &["DAP (Incoterms 2020)"]),
    ];
    document.signature = Some(Signature::Acceptance);
    for line in &mut document.lines {
        line.remarks.push("Roble macizo × 2: 119,94".into());
    }
}

/// Makes a delivery note of it.
fn deliver(document: &mut Document) {
    (document.kind, document.number, document.payment) = (Kind::DeliveryNote, "A2026-0311".into(), None);
    document.sums.clear();
    document.details.truncate(2);
    document.details[0].value = Value::Text(document.number.clone());
    let order = [(Word::OrderNumber, "O2026-0815"), (Word::RecipientOrder, "PO-4711/26")];
    let order = order.map(|(label, text)| Detail { label, value: Value::Text(text.into()) });
    document.details.extend(order);
    document.details.push(Detail { label: Word::Promised, value: Value::Date(document.date) });
    document.notes = vec!["Llamar antes de la entrega: +34 910 000 000.".into()];
    document.signature = Some(Signature::Receipt);
    let language = document.language;
    for (at, line) in document.lines.iter_mut().enumerate() {
        (line.unit_price, line.tax_rates, line.amount) = (String::new(), Vec::new(), None);
        line.remarks = match at % 4 {
            0 => vec![language.sentence(Word::Serials, &["SN-2026-000123"])],
            1 => vec![language.sentence(Word::Lot, &["ET-26-11"])],
            _ => Vec::new(),
        };
    }
}

/// A thing, its unit, price of one and amount in cents.
const THINGS: [(&str, &str, &str, &str, &str, i64); 4] = [
    ("Cafetera de dos grupos", "Espresso machine with two groups", "1", "", "2450", 220_500),
    (
        "Café de Etiopía, tueste medio, en sacos de un kilo, recién tostado la semana del envío y con certificado de origen",
        "Coffee from Ethiopia, medium roast, in bags of one kilogram, roasted in the week of dispatch and with a \
         certificate of origin",
        "24.5",
        "kg",
        "18.755",
        45_950,
    ),
    ("Instalación y puesta en marcha", "Installation and first run", "3.5", "h", "64", 22_400),
    ("Molinillo", "Grinder", "2", "", "1189.9", 237_980),
];

fn lines(count: usize, language: Language) -> Vec<Line> {
    let things = THINGS.iter().cycle().take(count).enumerate();
    let line = |(at, (spanish, english, quantity, unit, price, amount)): (
        usize,
        &(&str, &str, &str, &str, &str, i64),
    )| {
        let is_spanish = language == Language::Spanish;
        let remark = if is_spanish {
            "Descuento 10 % · cliente fiel: −245,00"
        } else {
            "Discount 10% · loyal customer: −245.00"
        };
        Line {
            description: (if is_spanish { *spanish } else { *english }).into(),
            remarks: if at % 4 == 0 { vec![remark.into()] } else { Vec::new() },
            quantity: (*quantity).into(),
            unit: (*unit).into(),
            unit_price: (*price).into(),
            price_per: String::new(),
            tax_rates: vec![if at % 4 == 1 { "10" } else { "21" }.into()],
            amount: Some(Minor(*amount)),
        }
    };
    things.map(line).collect()
}

fn document(language: Language, paper: Paper, lines: Vec<Line>) -> Result<Document, Box<dyn Error>> {
    let day = |month, day| Date::from_ymd_opt(2026, month, day).ok_or("no day");
    let address = |lines: &[&str], postal_code: &str, locality: &str, country_code: &str| Address {
        lines: lines.iter().map(|line| (*line).into()).collect(),
        locality: locality.into(),
        region: if country_code == "US" { "IL".into() } else { String::new() },
        postal_code: postal_code.into(),
        country_code: country_code.into(),
    };
    let recipient = if paper == Paper::A4 {
        address(&["Paseo de la Concha 14", "2.ª planta, recepción"], "20007", "Donostia", "ES")
    } else {
        address(&["742 Evergreen Terrace", "Suite 300"], "62704", "Springfield", "US")
    };
    let lines_sum: i64 = lines.iter().filter_map(|line| Some(line.amount?.0)).sum();
    let (discount, tax) = (lines_sum / 50, (lines_sum - lines_sum / 50) * 21 / 100);
    let gross = Minor(lines_sum - discount + tax);
    Ok(Document {
        kind: Kind::Invoice,
        mark: None,
        number: "F2026-0042".into(),
        date: day(11, 30)?,
        language,
        paper,
        currency: Currency::parse(if paper == Paper::A4 { "EUR" } else { "USD" })?,
        issuer: Issuer {
            name: "Cafés Hispania S.L.".into(),
            address: Some(address(&["Calle Mayor 1"], "28013", "Madrid", "ES")),
            identifiers: vec!["NIF B12345674".into(), "NIF-IVA ESB12345674".into()],
            logo: None,
            footer: "Cafés Hispania S.L. · Registro Mercantil de Madrid, tomo 1234, folio 56, hoja M-7890\n\
                     facturas@hispania.example · +34 910 000 000"
                .into(),
        },
        recipient: Recipient { name: "Hotel Miramar & Hijos, S.A.".into(), address: Some(recipient) },
        details: vec![
            Detail { label: Word::Number, value: Value::Text("F2026-0042".into()) },
            Detail { label: Word::Date, value: Value::Date(day(11, 30)?) },
            Detail { label: Word::SupplyDate, value: Value::Date(day(11, 27)?) },
            Detail { label: Word::DueDate, value: Value::Date(day(12, 30)?) },
            Detail { label: Word::RecipientTaxId, value: Value::Text("ESA20000000".into()) },
        ],
        introduction: String::new(),
        lines,
        sums: vec![
            Sum::Lines(Minor(lines_sum)),
            Sum::Discount { percent: "2".into(), reason: String::new(), amount: Minor(discount) },
            Sum::Net(Minor(lines_sum - discount)),
            Sum::Tax {
                tax: "VAT".into(),
                percent: "21".into(),
                basis: Minor(lines_sum - discount),
                amount: Minor(tax),
                included: false,
            },
            Sum::Total(gross),
        ],
        payment: Some(Payment {
            amount: gross,
            due: Some(day(12, 30)?),
            iban: "ES9121000418450200051332".into(),
            bic: "CAIXESBBXXX".into(),
            reference: "F2026-0042".into(),
        }),
        notes: vec!["Los bienes siguen siendo propiedad de Cafés Hispania hasta su pago completo.".into()],
        signature: None,
    })
}
