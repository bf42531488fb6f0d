// Look: theme, scale and language from the page's address. What is not possible there is told, never passed over in
// silence: who sets up a screen is looking at it.

import { chooseLanguage } from "./strings.js";

const THEMES = ["dark", "light"];
/** Smallest and largest scale. */
const SCALES = [0.25, 4];
/** How long the hint stays, in milliseconds. */
const HINT_MS = 20_000;
/** Characters of a bad value that are repeated. */
const SHOWN = 40;

/**
 * @typedef {{name: string, value: string, possible: string}} Ignored
 * @param {URLSearchParams} query
 * @param {string[]} languages tags that the server has
 * @returns {{theme: string|null, scale: number|null, ignored: Ignored[]}} null where the address says nothing of use
 */
export function readLook(query, languages) {
  const ignored = [];
  const take = (name, possible, read) => {
    const value = query.get(name);
    const taken = value ? read(value.trim()) : null;
    if (value && taken === null) ignored.push({ name, value: value.slice(0, SHOWN), possible });
    return taken;
  };
  const theme = take("theme", THEMES.join(", "), (value) => (THEMES.includes(value) ? value : null));
  const scale = take("scale", SCALES.join(" – "), (value) => {
    const number = Number(value);
    return number >= SCALES[0] && number <= SCALES[1] ? number : null;
  });
  take("lang", languages.join(", "), (value) => {
    const found = chooseLanguage(languages, value);
    return value.toLowerCase().split("-")[0] === found.toLowerCase().split("-")[0] ? found : null;
  });
  return { theme, scale, ignored };
}

/**
 * Gives the page its look, and says what was ignored.
 * @param {ReturnType<typeof readLook>} look
 * @param {import("./strings.js").Say} say
 * @param {HTMLElement} hint
 */
export function applyLook({ theme, scale, ignored }, say, hint) {
  const root = document.documentElement;
  root.lang = say.lang;
  if (theme) root.dataset.theme = theme;
  if (scale) root.style.setProperty("--scale", scale);
  hint.textContent = ignored.map((one) => say("ignored", one)).join("\n");
  hint.hidden = ignored.length === 0;
  setTimeout(() => (hint.hidden = true), HINT_MS);
}
