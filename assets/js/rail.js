// Rail: the show as a row of cells along the bottom edge, one per question and one for the finale; each keeps the letter
// of its answer once that was shown.

import { letterOf, questionTotal } from "./scene.js";
import { elapsedAt } from "./timeline.js";

export class Rail {
  /** @param {HTMLElement} root an empty list */
  constructor(root) {
    this.root = root;
    this.cells = [];
  }

  /**
   * @param {import("./scene.js").Scene} scene
   * @param {import("./show.js").Facts} facts
   */
  draw(scene, facts) {
    const { timeline, plan } = scene;
    const key = [timeline?.id, timeline?.revision, facts.answers.version].join();
    if (key !== this.key) {
      this.key = key;
      this.#build(timeline, plan, facts);
      this.state = null;
    }
    if (!timeline) return;
    const t = scene.phase === "over" ? Infinity : elapsedAt(timeline, facts.now);
    const state = [scene.phase, scene.cycle?.startMs].join();
    if (state !== this.state) {
      this.state = state;
      for (const cell of this.cells) this.#mark(cell, scene, t);
    }
    if (this.current) {
      const { from, to } = this.current;
      const part = facts.still ? Number(t >= to) : Math.min(1, Math.max(0, (t - from) / (to - from)));
      this.current.line.style.transform = `scaleX(${part.toFixed(4)})`;
    }
  }

  #build(timeline, plan, { answers }) {
    this.root.replaceChildren();
    this.cells = [];
    this.current = null;
    if (!timeline) return;
    const steps = new Map(plan.steps.map((step) => [step.question, step]));
    const total = questionTotal(timeline, answers.count(timeline.analysisId)) ?? plan.steps.at(-1)?.question ?? 0;
    for (let question = 1; question <= total; question++) this.#cell(question, steps.get(question) ?? null);
    if (plan.finaleMs !== null) this.#cell(null, null, { from: plan.finaleMs, to: timeline.durationMs });
  }

  #cell(question, step, span) {
    const cell = document.createElement("li");
    const [number, letter, bar, line] = ["number", "letter", "bar", "line"].map((name) => {
      const element = document.createElement("span");
      element.className = name;
      return element;
    });
    number.textContent = question ?? "";
    bar.append(line);
    cell.append(number, letter, bar);
    if (question === null) cell.classList.add("final");
    if (step?.skipped) cell.classList.add("skipped");
    this.root.append(cell);
    const cycles = step?.cycles ?? [];
    const times = span ?? (cycles.length ? { from: cycles[0].startMs, to: cycles.at(-1).endMs } : null);
    this.cells.push({ cell, letter, line, question, cycles, skipped: step?.skipped ?? false, ...times });
  }

  #mark(entry, scene, t) {
    const now = entry.from <= t && t < entry.to;
    const done = entry.to <= t;
    entry.cell.classList.toggle("now", now);
    entry.cell.classList.toggle("done", done);
    if (now) this.current = entry;
    else if (this.current === entry) this.current = null;
    if (!now) entry.line.style.transform = done ? "scaleX(1)" : "scaleX(0)";
    // A letter appears when its number has arrived, not while the dial still rises to it.
    const out = entry.cycles.filter((c) => c.startMs <= t && !(scene.phase === "rise" && c.startMs === scene.cycle.startMs));
    entry.letter.textContent = entry.skipped ? "–" : out.map((c) => letterOf(c.answer) || c.answer).join(" ");
  }
}
