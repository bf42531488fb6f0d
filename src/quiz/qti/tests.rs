use super::*;

const FORMER: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<questestinterop xmlns="http://www.imsglobal.org/xsd/ims_qtiasiv1p2">
 <assessment title="Quiz"><section>
  <item ident="i1" title="Capitals">
   <presentation>
    <material><mattext texttype="text/html">&lt;p&gt;Capital of &lt;b&gt;France&lt;/b&gt;?&lt;/p&gt;</mattext></material>
    <response_lid ident="r" rcardinality="Single"><render_choice>
     <response_label ident="a"><material><mattext>Rome</mattext></material></response_label>
     <response_label ident="b"><material><mattext>Paris</mattext></material></response_label>
    </render_choice></response_lid>
   </presentation>
   <resprocessing>
    <respcondition><conditionvar><other/></conditionvar><displayfeedback linkrefid="x"/></respcondition>
    <respcondition><conditionvar><varequal respident="r">a</varequal></conditionvar><setvar action="Set">25</setvar></respcondition>
    <respcondition><conditionvar><varequal respident="r">b</varequal></conditionvar><setvar action="Set">100</setvar></respcondition>
   </resprocessing>
  </item>
  <item ident="i2">
   <presentation><material><mattext>Primes?</mattext></material>
    <response_lid ident="r" rcardinality="Multiple"><render_choice>
     <response_label ident="1"><material><mattext>2</mattext></material></response_label>
     <response_label ident="2"><material><mattext>3</mattext></material></response_label>
     <response_label ident="3"><material><mattext>4</mattext></material></response_label>
    </render_choice></response_lid></presentation>
   <resprocessing><respcondition><conditionvar><and>
     <varequal respident="r">1</varequal><varequal respident="r">2</varequal><not><varequal respident="r">3</varequal></not>
   </and></conditionvar><setvar action="Set">100</setvar></respcondition></resprocessing>
  </item>
  <item ident="i3"><presentation><material><mattext>Write.</mattext></material><response_str ident="r"/></presentation></item>
 </section></assessment>
</questestinterop>"#;

const CURRENT: &str = r#"<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="choice" title="Unattended Luggage">
  <responseDeclaration identifier="RESPONSE" cardinality="single" baseType="identifier">
    <correctResponse><value>ChoiceA</value></correctResponse>
  </responseDeclaration>
  <itemBody>
    <p>Look at the text:</p><p><img src="sign.png" alt="NEVER LEAVE LUGGAGE UNATTENDED"/></p>
    <choiceInteraction responseIdentifier="RESPONSE" shuffle="false" maxChoices="1">
      <prompt>What does it say? 10<sup>2</sup></prompt>
      <simpleChoice identifier="ChoiceA">You must stay.<feedbackInline>Right!</feedbackInline></simpleChoice>
      <simpleChoice identifier="ChoiceB">Do not let <i>anybody</i> look.</simpleChoice>
    </choiceInteraction>
  </itemBody>
</assessmentItem>"#;

#[test]
fn the_former_version_is_read() {
    let parsed = parse(FORMER);
    assert_eq!(parsed.questions.len(), 2, "{:?}", parsed.problems);
    let [first, second] = &parsed.questions[..] else {
        panic!()
    };
    assert_eq!(
        (first.text.as_str(), first.id.as_deref()),
        ("Capital of France?", Some("Capitals"))
    );
    assert_eq!(
        (first.options.as_slice(), &first.correct),
        (&["Rome".to_owned(), "Paris".to_owned()][..], &Some(vec![2]))
    );
    assert_eq!(
        (second.kind, &second.correct, second.id.as_deref()),
        (Kind::Multiple, &Some(vec![1, 2]), Some("i2"))
    );
    assert_eq!(parsed.problems.len(), 1);
    assert!(
        parsed.problems[0]
            .to_string()
            .starts_with("line 29, column 3 wants a text"),
        "{}",
        parsed.problems[0]
    );
}

#[test]
fn the_current_version_is_read() {
    let parsed = parse(CURRENT);
    assert_eq!(parsed.problems, []);
    let question = &parsed.questions[0];
    assert_eq!(
        question.text,
        "Look at the text: [image: NEVER LEAVE LUGGAGE UNATTENDED] What does it say? 10^2"
    );
    assert_eq!(
        question.options,
        ["You must stay.", "Do not let anybody look."]
    );
    assert_eq!(
        (question.kind, &question.correct),
        (Kind::Single, &Some(vec![1]))
    );
}

#[test]
fn what_cannot_be_shown_is_told_and_nothing_panics() {
    for (text, told) in [
        ("<assessmentItem/>", "no itemBody"),
        (
            "<assessmentItem><itemBody><textEntryInteraction/></itemBody></assessmentItem>",
            "without options",
        ),
        (
            "<assessmentItem><itemBody><p>x</p></itemBody></assessmentItem>",
            "nothing to choose from",
        ),
        ("<questestinterop/>", "no QTI file with items"),
        (
            "<questestinterop><item/></questestinterop>",
            "no response_lid",
        ),
        ("<questestinterop><item>", "still open"),
    ] {
        let parsed = parse(text);
        assert!(
            parsed.questions.is_empty() && parsed.problems[0].problem.contains(told),
            "{text}: {:?}",
            parsed.problems
        );
    }
}
