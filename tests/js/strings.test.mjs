// Every language says everything; every word that a script or page asks for exists; what the address asks for is taken or
// told.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { readLook } from "../../assets/js/look.js";
import { chooseLanguage, sayer } from "../../assets/js/strings.js";
import { say, texts } from "./say.mjs";

const assets = new URL("../../assets/", import.meta.url);
const read = (path) => readFileSync(new URL(path, assets), "utf8");

test("both languages have the same strings and the same gaps to fill", () => {
  const gaps = (entry) => [...new Set(JSON.stringify(entry).match(/\{\w+\}/g) ?? [])].sort();
  const [en, de] = [texts("en"), texts("de")];
  assert.deepEqual(Object.keys(de), Object.keys(en));
  for (const key of Object.keys(en)) assert.deepEqual(gaps(de[key]), gaps(en[key]), key);
});

test("every string that a page asks for is there, and none is there for nothing", () => {
  const known = Object.keys(texts("en"));
  const scripts = readdirSync(new URL("js", assets)).filter((name) => name.endsWith(".js")).map((name) => read(`js/${name}`));
  const pages = readdirSync(assets).filter((name) => name.endsWith(".html")).map(read);
  const asked = [
    ...scripts.join("\n").matchAll(/\bsay\("([\w.]+)"/g),
    ...pages.join("\n").matchAll(/data-say(?:-\w+)?="([\w.]+)"/g),
  ].map((found) => found[1]);
  for (const key of asked) assert.ok(known.includes(key), key);
  const text = [...scripts, ...pages].join("\n");
  const unused = known.filter((key) => !key.startsWith("error.") && !text.includes(`"${key}"`) && !/^(connecting|connected|reconnecting)$/.test(key));
  assert.deepEqual(unused, []);
});

test("every error of the API has its words in every language", () => {
  const api = readFileSync(new URL("../../docs/api.md", import.meta.url), "utf8");
  const section = (from, to) => api.slice(api.indexOf(from), api.indexOf(to));
  const codes = section("## Errors", "## WebSocket").split("\n").filter((row) => /^\| \d{3}/.test(row));
  const words = codes.flatMap((row) => [...row.split("|")[2].matchAll(/`(\w+)`/g)].map((found) => found[1]));
  assert.ok(words.length > 20, `${words}`);
  for (const code of words) for (const lang of ["en", "de"]) assert.ok(texts(lang)[`error.${code}`], `${code} in ${lang}`);
});

test("gaps are filled, plural forms chosen, unknown keys shown", () => {
  const text = sayer("pl", { files: { one: "{n} plik", few: "{n} pliki", many: "{n} plików", other: "{n} pliku" }, plain: "{a} {b}" });
  assert.deepEqual([1, 2, 5].map((n) => text("files", { n })), ["1 plik", "2 pliki", "5 plików"]);
  assert.equal(text("plain", { a: 0 }), "0 {b}");
  assert.equal(text("missing"), "missing");
  assert.equal(say("de")("noAnswer", { n: 2, list: "2, 3" }), "Fragen 2, 3: ohne Antwort, übersprungen");
});

test("the first language that is there is taken, by its whole tag or its first part", () => {
  const there = ["de", "en", "pt-BR"];
  assert.equal(chooseLanguage(there, "fr", null, "de-AT", "en"), "de");
  assert.equal(chooseLanguage(there, "PT-br"), "pt-BR");
  assert.equal(chooseLanguage(there, "pt", ""), "en");
});

test("the look is read from the address, and bad values are told", () => {
  const look = (query) => readLook(new URLSearchParams(query), ["de", "en"]);
  assert.deepEqual(look("theme=light&scale=1.5&lang=de"), { theme: "light", scale: 1.5, ignored: [] });
  assert.deepEqual(look("lang=de-AT&theme="), { theme: null, scale: null, ignored: [] });
  assert.deepEqual(look("theme=blue&scale=9&lang=xx").ignored, [
    { name: "theme", value: "blue", possible: "dark, light" },
    { name: "scale", value: "9", possible: "0.25 – 4" },
    { name: "lang", value: "xx", possible: "de, en" },
  ]);
  assert.equal(look("scale=" + "1".repeat(99)).ignored[0].value.length, 40);
  for (const bad of ["NaN", "0", "-1", "1px", "Infinity"]) assert.equal(look(`scale=${bad}`).ignored.length, 1, bad);
});
