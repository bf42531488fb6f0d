// Scene: everything the screen says at a moment, as plain data. Pure, so that it is tested without a browser and two
// screens with the same server time draw the same picture.

import { currentAt, elapsedAt, isOver, planOf, segmentAt, valueAt } from "./timeline.js";

/**
 * @typedef {"idle"|"before"|"rise"|"hold"|"fall"|"rest"|"waiting"|"finale_rise"|"finale"|"finale_fall"|"over"} Phase
 * @typedef {import("./timeline.js").Timeline} Timeline
 * @typedef {import("./timeline.js").Cycle} Cycle
 * @typedef {{phase: Phase, value: number, shown: number, sinceMs: number, timeline: Timeline|null,
 *            segment: import("./timeline.js").Segment|null, plan: import("./timeline.js").Plan|null,
 *            cycle: Cycle|null, next: {question: number|null, inMs: number, ofMs: number}|null, paused: boolean}} Scene
 *   `shown`: how far the answer is out, 0..1. `sinceMs`: time in this phase. `next`: what the pause leads to
 *   (`question` null: the finale), when that is known.
 */

const EMPTY = Object.freeze({ value: 0, shown: 0, sinceMs: 0, segment: null, plan: null, cycle: null, next: null, paused: false });

/**
 * @param {Iterable<Timeline>} timelines all that the channel announced
 * @param {number} now server time
 * @returns {Scene}
 */
export function sceneAt(timelines, now) {
  const timeline = currentAt(timelines, now);
  if (!timeline) return { ...EMPTY, phase: "idle", timeline: null };
  const plan = planOf(timeline);
  const t = elapsedAt(timeline, now);
  const base = { ...EMPTY, timeline, plan, paused: timeline.pausedAt !== null && timeline.pausedAt !== undefined };
  if (isOver(timeline, now)) return { ...base, phase: "over", sinceMs: t - timeline.durationMs };

  const segment = segmentAt(timeline, now);
  if (!segment || segment.kind === "rest") return between(base, t, segment);
  const value = valueAt(timeline, now);
  const peak = Math.max(segment.from, segment.to);
  const shown = peak > 0 ? value / peak : 0;
  const moving = { ...base, value, shown, segment, sinceMs: t - segment.atMs };
  if (segment.question === null) {
    const phase = segment.kind === "rise" ? "finale_rise" : segment.kind === "fall" ? "finale_fall" : "finale";
    return { ...moving, phase };
  }
  const cycle = plan.cycles.findLast((c) => c.startMs <= t) ?? null;
  return { ...moving, phase: segment.kind, cycle };
}

const LEAD_MS = 10_000;

// Between two answers: a rest, a gap, the time before the start, or an unfinished show waiting for its next answer.
function between(base, t, segment) {
  const { cycles, finaleMs } = base.plan;
  const before = cycles.findLast((cycle) => cycle.startMs <= t) ?? null;
  const after = cycles.find((cycle) => cycle.startMs > t) ?? null;
  const nextMs = after?.startMs ?? (finaleMs !== null && finaleMs > t ? finaleMs : null);
  // Nobody knows how long the wait before a show was: its countdown is drawn as the last part of a fixed stretch.
  const fromMs = before?.endMs ?? Math.min(t, nextMs ?? 0, -LEAD_MS);
  const scene = { ...base, segment, cycle: before, sinceMs: t - fromMs };
  if (nextMs === null) return { ...scene, phase: "waiting" };
  const next = { question: after?.question ?? null, inMs: nextMs - t, ofMs: nextMs - fromMs };
  return { ...scene, phase: t < 0 ? "before" : "rest", next };
}

/**
 * How many parts the dial has while this is on screen: the options of the question when known, else enough for every
 * answer of the show, so that the dial does not change its scale from answer to answer.
 * @param {Scene} scene
 * @param {number} options number of options of the question on screen; 0 when unknown
 * @returns {number}
 */
export function dialParts(scene, options) {
  if (scene.phase.startsWith("finale")) return Math.ceil(scene.plan.finaleTo);
  if (!scene.plan) return 4;
  const known = options >= (scene.cycle?.answer ?? 0) ? options : 0;
  return known || Math.max(4, ...scene.plan.cycles.map((cycle) => cycle.answer));
}

/**
 * Questions without an answer that the show passes over between the last one shown and the next.
 * @param {Scene} scene
 * @returns {number[]}
 */
export function skippedHere(scene) {
  if (scene.phase !== "rest" && scene.phase !== "before") return [];
  const from = scene.phase === "before" ? 0 : (scene.cycle?.question ?? 0);
  const to = scene.next.question ?? Infinity;
  return scene.plan.steps.filter((s) => s.skipped && s.question > from && s.question < to).map((s) => s.question);
}

/**
 * The number of questions of the show, or null while that cannot be known.
 * @param {Timeline} timeline
 * @param {number|null} announced from `analysis_started`, when it was heard
 * @returns {number|null}
 */
export function questionTotal(timeline, announced) {
  const highest = planOf(timeline).steps.at(-1)?.question ?? 0;
  if (announced !== null && announced >= highest) return announced;
  return timeline.complete === false ? null : highest;
}

/**
 * A, B, … Z beside the number; empty past the alphabet.
 * @param {number} answer counted from 1
 * @returns {string}
 */
export function letterOf(answer) {
  return answer >= 1 && answer <= 26 ? String.fromCharCode(64 + answer) : "";
}

/**
 * A share as whole percent that never rounds doubt away: 100 only for certainty.
 * @param {number} share 0..1
 * @returns {number}
 */
export function percent(share) {
  return share >= 1 ? 100 : Math.min(99, Math.max(0, Math.round(share * 100)));
}
