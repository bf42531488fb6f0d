// Overlay: the show as a lower third on a transparent ground. Draws nothing between shows.

import { Dial, dialLook, smooth } from "./dial.js";
import { skippedHere } from "./scene.js";
import { runShow } from "./show.js";
import { elapsedAt } from "./timeline.js";
import { linkText, noAnswer, wordsOf } from "./words.js";

const part = (id) => document.getElementById(id);
const dial = new Dial(part("dial"), { labels: false, rays: false });
const main = part("main");
const strip = part("strip");
const line = part("line");
const link = part("link");
let written = "";
let seconds = 0;

function write(scene, facts) {
  strip.replaceChildren();
  if (scene.phase === "idle" || scene.phase === "over") return; // the last words stay while the third leaves
  for (const [id, text] of Object.entries(wordsOf(scene, facts))) part(id).textContent = text;
  if (!["rise", "hold", "fall"].includes(scene.phase)) return;
  const result = facts.answers.result(scene.timeline.analysisId, scene.cycle.question);
  (result?.probabilities ?? []).forEach((share, i) => {
    const piece = document.createElement("span");
    piece.style.flexGrow = share;
    piece.className = i + 1 === scene.cycle.answer ? "chosen" : "";
    strip.append(piece);
  });
}

function draw(scene, facts) {
  const key = [scene.phase, scene.timeline?.id, scene.timeline?.revision, scene.cycle?.startMs, facts.answers.version].join();
  if (key !== written) {
    written = key;
    seconds = 0;
    document.body.dataset.phase = scene.phase;
    write(scene, facts);
  }
  dial.draw(dialLook(scene, facts));
  const resting = scene.next !== null;
  if (resting) {
    const left = Math.max(1, Math.ceil(scene.next.inMs / 1000));
    if (left !== seconds) {
      seconds = left;
      const skipped = skippedHere(scene);
      const note = skipped.length ? ` · ${noAnswer(skipped, facts.say)}` : "";
      part("side").textContent = facts.say("inSeconds", { n: left }) + note;
    }
  }
  const shown = resting || facts.still || scene.cycle === null ? 1 : smooth((scene.shown - 0.45) / 0.55);
  main.style.opacity = strip.style.opacity = shown;
  if (scene.timeline && scene.phase !== "over") {
    const done = elapsedAt(scene.timeline, facts.now) / scene.timeline.durationMs;
    line.style.transform = `scaleX(${Math.min(1, Math.max(0, done)).toFixed(5)})`;
  }
}

const show = await runShow({
  live: part("live"),
  draw,
  onStatus(status, say) {
    link.dataset.state = status.state;
    link.ariaLabel = linkText(status, say);
  },
});

// For tests and operators, as on the stage.
window.quizStats = { sample: show.sample };
