// Strings: every word on the stage, once per language. `?lang=de` picks one; otherwise the browser's language does.

const NBSP = "\u00a0";

const EN = {
  lang: "en",
  question: (n) => `Question ${n}`,
  ofTotal: (n) => `of ${n}`,
  answer: (n) => `Answer ${n}`,
  sure: (p) => `${p}${NBSP}% sure`,
  percent: (p) => `${p}${NBSP}%`,
  next: "Up next",
  startsSoon: "About to start",
  finale: "Finale",
  seconds: (n) => (n === 1 ? "second" : "seconds"),
  inSeconds: (n) => `in ${n}${NBSP}s`,
  standBy: "Stand by",
  waiting: "Waiting for the next show",
  waitingAnswer: "Working out the next answer",
  solving: (n) => (n === 1 ? "Working on 1 question" : `Working on ${n} questions`),
  channel: "Channel",
  noAnswer: (list) => (list.length === 1 ? `Question ${list[0]}: no answer, skipped` : `Questions ${list.join(", ")}: no answer, skipped`),
  more: (n) => `and ${n} more options`,
  summary: (answered) => (answered === 1 ? "1 question answered" : `${answered} questions answered`),
  skippedCount: (n) => `${n} without an answer`,
  average: (p) => `${p}${NBSP}% sure on average`,
  paused: "Paused",
  connecting: "Connecting",
  connected: "Connected",
  reconnecting: "Reconnecting",
  stopped: (code) => (code === 1008 ? "Not allowed on this channel" : `Connection ended (${code})`),
  announce: (question, answer, p) => `Question ${question}: answer ${answer}${p === null ? "" : `, ${p} % sure`}`,
};

const DE = {
  lang: "de",
  question: (n) => `Frage ${n}`,
  ofTotal: (n) => `von ${n}`,
  answer: (n) => `Antwort ${n}`,
  sure: (p) => `${p}${NBSP}% sicher`,
  percent: (p) => `${p}${NBSP}%`,
  next: "Als Nächstes",
  startsSoon: "Gleich geht es los",
  finale: "Finale",
  seconds: (n) => (n === 1 ? "Sekunde" : "Sekunden"),
  inSeconds: (n) => `in ${n}${NBSP}s`,
  standBy: "Bereit",
  waiting: "Warten auf die nächste Runde",
  waitingAnswer: "Die nächste Antwort entsteht",
  solving: (n) => (n === 1 ? "1 Frage in Arbeit" : `${n} Fragen in Arbeit`),
  channel: "Kanal",
  noAnswer: (list) => (list.length === 1 ? `Frage ${list[0]}: ohne Antwort, übersprungen` : `Fragen ${list.join(", ")}: ohne Antwort, übersprungen`),
  more: (n) => `und ${n} weitere Optionen`,
  summary: (answered) => (answered === 1 ? "1 Frage beantwortet" : `${answered} Fragen beantwortet`),
  skippedCount: (n) => `${n} ohne Antwort`,
  average: (p) => `im Mittel ${p}${NBSP}% sicher`,
  paused: "Pause",
  connecting: "Verbinden",
  connected: "Verbunden",
  reconnecting: "Verbindung wird erneuert",
  stopped: (code) => (code === 1008 ? "Kein Zugang zu diesem Kanal" : `Verbindung beendet (${code})`),
  announce: (question, answer, p) => `Frage ${question}: Antwort ${answer}${p === null ? "" : `, ${p} % sicher`}`,
};

/**
 * The strings of the first language that we have.
 * @param {...(string|null|undefined)} wanted language tags, the most wanted first
 * @returns {typeof EN}
 */
export function stringsFor(...wanted) {
  for (const tag of wanted) {
    if (/^de\b/i.test(tag ?? "")) return DE;
    if (/^en\b/i.test(tag ?? "")) return EN;
  }
  return EN;
}
