// Timeline: the value on screen at a moment, as a pure function of (timeline, server time).
//
// Mirrors section 3 of the contracts and `src/timeline.rs`: the server never sends ticks, every screen computes. Times are
// milliseconds; a segment covers its start and not its end; outside every segment the value is 0.

/**
 * @typedef {{kind: "rise"|"hold"|"fall"|"rest"|"finale", question: number|null, atMs: number, durMs: number,
 *            from: number, to: number, confidence?: number|null}} Segment
 * @typedef {{id: string, analysisId?: string|null, revision: number, startsAt: number, pausedAt: number|null,
 *            durationMs: number, segments: Segment[], skipped?: number[], complete?: boolean}} Timeline
 * @typedef {{question: number, answer: number, startMs: number, endMs: number, confidence: number|null}} Cycle
 *   One option being shown: its rise, hold and fall. A question with several right options has several cycles.
 * @typedef {{question: number, cycles: Cycle[], skipped: boolean}} Step
 * @typedef {{cycles: Cycle[], steps: Step[], finaleMs: number|null, finaleTo: number}} Plan
 */

/**
 * Milliseconds since the show began; negative before it. A paused show stands at the moment of its pause.
 * @param {Timeline} timeline
 * @param {number} now server time
 * @returns {number}
 */
export function elapsedAt(timeline, now) {
  return (timeline.pausedAt ?? now) - timeline.startsAt;
}

/**
 * The segment that covers `now`, or null in a gap, before the start and after the end.
 * @param {Timeline} timeline
 * @param {number} now server time
 * @returns {Segment|null}
 */
export function segmentAt(timeline, now) {
  const t = elapsedAt(timeline, now);
  if (t < 0 || t >= timeline.durationMs) return null;
  // Backwards, so that a late segment wins should a server ever send two that overlap.
  for (let i = timeline.segments.length - 1; i >= 0; i--) {
    const segment = timeline.segments[i];
    if (segment.atMs <= t) return t < segment.atMs + segment.durMs ? segment : null;
  }
  return null;
}

/**
 * The value on screen at `now`: linear from `from` to `to` within a segment, otherwise 0.
 * @param {Timeline|null} timeline
 * @param {number} now server time
 * @returns {number}
 */
export function valueAt(timeline, now) {
  const segment = timeline && segmentAt(timeline, now);
  if (!segment) return 0;
  const part = (elapsedAt(timeline, now) - segment.atMs) / segment.durMs;
  return segment.from + (segment.to - segment.from) * part;
}

/**
 * Whether nothing more can come: past its end, complete, not paused.
 * @param {Timeline} timeline
 * @param {number} now server time
 * @returns {boolean}
 */
export function isOver(timeline, now) {
  return timeline.complete !== false && elapsedAt(timeline, now) >= timeline.durationMs;
}

/**
 * The show that owns the screen at `now`, out of all that the channel has announced: a show that begins while another
 * runs replaces it, one that begins at or after the other's end was queued behind it and waits even through a pause.
 * With none running, the next one to come, else the one that ended last.
 * @param {Iterable<Timeline>} timelines
 * @param {number} now server time
 * @returns {Timeline|null}
 */
export function currentAt(timelines, now) {
  let running = null;
  let next = null;
  let last = null;
  for (const timeline of [...timelines].sort((a, b) => a.startsAt - b.startsAt)) {
    if (timeline.segments.length === 0) continue; // nothing known yet, or stopped before it began
    if (isOver(timeline, now)) last = timeline;
    else if (elapsedAt(timeline, now) < 0) next ??= timeline;
    else if (running?.pausedAt == null || timeline.startsAt < running.startsAt + running.durationMs) running = timeline;
  }
  return running ?? next ?? last;
}

const RANK = { rise: 1, hold: 2, fall: 3 };
const plans = new WeakMap();

/**
 * The show in steps: what each question shows and when. Computed once per revision, not per frame.
 * @param {Timeline} timeline
 * @returns {Plan}
 */
export function planOf(timeline) {
  let plan = plans.get(timeline);
  if (!plan) plans.set(timeline, (plan = buildPlan(timeline)));
  return plan;
}

function buildPlan(timeline) {
  const cycles = [];
  let finaleMs = null;
  let finaleTo = 10;
  let reached = Infinity;
  for (const segment of timeline.segments) {
    if (segment.question === null) {
      finaleMs ??= segment.atMs;
      finaleTo = Math.max(segment.to, segment.from, 1);
    } else if (segment.kind !== "rest") {
      const rank = RANK[segment.kind];
      // Parts without length are left out of a timeline, so a cycle may begin with any of its three.
      if (rank <= reached || cycles.at(-1)?.question !== segment.question) {
        const answer = Math.max(segment.from, segment.to);
        cycles.push({ question: segment.question, answer, startMs: segment.atMs, endMs: 0, confidence: segment.confidence ?? null });
      }
      cycles.at(-1).endMs = segment.atMs + segment.durMs;
      reached = rank;
    } else reached = Infinity;
  }
  return { cycles, steps: buildSteps(cycles, timeline.skipped ?? []), finaleMs, finaleTo };
}

function buildSteps(cycles, skipped) {
  const steps = new Map();
  for (const question of skipped) steps.set(question, { question, cycles: [], skipped: true });
  for (const cycle of cycles) {
    if (!steps.get(cycle.question)?.cycles.length) steps.set(cycle.question, { question: cycle.question, cycles: [], skipped: false });
    steps.get(cycle.question).cycles.push(cycle);
  }
  return [...steps.values()].sort((a, b) => a.question - b.question);
}
