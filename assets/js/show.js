// Show: what stage and overlay share. Joins stream, clock and answers, and draws a scene per frame while there is
// something to see: nothing runs while the page is hidden, and a show that stands still costs nothing.

import { Answers } from "./answers.js";
import { Clock, SAMPLES } from "./clock.js";
import { percent, sceneAt, skippedHere } from "./scene.js";
import { Stream } from "./stream.js";
import { stringsFor } from "./strings.js";
import { currentAt, segmentAt, valueAt } from "./timeline.js";

/** Pause between the pings of a measurement, and between single pings after it, in milliseconds. */
const BURST_MS = 150;
const HEARTBEAT_MS = 15_000;
/** Shows that are remembered per channel: the running one and those queued behind it. */
const KEEP = 8;

/**
 * @typedef {{channel: string, strings: ReturnType<typeof stringsFor>, answers: Answers, now: number, still: boolean}} Facts
 *   `still`: the viewer wants no motion: cut to the value.
 */

/**
 * @param {{draw: (scene: import("./scene.js").Scene, facts: Facts) => void,
 *          onStatus: (status: import("./stream.js").Status, strings: object) => void, live: HTMLElement|null}} view
 * @returns {{strings: ReturnType<typeof stringsFor>, channel: string, sample: () => object}}
 */
export function runShow({ draw, onStatus, live }) {
  const options = new URLSearchParams(location.search);
  const channel = channelOf(location.pathname);
  const strings = stringsFor(options.get("lang"), ...navigator.languages);
  applyLook(options, strings);

  const stillness = matchMedia("(prefers-reduced-motion: reduce)");
  const clock = new Clock();
  const answers = new Answers();
  const timelines = new Map();
  let frame = 0;
  let visible = !document.hidden;
  let burst = 0;
  let pingTimer = 0;
  let said = "";

  const stream = new Stream({
    url: (position) => socketUrl(channel, position),
    onFrame,
    onStatus: (status) => onStatus(status, strings),
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

  function ping() {
    if (clock.stepped()) {
      clock.remeasure();
      burst = SAMPLES;
    }
    stream.send(clock.ping());
    burst = Math.max(0, burst - 1);
    pingTimer = setTimeout(ping, burst > 0 ? BURST_MS : HEARTBEAT_MS);
  }

  function tick() {
    frame = 0;
    const now = clock.serverNow();
    const scene = sceneAt(timelines.values(), now);
    draw(scene, { channel, strings, answers, now, still: stillness.matches });
    announce(scene);
    if (scene.phase !== "idle" && scene.phase !== "over" && !scene.paused) wake();
  }

  function wake() {
    if (visible && frame === 0) frame = requestAnimationFrame(tick);
  }

  function setVisible(shown) {
    visible = shown;
    if (!shown) {
      cancelAnimationFrame(frame);
      frame = 0;
      return;
    }
    stream.connect();
    measure();
    wake();
  }

  // Results alone, once each: a live region that counts seconds would talk over the room.
  function announce(scene) {
    const text = announcement(scene, answers, strings);
    const key = text && [scene.timeline.id, scene.cycle?.startMs, text].join();
    if (!live || !text || key === said) return;
    said = key;
    live.textContent = text;
  }

  document.addEventListener("visibilitychange", () => setVisible(!document.hidden));
  // OBS hides a browser source without hiding its document.
  window.addEventListener("obsSourceVisibleChanged", (event) => setVisible(event.detail.visible));
  window.addEventListener("online", () => stream.connect());
  stillness.addEventListener("change", wake);
  onStatus(stream.status, strings);
  stream.connect();
  wake();

  return { strings, channel, sample: () => sampleAt(timelines.values(), clock.serverNow(), stream.status) };
}

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
 * @param {ReturnType<typeof stringsFor>} strings
 * @returns {string}
 */
export function announcement(scene, answers, strings) {
  const { phase, cycle, timeline } = scene;
  if (phase === "hold") {
    const confidence = cycle.confidence ?? answers.result(timeline.analysisId, cycle.question)?.confidence ?? null;
    return strings.announce(cycle.question, cycle.answer, confidence === null ? null : percent(confidence));
  }
  if (phase === "finale") return strings.finale;
  const skipped = skippedHere(scene);
  return skipped.length ? strings.noAnswer(skipped) : "";
}

/**
 * The channel of `/stage/{channel}` and `/overlay/{channel}`.
 * @param {string} pathname
 * @returns {string}
 */
export function channelOf(pathname) {
  const part = pathname.split("/")[2] || "default";
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a stray % sign: let the server judge the name
  }
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

function applyLook(options, strings) {
  const root = document.documentElement;
  root.lang = strings.lang;
  root.dataset.theme = options.get("theme") === "light" ? "light" : "dark";
  const scale = Number(options.get("scale"));
  if (scale >= 0.25 && scale <= 4) root.style.setProperty("--scale", scale);
}
