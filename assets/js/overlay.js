// Overlay: the show as a lower third on a transparent ground. Draws nothing between shows.

import { Dial, dialLook, smooth } from "./dial.js";
import { letterOf, percent, questionTotal, skippedHere } from "./scene.js";
import { runShow } from "./show.js";
import { elapsedAt } from "./timeline.js";

const part = (id) => document.getElementById(id);
const dial = new Dial(part("dial"), { labels: false, rays: false });
const main = part("main");
const strip = part("strip");
const line = part("line");
const link = part("link");
let written = "";
let seconds = 0;

function write(texts) {
  for (const [id, text] of Object.entries({ slab: "", side: "", letter: "", text: "", ...texts })) part(id).textContent = text;
}

function words(scene, { strings: s, answers }) {
  const { phase, cycle, timeline, plan, next } = scene;
  strip.replaceChildren();
  if (phase === "idle" || phase === "over") return; // the last words stay while the third leaves
  const total = questionTotal(timeline, answers.count(timeline.analysisId));
  const of = total ? s.ofTotal(total) : "";
  if (phase === "rise" || phase === "hold" || phase === "fall") {
    const result = answers.result(timeline.analysisId, cycle.question);
    const confidence = cycle.confidence ?? result?.confidence ?? null;
    const sure = confidence === null ? "" : ` · ${s.sure(percent(confidence))}`;
    write({ slab: s.question(cycle.question), side: of, letter: letterOf(cycle.answer), text: s.answer(cycle.answer) + sure });
    (result?.probabilities ?? []).forEach((share, i) => {
      const piece = document.createElement("span");
      piece.style.flexGrow = share;
      piece.className = i + 1 === cycle.answer ? "chosen" : "";
      strip.append(piece);
    });
  } else if (phase.startsWith("finale")) {
    write({ slab: s.finale, text: s.summary(plan.steps.filter((step) => !step.skipped).length) });
  } else if (phase === "waiting") {
    write({ slab: s.standBy, text: s.waitingAnswer });
  } else {
    const slab = phase === "before" ? s.startsSoon : s.next;
    write({ slab, text: next.question === null ? s.finale : s.question(next.question) });
  }
}

function draw(scene, facts) {
  const key = [scene.phase, scene.timeline?.id, scene.timeline?.revision, scene.cycle?.startMs, facts.answers.version].join();
  if (key !== written) {
    written = key;
    seconds = 0;
    document.body.dataset.phase = scene.phase;
    words(scene, facts);
  }
  dial.draw(dialLook(scene, facts));
  const resting = scene.next !== null;
  if (resting) {
    const left = Math.max(1, Math.ceil(scene.next.inMs / 1000));
    if (left !== seconds) {
      seconds = left;
      const skipped = skippedHere(scene);
      const note = skipped.length ? ` · ${facts.strings.noAnswer(skipped)}` : "";
      part("side").textContent = facts.strings.inSeconds(left) + note;
    }
  }
  const shown = resting || facts.still || scene.cycle === null ? 1 : smooth((scene.shown - 0.45) / 0.55);
  main.style.opacity = strip.style.opacity = shown;
  if (scene.timeline && scene.phase !== "over") {
    const done = elapsedAt(scene.timeline, facts.now) / scene.timeline.durationMs;
    line.style.transform = `scaleX(${Math.min(1, Math.max(0, done)).toFixed(5)})`;
  }
}

const show = runShow({
  live: part("live"),
  draw,
  onStatus({ state, code }, strings) {
    link.dataset.state = state;
    link.ariaLabel = state === "stopped" ? strings.stopped(code) : strings[state];
  },
});

// For tests and operators, as on the stage.
window.quizStats = { sample: show.sample };
