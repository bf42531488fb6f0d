//! A quiz as QTI 1.2.

use super::{Noted, xml, xml_comment};
use crate::quiz::{Kind, Question};

pub(super) fn quiz(questions: &[Noted<'_>]) -> String {
    let items: String = (1..)
        .zip(questions)
        .map(|(number, &(question, note))| item(number, question, note))
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<questestinterop xmlns=\"http://www.imsglobal.org/xsd/ims_qtiasiv1p2\">\n  \
         <assessment ident=\"quiz\" title=\"Quiz\">\n  <section ident=\"main\">\n{items}  </section>\n  </assessment>\n</questestinterop>\n"
    )
}

fn item(number: usize, question: &Question, note: Option<&str>) -> String {
    let note = note.map_or_else(String::new, |note| format!("    {}\n", xml_comment(note)));
    let several = question.kind == Kind::Multiple;
    let title = question.id.as_ref().map_or_else(String::new, |id| {
        format!(" ident=\"q{number}\" title=\"{}\"", xml(id))
    });
    let cardinality = if several { "Multiple" } else { "Single" };
    let labels = (1..).zip(&question.options).map(|(option, text)| {
        format!("            <response_label ident=\"o{option}\"><material><mattext>{}</mattext></material></response_label>\n", xml(text))
    });
    let labels: String = labels.collect();
    let wanted: String = question
        .correct
        .iter()
        .flatten()
        .map(|option| format!("<varequal respident=\"r\">o{option}</varequal>"))
        .collect();
    let wanted = if several {
        format!("<and>{wanted}</and>")
    } else {
        wanted
    };
    let processing = match question.correct {
        None => String::new(),
        Some(_) => format!(
            "      <resprocessing>\n        <outcomes><decvar varname=\"SCORE\" vartype=\"Decimal\" minvalue=\"0\" maxvalue=\"100\"/></outcomes>\n        \
             <respcondition continue=\"No\"><conditionvar>{wanted}</conditionvar><setvar action=\"Set\" varname=\"SCORE\">100</setvar></respcondition>\n      \
             </resprocessing>\n"
        ),
    };
    format!(
        "{note}    <item{title}>\n      <presentation>\n        <material><mattext>{}</mattext></material>\n        \
         <response_lid ident=\"r\" rcardinality=\"{cardinality}\">\n          <render_choice>\n{labels}          </render_choice>\n        \
         </response_lid>\n      </presentation>\n{processing}    </item>\n",
        xml(&question.text)
    )
}
