// Builds timelines as section 3 of the contracts lays them out.

/**
 * @param {(number|number[]|null)[]} answers per question: its answer, several, or none
 * @param {{id?: string, startsAt?: number, pausedAt?: number|null, complete?: boolean, confidence?: number,
 *          timing?: number[], analysisId?: string|null}} [options] `timing`: rise, hold, fall, rest in milliseconds
 */
export function show(answers, options = {}) {
  const { id = "show", startsAt = 0, pausedAt = null, complete = true, confidence, timing = [1500, 7000, 1500, 15_000] } = options;
  const segments = [];
  const skipped = [];
  let atMs = 0;
  const add = (kind, question, durMs, from, to) => {
    if (durMs > 0) segments.push({ kind, question, atMs, durMs, from, to, ...(question && confidence ? { confidence } : {}) });
    atMs += durMs;
  };
  answers.forEach((answer, i) => {
    if (answer === null) return skipped.push(i + 1);
    for (const value of [answer].flat()) {
      add("rise", i + 1, timing[0], 0, value);
      add("hold", i + 1, timing[1], value, value);
      add("fall", i + 1, timing[2], value, 0);
      add("rest", i + 1, timing[3], 0, 0);
    }
  });
  if (complete) {
    add("rise", null, 1500, 0, 10);
    add("finale", null, 15_000, 10, 10);
  }
  const { analysisId = "analysis" } = options;
  return { type: "timeline", id, analysisId, channel: "default", revision: 1, startsAt, pausedAt, durationMs: atMs, segments, skipped, complete };
}
