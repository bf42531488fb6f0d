// Show: what stage, overlay and console share. Joins stream, clock and answers, and draws a scene per frame while there is
// something to see: nothing runs while the page is hidden, and a show that stands still costs nothing.

import { Answers } from "./answers.js";
import { Clock, SAMPLES } from "./clock.js";
import { applyLook, readLook } from "./look.js";
import { percent, sceneAt, skippedHere } from "./scene.js";
import { Stream } from "./stream.js";
import { loadStrings } from "./strings.js";
import { currentAt, segmentAt, valueAt } from "./timeline.js";
import { confidenceOf, noAnswer } from "./words.js";

/** Pause between the pings of a measurement, and between single pings after it, in milliseconds. */
const BURST_MS = 150;
const HEARTBEAT_MS = 15_000;
/** Shows that are remembered per channel: the running one and those queued behind it. */
const KEEP = 8;

/**
 * @typedef {{channel: string, say: import("./strings.js").Say, answers: Answers, now: number, still: boolean}} Facts
 *   `still`: the viewer wants no motion: cut to the value.
 */

/**
 * @param {{draw: (scene: import("./scene.js").Scene, facts: Facts) => void,
 *          onStatus: (status: import("./stream.js").Status, say: import("./strings.js").Say) => void,
 *          onEvent?: (event: object) => void, live: HTMLElement|null}} view
 *   `live`: the region that tells results, on pages that do. The page has an element `#hint`.
 * @returns {Promise<{say: import("./strings.js").Say, languages: string[], channel: string, sample: () => object,
 *                    introduce: (token: string|null) => void}>}
 */
export async function runShow({ draw, onStatus, onEvent = () => {}, live }) {
  const query = new URLSearchParams(location.search);
  const channel = channelOf(location);
  const { say, languages } = await loadStrings(query.get("lang"));
  applyLook(readLook(query, languages), say, document.getElementById("hint"));

  const stillness = matchMedia("(prefers-reduced-motion: reduce)");
  const clock = new Clock();
  const answers = new Answers();
  const timelines = new Map();
  let frame = 0;
  let visible = false;
  let shownByMixer = true;
  let drawn = null;
  let burst = 0;
  let pingTimer = 0;
  let said = "";

  const stream = new Stream({
    url: (position) => socketUrl(channel, position),
    onFrame,
    onStatus: (status) => onStatus(status, say),
    token: keyOf(location),
  });

  function onFrame(event) {
    if (event.type === "connection") {
      clock.greet(event.serverTime);
      measure();
      if (!event.recovered) timelines.clear();
      takeTimeline(event.state);
    } else if (event.type === "pong") clock.pong(event);
    else if (event.type === "timeline") takeTimeline(event);
    else if (event.type === "gap") takeTimeline(event.state);
    else answers.take(event);
    onEvent(event);
    wake();
  }

  function takeTimeline(timeline) {
    if (!timeline?.segments) return;
    // Replayed events may be older than the state that came with the greeting.
    if (timelines.get(timeline.id)?.revision > timeline.revision) return;
    timelines.delete(timeline.id);
    timelines.set(timeline.id, timeline);
    if (timelines.size > KEEP) timelines.delete(timelines.keys().next().value);
  }

  function measure() {
    clock.remeasure();
    burst = SAMPLES;
    clearTimeout(pingTimer);
    ping();
  }

  // After sleep the clock is off and the line most likely dead: the greeting of a new one brings both back at once.
  function wakeUp() {
    if (!clock.stepped()) return;
    clock.remeasure();
    stream.renew();
  }

  function ping() {
    wakeUp();
    stream.send(clock.ping());
    burst = Math.max(0, burst - 1);
    pingTimer = setTimeout(ping, burst > 0 ? BURST_MS : HEARTBEAT_MS);
  }

  function tick() {
    frame = 0;
    wakeUp();
    const local = performance.now();
    const now = clock.serverAt(local);
    const scene = sceneAt(timelines.values(), now);
    draw(scene, { channel, say, answers, now, still: stillness.matches });
    const { value, timeline } = scene;
    const at = performance.timeOrigin + local;
    drawn = { value, timelineId: timeline?.id ?? null, serverTime: now, roundTripMs: clock.roundTripMs, at };
    announce(scene);
    if (scene.phase !== "idle" && scene.phase !== "over" && !scene.paused) wake();
  }

  function wake() {
    if (visible && frame === 0) frame = requestAnimationFrame(tick);
  }

  // Seen again, it may have slept for long: the line may be dead and the clock off.
  function look() {
    const seen = shownByMixer && !document.hidden;
    if (seen === visible) return;
    visible = seen;
    if (visible) {
      stream.connect();
      measure();
      wake();
    } else {
      cancelAnimationFrame(frame);
      frame = 0;
    }
  }

  function mixerShows(shown) {
    shownByMixer = shown;
    look();
  }

  // Results alone, once each: a live region that counts seconds would talk over the room.
  function announce(scene) {
    const text = announcement(scene, answers, say);
    const key = text && [scene.timeline.id, scene.cycle?.startMs, text].join();
    if (!live || !text || key === said) return;
    said = key;
    live.textContent = text;
  }

  document.addEventListener("visibilitychange", look);
  // OBS hides a browser source without hiding its document, and says so by an event; its old versions by a call.
  window.addEventListener("obsSourceVisibleChanged", ({ detail }) => mixerShows(detail.visible));
  if (window.obsstudio) window.obsstudio.onVisibilityChange = mixerShows;
  window.addEventListener("online", () => stream.connect());
  stillness.addEventListener("change", wake);
  onStatus(stream.status, say);
  stream.connect();
  look();

  const sample = () => ({ ...sampleAt(timelines.values(), clock.serverNow(), stream.status), drawn });
  return { say, languages, channel, sample, introduce: (token) => stream.introduce(token) };
}

