// The value at every boundary, gaps, pause and end; which show owns the screen; the plan of steps.

import assert from "node:assert/strict";
import { test } from "node:test";
import { currentAt, elapsedAt, isOver, planOf, segmentAt, valueAt } from "../../assets/js/timeline.js";
import { show } from "./show.mjs";

const START = 1_790_000_000_000;

test("value at every boundary", () => {
  const timeline = show([2], { startsAt: START });
  const at = (ms) => valueAt(timeline, START + ms);
  const expected = [
    [-1, 0], [0, 0], [750, 1], [1500, 2], [8499, 2], [8500, 2], [9250, 1], [10_000, 0], [24_999, 0],
    [25_000, 0], [25_750, 5], [26_500, 10], [41_499, 10], [41_500, 0], [1e9, 0],
  ];
  for (const [ms, value] of expected) assert.equal(at(ms), value, `at ${ms} ms`);
});

test("value moves evenly and never leaves the span of its segment", () => {
  const timeline = show([26, 1, 7], { startsAt: START });
  for (let ms = -10; ms < timeline.durationMs + 10; ms += 7) {
    const segment = segmentAt(timeline, START + ms);
    const value = valueAt(timeline, START + ms);
    if (!segment) assert.equal(value, 0);
    else assert.ok(value >= Math.min(segment.from, segment.to) && value <= Math.max(segment.from, segment.to));
  }
});

test("a gap between two segments shows 0 and no segment", () => {
  const timeline = show([2, 3], { startsAt: START });
  timeline.segments = timeline.segments.filter((segment) => segment.kind !== "rest");
  assert.equal(segmentAt(timeline, START + 15_000), null);
  assert.equal(valueAt(timeline, START + 15_000), 0);
  assert.equal(valueAt(timeline, START + 26_500), 3);
});

test("a pause holds its frame, whatever the time", () => {
  const timeline = show([4], { startsAt: START, pausedAt: START + 750 });
  for (const now of [START, START + 750, START + 9e6]) assert.equal(valueAt(timeline, now), 2);
  assert.equal(elapsedAt(timeline, START + 9e6), 750);
  assert.equal(isOver(timeline, START + 9e6), false);
  const resumed = { ...timeline, pausedAt: null, startsAt: START + 60_000 };
  assert.equal(valueAt(resumed, START + 60_750), 2);
});

test("only a complete show is over", () => {
  assert.equal(isOver(show([1], { startsAt: START }), START + 41_500), true);
  assert.equal(isOver(show([1], { startsAt: START, complete: false }), START + 41_500), false);
});

test("no timeline has value 0", () => assert.equal(valueAt(null, START), 0));

test("a queued show waits for its turn, even through a pause", () => {
  const first = show([1], { id: "first", startsAt: START });
  const second = show([2], { id: "second", startsAt: START + first.durationMs });
  const owner = (shows, ms) => currentAt(shows, START + ms)?.id;
  assert.equal(owner([second, first], -5000), "first");
  assert.equal(owner([first, second], 100), "first");
  assert.equal(owner([first, second], first.durationMs), "second");
  assert.equal(owner([first, second], first.durationMs + second.durationMs), "second");
  assert.equal(owner([{ ...first, pausedAt: START + 1000 }, second], first.durationMs + 5), "first");
});

test("a show that begins while another runs replaces it, paused or not", () => {
  const first = show([1], { id: "first", startsAt: START });
  const second = show([2], { id: "second", startsAt: START + 5000 });
  assert.equal(currentAt([first, second], START + 4999).id, "first");
  assert.equal(currentAt([first, second], START + 5000).id, "second");
  assert.equal(currentAt([{ ...first, pausedAt: START + 1000 }, second], START + 6000).id, "second");
});

test("a show with nothing to play yet owns no screen", () => {
  const empty = { ...show([1], { startsAt: 0, complete: false }), segments: [], durationMs: 0 };
  assert.equal(currentAt([empty], START), null);
});

test("the plan has one step per question, several cycles for several right options", () => {
  const plan = planOf(show([2, [1, 3], null, 4], { startsAt: START }));
  assert.deepEqual(plan.steps.map((step) => step.question), [1, 2, 3, 4]);
  assert.deepEqual(plan.steps[1].cycles.map((cycle) => cycle.answer), [1, 3]);
  assert.equal(plan.steps[2].skipped, true);
  assert.deepEqual([plan.cycles[0].startMs, plan.cycles[0].endMs, plan.finaleMs], [0, 10_000, 100_000]);
});

test("cycles are told apart without rise, fall and rest", () => {
  const still = show([[2, 3], 3], { startsAt: START, timing: [0, 1000, 0, 0] });
  assert.deepEqual(planOf(still).cycles.map((c) => [c.question, c.answer, c.startMs]), [[1, 2, 0], [1, 3, 1000], [2, 3, 2000]]);
  const falling = show([[2, 3]], { startsAt: START, timing: [0, 0, 500, 0] });
  assert.deepEqual(planOf(falling).cycles.map((c) => [c.answer, c.endMs]), [[2, 500], [3, 1000]]);
});
