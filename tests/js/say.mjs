// The words of a built-in language, from the file that is served.

import { readFileSync } from "node:fs";
import { sayer } from "../../assets/js/strings.js";

export const texts = (lang) => JSON.parse(readFileSync(new URL(`../../assets/lang/${lang}.json`, import.meta.url), "utf8"));
export const say = (lang) => sayer(lang, texts(lang));
