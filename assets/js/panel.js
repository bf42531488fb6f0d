// Panel: the words beside the dial. Text is written when it changes; frames only move and fade.

import { smooth } from "./dial.js";
import { letterOf, percent, questionTotal, skippedHere } from "./scene.js";
import { confidenceOf, noAnswer } from "./words.js";

/** Rows of options that fit beside the dial; of more options the likeliest are shown. */
const ROWS = 6;

/**
 * The options to show as bars, in their order: all that fit, always the answer itself, otherwise the likeliest.
 * @param {number[]} probabilities one per option, 0..1
 * @param {number} answer counted from 1
 * @returns {{option: number, share: number}[]}
 */
export function barsOf(probabilities, answer) {
  const all = probabilities.map((share, i) => ({ option: i + 1, share }));
  const rank = (bar) => (bar.option === answer ? Infinity : bar.share);
  return all.sort((a, b) => rank(b) - rank(a)).slice(0, ROWS).sort((a, b) => a.option - b.option);
}

export class Panel {
  /** @param {HTMLElement} root the element with the parts of stage.html */
  constructor(root) {
    const part = (name) => root.querySelector(`[data-part="${name}"]`);
    this.parts = Object.fromEntries(
      ["slab", "of", "result", "letter", "answer", "sure", "bars", "more", "rest", "count", "unit", "line", "note", "message", "headline", "sub"].map((n) => [n, part(n)]),
    );
    this.head = part("head");
    this.rows = [];
  }

  /**
   * @param {import("./scene.js").Scene} scene
   * @param {import("./show.js").Facts} facts
   */
  draw(scene, facts) {
    const key = [scene.phase, scene.timeline?.id, scene.timeline?.revision, scene.cycle?.startMs, facts.answers.version].join();
    if (key !== this.key) {
      this.key = key;
      this.#write(scene, facts);
    }
    const enter = facts.still ? 1 : smooth(scene.sinceMs / 450);
    const rises = scene.phase === "rise" || scene.phase === "finale_rise";
    this.head.style.transform = `translateX(${rises ? (enter - 1) * 6 : 0}%)`;
    this.head.style.opacity = rises || scene.phase === "rest" ? enter : 1;
    this.#fade(this.parts.result, scene, facts, 0.45);
    const grown = facts.still ? 1 : scene.shown;
    for (const row of this.rows) row.fill.style.transform = `scaleX(${(row.share * grown).toFixed(4)})`;
    this.parts.bars.style.opacity = facts.still ? 1 : smooth((scene.shown - 0.45) / 0.55);
    if (scene.next) this.#count(scene.next, facts);
    this.parts.rest.style.opacity = enter;
  }

  // The letter comes with the last part of the rise: the dial tells first.
  #fade(element, scene, { still }, from) {
    const out = still ? 1 : smooth((scene.shown - from) / (1 - from));
    element.style.opacity = out;
    element.style.transform = `translateY(${(1 - out) * 12}%)`;
  }

  #count({ inMs, ofMs }, { say, still }) {
    const seconds = Math.max(1, Math.ceil(inMs / 1000));
    if (seconds !== this.seconds) {
      this.seconds = seconds;
      this.parts.count.textContent = seconds;
      this.parts.unit.textContent = say("seconds", { n: seconds });
    }
    const left = still ? (seconds * 1000) / ofMs : inMs / ofMs;
    this.parts.line.style.transform = `scaleX(${Math.min(1, Math.max(0, left)).toFixed(4)})`;
  }

  #write(scene, facts) {
    const { say, answers } = facts;
    const { phase, timeline, cycle } = scene;
    const analysis = timeline?.analysisId;
    const total = timeline ? questionTotal(timeline, answers.count(analysis)) : null;
    const shows = { result: false, bars: false, rest: false, message: false };
    this.seconds = null;
    this.rows = [];
    this.parts.bars.replaceChildren();
    this.#text({ of: "", more: "", note: "", sub: "" });

    if (phase === "rise" || phase === "hold" || phase === "fall") {
      const result = answers.result(analysis, cycle.question);
      const confidence = confidenceOf(scene, answers);
      this.#text({ slab: say("question", { n: cycle.question }), of: total ? say("ofTotal", { n: total }) : "" });
      this.#text({ letter: letterOf(cycle.answer) || String(cycle.answer), answer: say("answer", { n: cycle.answer }) });
      this.#text({ sure: confidence === null ? "" : say("sure", { n: percent(confidence) }) });
      shows.result = true;
      const probabilities = result?.probabilities ?? [];
      shows.bars = probabilities.length > 1 && probabilities.length >= cycle.answer;
      if (shows.bars) this.#bars(probabilities, cycle.answer, say);
    } else if (phase === "rest" || phase === "before") {
      const { question } = scene.next;
      this.#text({ slab: say(phase === "before" ? "startsSoon" : "next"), of: "" });
      this.#text({ headline: question === null ? say("finale") : say("question", { n: question }) });
      const skipped = skippedHere(scene);
      if (skipped.length) this.#text({ note: noAnswer(skipped, say) });
      shows.rest = shows.message = true;
    } else if (phase === "waiting") {
      this.#text({ slab: say("standBy"), headline: say("waitingAnswer") });
      shows.message = true;
    } else if (phase.startsWith("finale")) {
      this.#text({ slab: say("finale"), ...this.#summary(scene, facts) });
      shows.message = true;
    } else {
      const running = answers.running;
      this.#text({ slab: say("standBy"), headline: running ? say("solving", { n: running.count }) : say("waiting") });
      this.#text({ sub: `${say("channel")} ${facts.channel}` });
      shows.message = true;
    }
    for (const [name, shown] of Object.entries(shows)) this.parts[name].hidden = !shown;
  }

  #summary({ plan, timeline }, { say, answers }) {
    const answered = plan.steps.filter((step) => !step.skipped);
    const skipped = plan.steps.length - answered.length;
    const sure = answered
      .map(({ question, cycles }) => cycles[0].confidence ?? answers.result(timeline.analysisId, question)?.confidence ?? null)
      .filter((share) => share !== null);
    const lines = [];
    // An average over some of the questions would be a figure about something else.
    if (sure.length === answered.length && sure.length) lines.push(say("average", { n: percent(sure.reduce((a, b) => a + b) / sure.length) }));
    if (skipped) lines.push(say("skippedCount", { n: skipped }));
    return { headline: say("summary", { n: answered.length }), sub: lines.join(" · ") };
  }

  #bars(probabilities, answer, say) {
    const bars = barsOf(probabilities, answer);
    for (const { option, share } of bars) {
      const row = document.createElement("li");
      const [name, track, fill, figure] = ["name", "track", "fill", "figure"].map((c) => {
        const element = document.createElement("span");
        element.className = c;
        return element;
      });
      row.className = option === answer ? "chosen" : "";
      name.textContent = letterOf(option);
      figure.textContent = say("percent", { n: percent(share) });
      track.append(fill);
      row.append(name, track, figure);
      this.parts.bars.append(row);
      this.rows.push({ fill, share });
    }
    const more = probabilities.length - bars.length;
    if (more > 0) this.#text({ more: say("more", { n: more }) });
  }

  #text(texts) {
    for (const [name, text] of Object.entries(texts)) this.parts[name].textContent = text;
  }
}
