// Order: what the host typed, as the calls that the server understands. Pure.

/**
 * Which format a pasted quiz is in: as `Format::of_text` in `src/quiz/file.rs` decides for files.
 * @param {string} text
 * @returns {"JSON"|"GIFT"|"Aiken"|"Moodle XML"}
 */
export function formatOf(text) {
  if (/^\uFEFF?\s*<(\?xml|quiz|!--|!DOCTYPE)/i.test(text)) return "Moodle XML";
  // GIFT may begin with a bracket too: `[html]`.
  if (/^\uFEFF?\s*[{[]\s*(["{[}\]]|$)/.test(text)) return "JSON";
  return /^[ \t]*answer[ \t]*:/im.test(text) ? "Aiken" : "GIFT";
}

const TYPES = { GIFT: "text/x-gift", Aiken: "text/x-aiken", "Moodle XML": "application/vnd.moodle+xml" };

/**
 * The call that answers a pasted quiz and shows it.
 * @param {string} text
 * @param {string} channel
 * @returns {{path: string, type: string, body: string|object}}
 */
export function quizOrder(text, channel) {
  const format = formatOf(text);
  if (format !== "JSON") {
    return { path: `/api/analyze?channel=${encodeURIComponent(channel)}`, type: TYPES[format], body: text };
  }
  return { path: "/api/analyze", type: "application/json", body: withChannel(text, channel) };
}

// The show goes where the host is, whatever the file says. Text that is no JSON goes as it is: the server says what is wrong.
function withChannel(text, channel) {
  try {
    const quiz = JSON.parse(text);
    return Array.isArray(quiz) ? { questions: quiz, channel } : { ...quiz, channel };
  } catch {
    return text;
  }
}

/**
 * Answers in the order of the questions: numbers, and `-` for a question without one.
 * @param {string} text
 * @returns {{answers: (number|null)[], bad: string|null}} `bad`: the first word that is no answer
 */
export function readAnswers(text) {
  const words = text.split(/[\s,;]+/).filter(Boolean);
  const isNone = (word) => /^[-–—]$/.test(word);
  const bad = words.find((word) => !isNone(word) && !(/^\d{1,2}$/.test(word) && word >= 1 && word <= 26));
  return { answers: bad === undefined ? words.map((word) => (isNone(word) ? null : Number(word))) : [], bad: bad ?? null };
}
