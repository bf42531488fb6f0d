// Strings: every word of the pages, from one JSON file per language below /assets/lang/. `?lang=de` picks one; otherwise
// the browser's languages do. An operator adds a file to a folder (docs/screens.md): no code knows which languages exist.

/** Pause before the words are asked for again, when the server went away between the page and them, in milliseconds. */
const AGAIN_MS = 1000;

/**
 * @typedef {((key: string, values?: Record<string, string|number>) => string) & {lang: string}} Say
 *   The text of a key, with its `{name}`s filled in. A key with plural forms goes by `values.n`.
 */

/**
 * @param {string} lang a language tag
 * @param {Record<string, string|Record<string, string>>} texts a text per key, or one per plural form
 * @returns {Say}
 */
export function sayer(lang, texts) {
  const plural = new Intl.PluralRules(lang);
  const say = (key, values = {}) => {
    const found = texts[key] ?? key; // a key on the screen is ugly, and tells what is missing
    const text = typeof found === "string" ? found : (found[plural.select(values.n)] ?? found.other);
    return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  };
  say.lang = lang;
  return say;
}

/**
 * The first language that is wanted and there: the whole tag, else its first part. English when none is.
 * @param {string[]} there tags that the server has
 * @param {...(string|null|undefined)} wanted tags, the most wanted first
 * @returns {string}
 */
export function chooseLanguage(there, ...wanted) {
  const find = (tag) => there.find((known) => known.toLowerCase() === tag);
  for (const tag of wanted) {
    const whole = (tag ?? "").toLowerCase();
    const found = find(whole) ?? find(whole.split("-")[0]);
    if (found) return found;
  }
  return "en";
}

/**
 * The words for this page, and which languages there are.
 * @param {string|null} asked by the address
 * @returns {Promise<{say: Say, languages: string[]}>}
 */
export async function loadStrings(asked) {
  for (;;) {
    try {
      const languages = await getJson("/assets/lang/index.json");
      const lang = chooseLanguage(languages, asked, ...navigator.languages);
      return { say: sayer(lang, await getJson(`/assets/lang/${lang}.json`)), languages };
    } catch {
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }
}

async function getJson(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}
