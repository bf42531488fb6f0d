// Position, doubles, back-off and close codes, over a fake WebSocket and fake timers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { keyOf } from "../../assets/js/show.js";
import { BASE_MS, CAP_MS, LATER_MS, SILENCE_MS, Stream, afterClose, backoffMs } from "../../assets/js/stream.js";

function fakeStream(random = () => 0.5) {
  const sockets = [];
  const timers = new Map();
  let next = 0;
  class FakeSocket {
    constructor(url) {
      Object.assign(this, { url, readyState: 1, sent: [], closed: false });
      sockets.push(this);
    }
    send(text) {
      this.sent.push(JSON.parse(text));
    }
    close() {
      this.closed = true;
    }
    frame(frame) {
      this.onmessage({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
    }
  }
  const frames = [];
  const statuses = [];
  const stream = new Stream({
    url: (position) => (position ? `ws://x/?epoch=${position.epoch}&offset=${position.offset}` : "ws://x/"),
    onFrame: (frame) => frames.push(frame),
    onStatus: (status) => statuses.push(status.state),
    WebSocket: FakeSocket,
    random,
    timers: { set: (run, ms) => (timers.set(++next, { run, ms }), next), clear: (id) => timers.delete(id) },
  });
  stream.connect();
  const delays = () => [...timers.values()].map((timer) => timer.ms);
  // Runs the timer of that length and forgets it.
  const fire = (ms) => {
    const [id, timer] = [...timers].find(([, t]) => t.ms === ms);
    timers.delete(id);
    timer.run();
  };
  const greet = (extra = {}) => sockets.at(-1).frame({ type: "connection", position: { epoch: "e", offset: 17 }, recovered: false, ...extra });
  return { stream, sockets, frames, statuses, delays, fire, greet };
}

test("the back-off doubles to its cap, with full jitter", () => {
  assert.equal(backoffMs(0, () => 0.999999), BASE_MS - 1);
  assert.equal(backoffMs(3, () => 0.5), BASE_MS * 4);
  assert.equal(backoffMs(50, () => 0.5), CAP_MS / 2);
  assert.equal(backoffMs(9, () => 0), 0);
});

test("close codes mean what the contract says", () => {
  const half = () => 0.5;
  for (const code of [1008, 1009]) assert.equal(afterClose(code, 0, half).reconnect, false);
  for (const code of [1001, 4008, 4009]) assert.deepEqual(afterClose(code, 0, half), { reconnect: true, delayMs: 0 });
  // At once, but not in a loop against a server that keeps sending us away.
  assert.deepEqual(afterClose(1001, 1, half), { reconnect: true, delayMs: BASE_MS });
  assert.deepEqual(afterClose(1006, 0, half), { reconnect: true, delayMs: BASE_MS / 2 });
  assert.ok(afterClose(4029, 0, () => 0).delayMs >= LATER_MS);
});

test("a reconnect carries the place of the last event", () => {
  const { sockets, greet, fire, statuses } = fakeStream();
  assert.equal(sockets[0].url, "ws://x/");
  greet();
  sockets[0].frame({ type: "timeline", offset: 18 });
  sockets[0].onclose({ code: 1001 });
  fire(0);
  assert.equal(sockets[1].url, "ws://x/?epoch=e&offset=18");
  greet({ recovered: true, position: { epoch: "e", offset: 20 } });
  assert.deepEqual(statuses, ["connected", "reconnecting", "connected"]);
});

test("replayed events pass in order and none passes twice", () => {
  const { sockets, greet, fire, frames } = fakeStream();
  greet();
  sockets[0].frame({ type: "answer_ready", offset: 18 });
  sockets[0].onclose({ code: 1006 });
  fire(BASE_MS / 2);
  greet({ recovered: true, position: { epoch: "e", offset: 20 } });
  for (const offset of [18, 19, 20, 20, 21]) sockets[1].frame({ type: "answer_ready", offset });
  assert.deepEqual(frames.filter((f) => f.offset).map((f) => f.offset), [18, 19, 20, 21]);
});

test("a new epoch starts anew, also on a channel without events", () => {
  const { stream, sockets, greet, fire, frames } = fakeStream();
  greet();
  sockets[0].onclose({ code: 1006 });
  fire(BASE_MS / 2);
  greet({ position: null });
  assert.equal(stream.position, null);
  sockets[1].frame({ type: "timeline", offset: 1 });
  assert.equal(frames.at(-1).offset, 1);
});

test("the first event on an empty channel gives the place to come back to", () => {
  const { stream, sockets, greet, fire, frames } = fakeStream();
  greet({ position: null });
  sockets[0].frame({ type: "timeline", offset: 1, epoch: "e" });
  sockets[0].frame({ type: "timeline", offset: 1, epoch: "e" });
  assert.deepEqual(stream.position, { epoch: "e", offset: 1 });
  assert.equal(frames.length, 2, "the greeting and one event");
  sockets[0].onclose({ code: 1006 });
  fire(BASE_MS / 2);
  assert.equal(sockets[1].url, "ws://x/?epoch=e&offset=1");
  greet({ recovered: true, position: { epoch: "e", offset: 3 } });
  assert.equal(stream.position.offset, 1, "what was missed is still to come");
  for (const offset of [2, 3]) sockets[1].frame({ type: "timeline", offset, epoch: "e" });
  assert.deepEqual(frames.filter((f) => f.offset).map((f) => f.offset), [1, 2, 3]);
});

test("a gap moves the place and is told", () => {
  const { stream, sockets, greet, frames } = fakeStream();
  greet();
  sockets[0].frame({ type: "gap", from: 18, to: 90, state: null });
  assert.equal(stream.position.offset, 90);
  assert.equal(frames.at(-1).type, "gap");
});

test("attempts back off until a connection has lasted", () => {
  const { sockets, greet, fire, delays } = fakeStream();
  sockets[0].onclose({ code: 1006 });
  assert.deepEqual(delays(), [BASE_MS / 2]);
  fire(BASE_MS / 2);
  greet();
  sockets[1].onclose({ code: 1006 });
  assert.deepEqual(delays(), [BASE_MS], "a short connection is no recovery");
  fire(BASE_MS);
  greet();
  fire(5000);
  sockets[2].onclose({ code: 1006 });
  assert.deepEqual(delays(), [BASE_MS / 2]);
});

test("1008 stops for good and says so", () => {
  const { stream, sockets, greet, delays } = fakeStream();
  greet();
  sockets[0].onclose({ code: 1008, reason: "expired" });
  assert.deepEqual(stream.status, { state: "stopped", code: 1008, reason: "expired" });
  stream.connect();
  assert.equal(sockets.length, 1);
  assert.deepEqual(delays(), []);
});

test("a silent line is given up, its late close does not count twice", () => {
  const { stream, sockets, greet, fire, delays } = fakeStream();
  greet();
  stream.send({ type: "ping", clientTime: 1 });
  sockets[0].frame({ type: "pong", clientTime: 1, serverTime: 2 });
  assert.ok(!delays().includes(SILENCE_MS), "any frame is a sign of life");
  stream.send({ type: "ping", clientTime: 3 });
  fire(SILENCE_MS);
  assert.equal(sockets[0].closed, true);
  sockets[0].onclose({ code: 1006 });
  fire(0);
  assert.equal(sockets.length, 2);
});

test("who comes into a show asks for what was told before, once", () => {
  const { stream, sockets, greet, frames } = fakeStream();
  const state = { type: "timeline", segments: [] };
  greet({ channel: "hall", state });
  assert.deepEqual(sockets[0].sent, [{ type: "subscribe", channel: "hall", epoch: "e", offset: 9 }]);
  greet({ channel: "hall", state, recovered: true });
  for (const offset of [10, 17, 17, 18]) sockets[0].frame({ type: "answer_ready", offset });
  assert.deepEqual(frames.filter((f) => f.offset).map((f) => f.offset), [10, 17, 18]);
  assert.equal(sockets[0].sent.length, 1);
  assert.deepEqual(stream.position, { epoch: "e", offset: 18 });
});

test("history that is no longer kept is done without", () => {
  const { stream, sockets, greet } = fakeStream();
  const state = { type: "timeline", segments: [] };
  greet({ state, position: { epoch: "e", offset: 3 } });
  assert.equal(sockets[0].sent[0].offset, 0);
  greet({ state, position: { epoch: "e", offset: 3 } });
  assert.equal(sockets[0].sent.length, 1);
  assert.deepEqual(stream.position, { epoch: "e", offset: 3 });
});

test("a line that is renewed comes back at once, from its place", () => {
  const { stream, sockets, greet, fire } = fakeStream();
  greet();
  stream.renew();
  assert.equal(sockets[0].closed, true);
  fire(0);
  assert.equal(sockets[1].url, "ws://x/?epoch=e&offset=17");
  sockets[1].readyState = 0;
  stream.renew();
  assert.equal(sockets[1].closed, false, "one that is being opened is left alone");
});

test("waiting ends early when asked, with one connection", () => {
  const { stream, sockets, delays } = fakeStream();
  sockets[0].onclose({ code: 4029 });
  stream.connect();
  stream.connect();
  assert.equal(sockets.length, 2);
  assert.deepEqual(delays(), []);
});

test("what is no JSON object is passed over", () => {
  const { sockets, greet, frames } = fakeStream();
  greet();
  for (const text of ["{", "null", "7", '"x"']) sockets[0].frame(text);
  assert.equal(frames.length, 1);
});

test("nothing is sent on a closed line", () => {
  const { stream, sockets } = fakeStream();
  sockets[0].readyState = 0;
  stream.send({ type: "ping", clientTime: 1 });
  assert.deepEqual(sockets[0].sent, []);
});

test("a screen with a key says so first; one that was not let in may try another", () => {
  const sockets = [];
  class FakeSocket {
    constructor() {
      Object.assign(this, { readyState: 1, sent: [] });
      sockets.push(this);
    }
    send(text) {
      this.sent.push(JSON.parse(text));
    }
  }
  const timers = { set: () => 0, clear: () => {} };
  const stream = new Stream({ url: () => "ws://x/", onFrame: () => {}, token: "one", WebSocket: FakeSocket, timers });
  stream.connect();
  sockets[0].onopen();
  assert.deepEqual(sockets[0].sent, [{ type: "auth", token: "one" }]);
  stream.introduce("other");
  assert.equal(sockets.length, 1, "whoever is in stays");
  sockets[0].onclose({ code: 1008, reason: "" });
  assert.equal(stream.status.state, "stopped");
  stream.introduce("other");
  sockets[1].onopen();
  assert.deepEqual(sockets[1].sent, [{ type: "auth", token: "other" }]);
});

test("the key of a screen stands behind #", () => {
  assert.equal(keyOf({ hash: "#key=qs_1" }), "qs_1");
  for (const hash of ["", "#", "#top", "#qs_1"]) assert.equal(keyOf({ hash }), null);
});
