// The offset comes from the fastest of the last five round trips.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Clock, SAMPLES } from "../../assets/js/clock.js";

const OFFSET = 1_790_000_000_000;

function fakeClock() {
  const time = { now: 1000, wall: OFFSET - 77_000 };
  const clock = new Clock({ now: () => time.now, wall: () => time.wall });
  const pass = (ms) => {
    time.now += ms;
    time.wall += ms;
  };
  // A round trip over a path that takes `out` and `back` milliseconds, to a server whose clock is local + OFFSET.
  const trip = (out, back) => {
    const { clientTime } = clock.ping();
    pass(out);
    const serverTime = time.now + OFFSET;
    pass(back);
    clock.pong({ clientTime, serverTime });
  };
  return { clock, time, pass, trip };
}

test("an even path gives the exact time", () => {
  const { clock, time, trip } = fakeClock();
  trip(40, 40);
  assert.equal(clock.serverNow(), time.now + OFFSET);
  assert.equal(clock.roundTripMs, 80);
});

test("the lowest round trip wins, whenever it came", () => {
  const { clock, time, trip } = fakeClock();
  trip(300, 20);
  trip(4, 6);
  trip(20, 300);
  assert.equal(clock.serverNow() - (time.now + OFFSET), -1);
});

test("only the last five count", () => {
  const { clock, time, trip } = fakeClock();
  trip(0, 2);
  for (let i = 0; i < SAMPLES; i++) trip(10, 30);
  assert.equal(clock.serverNow() - (time.now + OFFSET), -10);
  assert.equal(clock.roundTripMs, 40);
});

test("the greeting is a first guess that no measurement gives way to", () => {
  const { clock, time, trip } = fakeClock();
  clock.greet(time.now + OFFSET - 30);
  assert.equal(clock.serverNow(), time.now + OFFSET - 30);
  trip(5, 5);
  clock.greet(0);
  assert.equal(clock.serverNow(), time.now + OFFSET);
});

test("strange pongs are ignored", () => {
  const { clock, trip } = fakeClock();
  trip(5, 5);
  const { offset } = clock;
  clock.pong({ clientTime: 12, serverTime: 0 });
  const { clientTime } = clock.ping();
  clock.pong({ clientTime, serverTime: undefined });
  clock.pong({ clientTime, serverTime: null });
  assert.equal(clock.offset, offset);
});

test("pings in the same millisecond are told apart, and lost ones forgotten", () => {
  const { clock } = fakeClock();
  const ids = new Set(Array.from({ length: 100 }, () => clock.ping().clientTime));
  assert.equal(ids.size, 100);
  assert.ok([...ids].every(Number.isInteger));
  assert.ok(clock.pending.size <= 32);
});

test("remeasuring keeps the time until a new pong tells better", () => {
  const { clock, time, trip } = fakeClock();
  trip(1, 1);
  clock.remeasure();
  assert.equal(clock.serverNow(), time.now + OFFSET);
  trip(50, 70);
  assert.equal(clock.serverNow() - (time.now + OFFSET), -10);
});

test("sleep and a corrected wall clock are noticed once", () => {
  const { clock, time, pass } = fakeClock();
  pass(60_000);
  assert.equal(clock.stepped(), false);
  time.wall += 3_600_000;
  assert.equal(clock.stepped(), true);
  assert.equal(clock.stepped(), false);
});