// `drawn` beside it is the last frame, null before the first: its number, its show, the server time it was drawn for and the
// round trip that this time rests on, and when that was on this machine's wall clock. So two screens on one machine can be
// compared.
function sampleAt(timelines, serverTime, status) {
  const timeline = currentAt(timelines, serverTime);
  return {
    value: valueAt(timeline, serverTime),
    serverTime,
    segment: timeline && segmentAt(timeline, serverTime),
    timelineId: timeline?.id ?? null,
    connected: status.state === "connected",
  };
}

/**
 * What the live region says in this scene, or "" for nothing new to say.
 * @param {import("./scene.js").Scene} scene
 * @param {Answers} answers
 * @param {import("./strings.js").Say} say
 * @returns {string}
 */
export function announcement(scene, answers, say) {
  const { phase, cycle } = scene;
  if (phase === "hold") {
    const confidence = confidenceOf(scene, answers);
    const facts = { question: cycle.question, answer: cycle.answer };
    return confidence === null ? say("announce", facts) : say("announceSure", { ...facts, n: percent(confidence) });
  }
  if (phase === "finale") return say("finale");
  const skipped = skippedHere(scene);
  return skipped.length ? noAnswer(skipped, say) : "";
}

/**
 * The channel of `/stage/{channel}`, `/overlay/{channel}` and `/console?channel=`.
 * @param {{pathname: string, search: string}} address
 * @returns {string}
 */
export function channelOf({ pathname, search }) {
  const part = pathname.split("/")[2] || new URLSearchParams(search).get("channel") || "default";
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a stray % sign: let the server judge the name
  }
}

/**
 * The key of a screen, where watching takes one: `/stage/hall#key=…`. What stands behind # is sent to nobody.
 * @param {{hash: string}} address
 * @returns {string|null}
 */
export function keyOf({ hash }) {
  return new URLSearchParams(hash.slice(1)).get("key");
}

function socketUrl(channel, position) {
  const url = new URL("/ws", location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  url.searchParams.set("channel", channel);
  if (position) {
    url.searchParams.set("epoch", position.epoch);
    url.searchParams.set("offset", position.offset);
  }
  return url.href;
}
