//! Words that speak for or against a quiz, lower case.

/// Words in class, id or role around controls that are there for something else.
pub(super) const ELSEWHERE: [&str; 36] = [
    "filtr", "comments", "comentario", "kommentar", "cookie", "consent", "gdpr", "filter", "facet", "search",
    "login", "signin", "signup", "register", "newsletter", "subscribe", "nav", "menu", "footer", "settings",
    "preference", "variant", "swatch", "cart", "checkout", "payment", "shipping", "delivery", "rating", "stars",
    "review-form", "captcha", "generator", "calculator", "helpful", "contact",
];

/// Words in class, id or role around the questions of quizzes.
pub(super) const QUIZ: [&str; 24] = [
    "quiz", "question", "exam", "assessment", "multichoice", "multiple-choice", "multiplechoice", "mcq", "h5p",
    "test-item", "problem", "trivia", "qti", "answers", "choicegroup", "que ", "freebird", "frage", "vraag", "fitb",
    "pregunta", "kviz", "soru", "qcm",
];

/// Options and labels of controls that ask a person about himself, or about what to do.
pub(super) const PERSONAL: [&str; 82] = [
    "mr", "mrs", "ms", "miss", "dr", "herr", "frau", "divers", "male", "female", "monsieur", "madame", "sr", "sra",
    "agree", "disagree", "satisfied", "likely", "often", "never", "rarely", "sometimes", "excellent", "poor",
    "standard", "express", "paypal", "visa", "mastercard", "klarna", "invoice", "monthly", "yearly", "daily",
    "weekly", "newest", "relevance", "remember", "newsletter", "accept", "allow", "decline", "necessary",
    "marketing", "analytics", "functional", "statistics", "subscribe", "email", "phone", "sms", "public", "private",
    "dark", "light", "xs", "xl", "small", "medium", "large", "full-time", "part-time", "uppercase", "lowercase",
    "numbers", "symbols", "pickup", "courier", "stars", "star", "terms", "gast", "guest", "满意", "一般", "不满意",
    "satisfait", "zufrieden", "weiblich", "männlich", "masculino", "femenino",
];

/// Questions that are put to a visitor, not to a learner.
pub(super) const TO_VISITORS: [&str; 54] = [
    "ordenar por", "trier par", "sortieren nach", "sorteren op", "ordina per", "сортировать", "how satisfied",
    "how likely", "how often do you", "how did you hear", "would you recommend", "do you agree", "do you accept",
    "was this", "helpful", "delivery", "payment", "shipping", "billing", "sort by", "filter", "theme", "language:",
    "gender", "salutation", "anrede", "size", "colour:", "color:", "quantity", "subscribe", "newsletter",
    "notification", "frequency:", "cookie", "privacy", "would you like", "do you want", "are you a", "are you over",
    "do you have", "do you smoke", "do you own", "your age", "your rating", "rate this", "rate your", "search in",
    "search for", "seat", "employment", "满意", "役立", "zufrieden",
];

/// Words that turn to the reader.
pub(super) const YOU: [&str; 24] = [
    "you", "your", "yourself", "sie", "ihre", "ihr", "ihnen", "du", "dein", "vous", "votre", "vos", "usted", "su",
    "tu", "вы", "вам", "ваш", "ваши", "voi", "você", "seu", "sizin", "siz",
];

/// What options say that only go along or not.
pub(super) const YES_AND_NO: [(&str, &str); 8] = [
    ("yes", "no"), ("ja", "nein"), ("oui", "non"), ("sí", "no"), ("si", "no"), ("да", "нет"), ("sim", "não"),
    ("evet", "hayır"),
];

/// What a page calls itself that wants opinions.
pub(super) const POLLS: [&str; 9] = [
    "poll", "survey", "umfrage", "encuesta", "sondage", "sondaggio", "опрос", "anket", "ankieta",
];
