//! The words themselves, lower case. A new language is a word more in each list.

/// "Question", as in "Question 3 of 10".
pub(in crate::extract) const QUESTION: [&str; 54] = [
    "question", "questions", "frage", "pregunta", "pergunta", "questão", "questao", "domanda", "vraag", "вопрос",
    "питання", "въпрос", "問題", "問", "问题", "题目", "第", "سؤال", "السؤال", "سوال", "שאלה", "प्रश्न", "প্রশ্ন", "ερώτηση",
    "fråga", "pytanie", "soru", "문제", "질문", "câu", "câu hỏi", "pitanje", "otázka", "otazka", "kérdés", "întrebarea",
    "întrebare", "kysymys", "spørgsmål", "spørsmål", "qüestió", "soal", "soalan", "pertanyaan", "nomor", "sual",
    "klausimas", "jautājums", "küsimus", "ข้อ", "vprašanje", "питање", "ερωτηση", "galdera",
];

/// What else stands in a badge: counts, points, states.
pub(super) const BADGE: [&str; 81] = [
    "题", "共", "单选题", "多选题", "判断题", "of", "max", "maximum", "von", "de", "sur", "di", "из", "van", "z", "out",
    "point", "points", "pt", "pts", "punkt", "punkte", "punkten", "punto", "puntos", "punti", "punt", "punten",
    "баллов", "балл", "балла", "mark", "marks", "marked", "erreichbare", "noté", "puntúa", "como", "not", "yet",
    "answered", "answer", "saved", "noch", "nicht", "beantwortet", "bisher", "sin", "responder", "aún", "se", "ha",
    "respondido", "non", "répondue", "pas", "encore", "répondu", "пока", "нет", "ответа", "flag", "flagged",
    "flagge", "markieren", "complete", "completed", "incomplete", "correct", "incorrect", "partially", "unanswered",
    "possible", "graded", "ungraded", "required", "q", "no", "nr", "№", "分",
];

/// Whole lines that only tell how to answer.
pub(super) const INSTRUCTIONS: [&str; 44] = [
    "select one", "select one or more", "choose one", "choose one answer", "choose at least one answer", "pick one",
    "single choice", "multiple choice", "select all that apply", "choose all that apply", "check all that apply",
    "tick all that apply", "mark only one oval", "one answer only", "true or false", "select an answer",
    "choose an answer", "select the correct answer", "choose the correct answer", "your answer", "answer",
    "multiple answers possible", "question", "group of answer choices", "wählen sie eine antwort",
    "wählen sie eine oder mehrere antworten", "bitte auswählen", "mehrfachauswahl", "einfachauswahl",
    "veuillez choisir une réponse", "veuillez choisir au moins une réponse", "seleccione una",
    "seleccione una o más de una", "elija una", "scegli un'alternativa", "escolha uma opção", "выберите один ответ",
    "выберите один или несколько ответов", "اختر واحدا", "اختر إجابة واحدة", "اختر واحدًا أو أكثر", "単一選択", "单选题",
    "多选题",
];

/// Beginnings and pieces that ask for a choice.
pub(super) const ASKING: [&str; 61] = [
    "which", "what", "who", "whom", "whose", "when", "where", "why", "how", "choose", "select", "identify", "find",
    "complete", "fill", "true or false", "calculate", "solve", "welche", "wer", "was ", "wie", "wann", "wo ",
    "warum", "wählen", "qué", "cuál", "quién", "cómo", "cuándo", "dónde", "elige", "seleccion", "quel", "quelle",
    "qui ", "que ", "comment", "combien", "choisi", "quale", "chi ", "come", "какой", "какая", "какие", "какое",
    "что", "кто", "сколько", "когда", "где", "выберите", "ما ", "أي", "من ", "ποι", "τι ", "कौन", "क्या",
];

/// Signs at the end of a question.
pub(super) const MARKS: [char; 7] = ['?', '？', '؟', ';', '՞', '⸮', '\u{37E}'];

/// What two options of a true-or-false question are.
pub(super) const TRUTHS: [(&str, &str); 18] = [
    ("true", "false"), ("t", "f"), ("wahr", "falsch"), ("richtig", "falsch"), ("vrai", "faux"),
    ("verdadero", "falso"), ("verdadeiro", "falso"), ("vero", "falso"), ("waar", "onwaar"), ("верно", "неверно"),
    ("правда", "ложь"), ("صح", "خطأ"), ("صواب", "خطأ"), ("נכון", "לא נכון"), ("正确", "错误"), ("正しい", "間違い"),
    ("सही", "गलत"), ("σωστό", "λάθος"),
];

