// Words: what a small screen says of a scene in one line and a mark; overlay and console share it.

import { letterOf, percent, questionTotal } from "./scene.js";

/**
 * @param {import("./scene.js").Scene} scene
 * @param {import("./show.js").Facts} facts
 * @returns {{slab: string, side: string, letter: string, text: string, sure: string}}
 */
export function wordsOf(scene, { say, answers }) {
  const { phase, cycle, timeline, plan, next, paused } = scene;
  const words = { slab: "", side: "", letter: "", text: "", sure: "" };
  if (phase === "rise" || phase === "hold" || phase === "fall") {
    const total = questionTotal(timeline, answers.count(timeline.analysisId));
    const confidence = confidenceOf(scene, answers);
    return {
      slab: say("question", { n: cycle.question }),
      side: [total ? say("ofTotal", { n: total }) : "", paused ? say("paused") : ""].filter(Boolean).join(" · "),
      letter: letterOf(cycle.answer),
      text: say("answer", { n: cycle.answer }),
      sure: confidence === null ? "" : say("sure", { n: percent(confidence) }),
    };
  }
  if (phase.startsWith("finale")) {
    const answered = plan.steps.filter((step) => !step.skipped).length;
    return { ...words, slab: say("finale"), text: say("summary", { n: answered }) };
  }
  if (phase === "waiting") return { ...words, slab: say("standBy"), text: say("waitingAnswer") };
  if (next) {
    const text = next.question === null ? say("finale") : say("question", { n: next.question });
    return { ...words, slab: say(phase === "before" ? "startsSoon" : "next"), text };
  }
  const { running } = answers;
  return { ...words, slab: say("standBy"), text: running ? say("solving", { n: running.count }) : say("waiting") };
}

/**
 * How sure the answer on screen is, 0..1, or null when that was never heard.
 * @param {import("./scene.js").Scene} scene one with a cycle
 * @param {import("./answers.js").Answers} answers
 * @returns {number|null}
 */
export function confidenceOf({ cycle, timeline }, answers) {
  return cycle.confidence ?? answers.result(timeline.analysisId, cycle.question)?.confidence ?? null;
}

/**
 * Which questions are passed over.
 * @param {number[]} list not empty
 * @param {import("./strings.js").Say} say
 * @returns {string}
 */
export function noAnswer(list, say) {
  return say("noAnswer", { n: list.length, list: list.join(", ") });
}

/**
 * The state of the connection.
 * @param {import("./stream.js").Status} status
 * @param {import("./strings.js").Say} say
 * @returns {string}
 */
export function linkText({ state, code }, say) {
  if (state !== "stopped") return say(state);
  return code === 1008 ? say("notAllowed") : say("ended", { code });
}
