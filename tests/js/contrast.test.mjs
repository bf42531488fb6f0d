// The colours of both themes keep the contrast of WCAG 2.2 AA: 4.5 for text, 3 for what carries meaning without words.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const css = readFileSync(new URL("../../assets/show.css", import.meta.url), "utf8");
const palette = (selector) => {
  const start = css.indexOf(`${selector} {`);
  const block = css.slice(start, css.indexOf("}", start));
  return Object.fromEntries([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, hex]) => [name, hex]));
};
const themes = { dark: palette(":root"), light: { ...palette(":root"), ...palette(':root[data-theme="light"]') } };

function luminance(hex) {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const c = parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a, b) {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

/** Foreground, grounds that it stands on. */
const TEXT = [
  ["ink", ["ground", "glow", "raised", "well"]],
  ["muted", ["ground", "glow", "raised"]],
  ["accent", ["ground", "glow"]],
  ["trouble", ["ground", "glow", "raised"]],
  ["on-accent", ["accent"]],
  ["ground", ["ink", "trouble"]],
];
const SIGNS = [
  ["accent", ["well", "ground", "glow", "raised"]],
  ["muted", ["well"]],
  ["ink", ["ground", "raised", "well"]],
];

test("the formula is that of WCAG", () => {
  assert.equal(contrast("#000000", "#ffffff"), 21);
  assert.equal(contrast("#777777", "#ffffff").toFixed(2), "4.48");
});

for (const [theme, colours] of Object.entries(themes)) {
  for (const [pairs, least] of [[TEXT, 4.5], [SIGNS, 3]]) {
    test(`${theme}: contrast of at least ${least}`, () => {
      for (const [front, grounds] of pairs) {
        for (const ground of grounds) {
          const ratio = contrast(colours[front], colours[ground]);
          assert.ok(ratio >= least, `${front} on ${ground}: ${ratio.toFixed(2)}`);
        }
      }
    });
  }
}