/// Beginnings of lines that tell how to answer.
pub(super) const CHOOSE: [&str; 58] = [
    "select", "choose", "pick", "check", "tick", "mark", "click", "circle", "wähle", "wählen", "bitte wählen",
    "kreuze", "kreuzen", "markiere", "markieren", "selecciona", "seleccione", "elige", "elija", "marca", "marque",
    "escolha", "selecione", "assinale", "choisis", "choisissez", "cochez", "coche", "sélectionnez", "veuillez",
    "scegli", "seleziona", "segna", "отметьте", "отметь", "выберите", "выбери", "укажите", "seçiniz", "seçin",
    "işaretleyin", "işaretleyiniz", "اختر", "اختاري", "בחר", "בחרו", "选择", "請選擇", "请选择", "選択", "선택", "चुनिए", "सही",
    "επιλέξτε", "επίλεξε", "pilih", "odaberi", "vyber",
];

/// Words for answers in such lines.
pub(super) const ANSWERS: [&str; 44] = [
    "answer", "option", "apply", "choice", "alternative", "antwort", "respuesta", "opción", "opciones",
    "correspondan", "réponse", "proposition", "ответ", "вариант", "resposta", "alternativa", "opção", "opções",
    "risposta", "opzion", "cevap", "seçenek", "إجابة", "الإجابات", "إجابات", "واحد", "תשובה", "תשובות", "答案", "答え",
    "回答", "選択肢", "选项", "정답", "답을", "उत्तर", "विकल्प", "απάντηση", "απαντήσεις", "jawaban", "odgovor", "odpově",
    "odpowied", "antwoord",
];

/// Beginnings of what stands in brackets behind a question and tells how to answer it.
pub(super) const HOW: [&str; 40] = [
    "select all", "choose all", "check all", "tick all", "mark all", "select two", "select three", "choose two",
    "choose three", "pick two", "select one", "choose one", "select ", "choose ", "mehrere antworten", "mehrfach",
    "zwei antworten", "eine antwort", "mehrere richtig", "plusieurs réponses", "une seule réponse", "deux réponses",
    "choisissez", "elija", "elige", "selecciona", "seleccione", "varias respuestas", "scegli", "più risposte",
    "escolha", "selecione", "assinale", "выберите", "несколько ответов", "один ответ", "複数選択", "多选", "单选",
    "birden fazla",
];

/// What stands with an option and only says whether it is right, or was chosen.
pub(super) const VERDICTS: [&str; 22] = [
    "correct answer", "correct!", "you answered", "your answer:", "(correct)", "(correct answer)", "[correct]",
    "(richtig)", "(falsch)", "(incorrect)", "(wrong)", "(your answer)", "(right)", "✓", "✔", "✅", "❌", "✗", "✘", "☑",
    "(правильно)", "most voted",
];

/// What the picture beside an option says that is right.
pub(super) const RIGHT: [&str; 22] = [
    "correct", "right", "richtig", "верно", "правильно", "correcto", "correcta", "juste", "corretto", "corretta",
    "correto", "goed", "doğru", "poprawnie", "صحيح", "נכון", "正解", "正确", "točno", "správně", "σωστό", "benar",
];

/// What it says that is wrong.
pub(super) const WRONG: [&str; 22] = [
    "incorrect", "wrong", "falsch", "неверно", "неправильно", "incorrecto", "incorrecta", "errato", "sbagliato",
    "incorreto", "errado", "fout", "yanlış", "niepoprawnie", "خطأ", "שגוי", "不正解", "错误", "netočno", "špatně",
    "λάθος", "salah",
];

/// What scores are counted in.
pub(super) const POINTS: [&str; 16] = [
    "point", "pt", "mark", "punkt", "punt", "балл", "分", "درجة", "نقطة", "pont", "puan", "点", "점", "अंक", "μον",
    "bod",
];

/// Beginnings of lines that explain an answer.
pub(super) const EXPLANATIONS: [&str; 27] = [
    "explanation", "rationale", "feedback", "solution:", "hint:", "reference:", "source:", "erklärung", "begründung",
    "explicación", "justificación", "explication", "spiegazione", "explicação", "пояснение", "объяснение", "解析",
    "解説", "解答", "شرح", "التفسير", "הסבר", "व्याख्या", "εξήγηση", "açıklama", "comentario", "commentaire :",
];

/// What a question says that wants several options.
pub(super) const SEVERAL: [&str; 20] = [
    "choose two", "choose three", "select two", "select three", "choose all", "select all", "all that apply",
    "(two)", "pick two", "mehrere antworten", "zwei antworten", "mehrere richtig", "plusieurs réponses",
    "deux réponses", "dos respuestas", "varias respuestas", "выберите два", "несколько", "多选", "複数",
];
