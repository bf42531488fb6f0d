//! How keys are announced, lower case.

/// What stands before a key that is told in words.
pub(super) const TOLD: [&str; 65] = [
    "the correct answer is", "the correct answers are", "correct answer", "correct answers", "right answer",
    "answer key", "answer", "ans", "die richtige antwort ist", "die richtige antwort lautet",
    "die richtigen antworten sind", "richtige antwort", "antwort", "lösung", "la respuesta correcta es",
    "las respuestas correctas son", "respuesta correcta", "respuesta", "la réponse correcte est",
    "les réponses correctes sont", "bonne réponse", "réponse correcte", "réponse", "la risposta corretta è",
    "risposta corretta", "risposta", "правильный ответ", "правильные ответы", "ответ", "الإجابة الصحيحة", "正确答案",
    "答案", "正解", "σωστή απάντηση", "सही उत्तर", "उत्तर", "정답", "答え", "解答", "תשובה נכונה", "תשובה", "doğru cevap",
    "cevap", "kunci jawaban", "jawaban", "juiste antwoord", "antwoord", "resposta correta", "resposta",
    "správná odpověď", "odpověď", "prawidłowa odpowiedź", "odpowiedź", "правильна відповідь", "відповідь",
    "απάντηση", "الإجابة", "الجواب", "đáp án", "svar", "oikea vastaus", "vastaus", "helyes válasz", "răspuns corect",
    "răspuns",
];

/// Whole lines behind which a key stands.
pub(super) const REVEALS: [&str; 36] = [
    "show answer", "show the answer", "show answers", "show solution", "reveal answer", "view answer", "see answer",
    "answer", "solution", "antwort anzeigen", "lösung anzeigen", "antwort", "lösung", "ver respuesta",
    "mostrar respuesta", "respuesta", "voir la réponse", "réponse", "mostra risposta", "risposta", "показать ответ",
    "ответ", "ver resposta", "mostrar resposta", "resposta", "查看答案", "显示答案", "答案", "答えを見る", "解答", "정답 보기", "정답",
    "cevabı göster", "cevap", "उत्तर देखें", "उत्तर",
];

/// Headings of answer sheets.
pub(super) const SHEETS: [&str; 41] = [
    "answer key", "answer section", "answer sheet", "answers", "correct answers", "solutions", "key", "参考答案", "答案",
    "ответы", "правильные ответы", "ключ", "відповіді", "lösungen", "lösungsschlüssel", "antworten", "réponses",
    "corrigé", "respuestas", "soluciones", "clave de respuestas", "gabarito", "respostas", "risposte", "soluzioni",
    "解答", "正解", "정답", "उत्तरमाला", "उत्तर कुंजी", "الإجابات", "الأجوبة", "cevap anahtarı", "cevaplar", "odpovědi",
    "odpowiedzi", "kunci jawaban", "đáp án", "antwoorden", "απαντήσεις", "תשובות",
];
