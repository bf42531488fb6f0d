// What the screen says: phases, countdown, skipped questions, totals, bars, announcements in both languages.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Answers } from "../../assets/js/answers.js";
import { barsOf } from "../../assets/js/panel.js";
import { dialParts, letterOf, percent, questionTotal, sceneAt, skippedHere } from "../../assets/js/scene.js";
import { announcement, channelOf } from "../../assets/js/show.js";
import { wordsOf } from "../../assets/js/words.js";
import { say as words } from "./say.mjs";
import { show } from "./show.mjs";

test("every phase in its time", () => {
  const timeline = show([2, 3]);
  const expected = [
    [-5, "before"], [0, "rise"], [1500, "hold"], [8500, "fall"], [10_000, "rest"], [25_000, "rise"],
    [49_999, "rest"], [50_000, "finale_rise"], [51_500, "finale"], [66_500, "over"],
  ];
  for (const [now, phase] of expected) assert.equal(sceneAt([timeline], now).phase, phase, `at ${now}`);
  assert.equal(sceneAt([], 0).phase, "idle");
});

test("an unfinished show waits after its last answer", () => {
  const timeline = show([2], { complete: false });
  assert.equal(sceneAt([timeline], 10_000).phase, "waiting");
  assert.equal(sceneAt([timeline], 99_000).phase, "waiting");
});

test("a rest counts down to what comes next", () => {
  const timeline = show([2, 3]);
  assert.deepEqual(sceneAt([timeline], 20_000).next, { question: 2, inMs: 5000, ofMs: 15_000 });
  assert.deepEqual(sceneAt([timeline], 45_000).next, { question: null, inMs: 5000, ofMs: 15_000 });
  assert.deepEqual(sceneAt([timeline], -4000).next, { question: 1, inMs: 4000, ofMs: 10_000 });
});

test("the answer comes out with the value", () => {
  const shown = (now) => sceneAt([show([4])], now).shown;
  assert.deepEqual([0, 750, 1500, 8000, 9250, 10_000].map(shown), [0, 0.5, 1, 1, 0.5, 0]);
});

test("skipped questions are told before the next one", () => {
  const timeline = show([2, null, null, 3, null]);
  assert.deepEqual(skippedHere(sceneAt([timeline], 12_000)), [2, 3]);
  assert.deepEqual(skippedHere(sceneAt([timeline], 2000)), []);
  assert.deepEqual(skippedHere(sceneAt([timeline], 40_000)), [5]);
});

test("the total is only said when it is known", () => {
  assert.equal(questionTotal(show([1, 2, null]), null), 3);
  assert.equal(questionTotal(show([1], { complete: false }), null), null);
  assert.equal(questionTotal(show([1], { complete: false }), 20), 20);
});

test("the dial has a part per option and keeps its scale through the show", () => {
  const timeline = show([2, 7]);
  assert.equal(dialParts(sceneAt([timeline], 2000), 4), 4);
  assert.equal(dialParts(sceneAt([timeline], 2000), 0), 7);
  assert.equal(dialParts(sceneAt([timeline], 27_000), 4), 7, "options that cannot hold the answer are not believed");
  assert.equal(dialParts(sceneAt([timeline], 52_000), 0), 10);
});

test("letters and percent", () => {
  assert.deepEqual([1, 26, 27, 0].map(letterOf), ["A", "Z", "", ""]);
  assert.deepEqual([0, 0.004, 0.93, 0.996, 1].map(percent), [0, 0, 93, 99, 100]);
});

test("of many options the answer and the likeliest are shown, in order", () => {
  const shares = Array.from({ length: 26 }, (_, i) => (i % 5) / 100);
  const bars = barsOf(shares, 1);
  assert.equal(bars.length, 6);
  assert.deepEqual(bars.map((bar) => bar.option), [1, 5, 10, 15, 20, 25]);
});

test("results alone are announced, in the language asked for", () => {
  const answers = new Answers();
  answers.take({ type: "answer_ready", analysisId: "analysis", index: 2, answer: 3, confidence: 0.93, probabilities: [0.07, 0, 0.93] });
  const timeline = show([1, 3, null]);
  const say = (now, tag) => announcement(sceneAt([timeline], now), answers, words(tag));
  assert.equal(say(2000, "en"), "Question 1: answer 1");
  assert.equal(say(27_000, "en"), "Question 2: answer 3, 93 % sure");
  assert.equal(say(27_000, "de"), "Frage 2: Antwort 3, 93 % sicher");
  assert.equal(say(40_000, "en"), "Question 3: no answer, skipped");
  assert.equal(say(55_000, "de"), "Finale");
  assert.equal(say(500, "en"), "");
});

test("answers remember what was said and forget old analyses", () => {
  const answers = new Answers();
  answers.take({ type: "analysis_started", analysisId: "a", questionCount: 3 });
  assert.deepEqual(answers.running, { id: "a", count: 3 });
  answers.take({ type: "answers_ready", analysisId: "a", questionCount: 3, results: [{ index: 1, answer: 2, confidence: 0.5 }] });
  assert.equal(answers.running, null);
  assert.equal(answers.result("a", 1).confidence, 0.5);
  assert.equal(answers.result(null, 1), null);
  const { version } = answers;
  answers.take({ type: "pong" });
  assert.equal(answers.version, version);
  for (let i = 0; i < 20; i++) answers.take({ type: "analysis_started", analysisId: `x${i}`, questionCount: 1 });
  assert.equal(answers.result("a", 1), null);
  assert.equal(answers.analyses.size, 8);
});

test("the channel comes from the address", () => {
  const channel = (pathname, search = "") => channelOf({ pathname, search });
  assert.equal(channel("/stage/quiz%20night"), "quiz night");
  assert.equal(channel("/overlay/default/"), "default");
  assert.equal(channel("/stage/100%"), "100%");
  assert.equal(channel("/stage/", "?lang=de"), "default");
  assert.equal(channel("/console", "?channel=hall"), "hall");
});

test("one line says what a small screen shows", () => {
  const answers = new Answers();
  const timeline = show([2, 3], { confidence: 0.9 });
  const line = (now) => wordsOf(sceneAt(now === null ? [] : [timeline], now ?? 0), { say: words("en"), answers });
  assert.deepEqual(line(2000), { slab: "Question 1", side: "of 2", letter: "B", text: "Answer 2", sure: "90\u00a0% sure" });
  const paused = sceneAt([{ ...timeline, pausedAt: 2000 }], 9000);
  assert.equal(wordsOf(paused, { say: words("en"), answers }).side, "of 2 · Paused");
  assert.deepEqual(line(12_000), { slab: "Up next", side: "", letter: "", text: "Question 2", sure: "" });
  assert.equal(line(55_000).text, "2 questions answered");
  assert.equal(line(null).text, "Waiting for the next show");
  answers.take({ type: "analysis_started", analysisId: "a", questionCount: 1 });
  assert.equal(line(null).text, "Working on 1 question");
});
