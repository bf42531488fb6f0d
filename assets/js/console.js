// Console: what the screens show, and the host's hands on it. The forms are in host.js.

import { screenAddress } from "./address.js";
import { Api } from "./api.js";
import { Dial, dialLook } from "./dial.js";
import { Host } from "./host.js";
import { runShow } from "./show.js";
import { elapsedAt } from "./timeline.js";
import { linkText, wordsOf } from "./words.js";

/** Pause between two looks at viewers and queue, and between an event and the next look, in milliseconds. */
const LOOK_MS = 4000;
const SOON_MS = 300;
/** How long a stop waits for its second press. */
const ARMED_MS = 4000;
/** How long a button says that it has copied. */
const COPIED_MS = 2500;

const part = (id) => document.getElementById(id);
const pause = document.querySelector('[data-action="pause"]');
const stop = document.querySelector('[data-action="stop"]');
const api = new Api();
const dial = new Dial(part("dial"), { labels: false, rays: false });
/** Whether watching takes a key here. */
let guarded = false;
let looking = 0;
let armed = 0;
let written = "";

followTheme();
const show = await runShow({
  live: null,
  draw,
  onStatus(status, say) {
    guarded ||= status.code === 1008;
    part("link").dataset.state = status.state;
    part("link").lastElementChild.textContent = linkText(status, say);
  },
  onEvent: ({ type }) => type !== "pong" && lookSoon(SOON_MS),
});
const { say, channel } = show;
translate();
const host = new Host({ api, say, channel, onPlayed: () => lookSoon(SOON_MS), onKey: show.introduce });
part("channel").value = channel;
document.title = `${channel} · ${say("console.title")} · quiz-stats`;
window.quizStats = { sample: show.sample };

function translate() {
  for (const element of document.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  for (const element of document.querySelectorAll("[data-say-label]")) element.ariaLabel = say(element.dataset.sayLabel);
  const names = new Intl.DisplayNames([say.lang], { type: "language" });
  for (const tag of show.languages) part("language").append(new Option(names.of(tag), tag));
}

// As the system is set, unless the address says otherwise.
function followTheme() {
  const light = matchMedia("(prefers-color-scheme: light)");
  const take = () => (document.documentElement.dataset.theme = light.matches ? "light" : "dark");
  take();
  if (!new URLSearchParams(location.search).has("theme")) light.addEventListener("change", take);
}

function draw(scene, facts) {
  dial.draw(dialLook(scene, facts));
  const playing = scene.timeline !== null && scene.phase !== "over";
  const left = playing ? Math.ceil((scene.timeline.durationMs - elapsedAt(scene.timeline, facts.now)) / 1000) : null;
  const key = [scene.phase, scene.timeline?.id, scene.timeline?.revision, scene.cycle?.startMs, left, facts.answers.version].join();
  if (key === written) return;
  written = key;
  document.body.dataset.phase = scene.phase;
  const words = wordsOf(scene, facts);
  for (const [id, text] of Object.entries(words)) part(id).textContent = text;
  part("left").textContent = left === null ? "–" : `${left}\u00a0s${scene.timeline.complete ? "" : "+"}`;
  pause.dataset.action = scene.paused ? "resume" : "pause";
  pause.textContent = facts.say(scene.paused ? "console.resume" : "console.pause");
  for (const button of part("controls").children) button.disabled = !playing;
}

function lookSoon(ms) {
  clearTimeout(looking);
  looking = setTimeout(look, ms);
}

async function look() {
  try {
    if (!document.hidden) {
      const { viewers, queued, position } = await api.call("GET", `/api/channels/${encodeURIComponent(channel)}`, { open: !guarded });
      part("viewers").textContent = viewers;
      part("queued").textContent = queued;
      part("position").textContent = position?.offset ?? say("console.none");
      part("epoch").textContent = position?.epoch ?? "";
    }
  } catch {
    // The state of the connection tells it already, and the next look mends it.
  }
  lookSoon(LOOK_MS);
}

// A stop ends what everybody sees, and empties the queue: a slip of the finger must not.
function arm() {
  stop.classList.add("armed");
  stop.textContent = say("console.stopSure");
  armed = setTimeout(disarm, ARMED_MS);
}

function disarm() {
  clearTimeout(armed);
  stop.classList.remove("armed");
  stop.textContent = say("console.stop");
}

part("controls").addEventListener("click", ({ target }) => {
  const { action } = target.dataset;
  if (!action) return;
  if (action === "stop" && !stop.classList.contains("armed")) return arm();
  disarm();
  host.attempt(target, () => api.call("POST", `/api/channels/${encodeURIComponent(channel)}/control`, { body: { action } }));
});

part("channel-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const address = new URL(location.href);
  address.searchParams.set("channel", part("channel").value);
  location.assign(address);
});

function writeAddresses() {
  const look = { theme: part("theme").value, scale: part("scale").value, lang: part("language").value };
  for (const kind of ["stage", "overlay"]) part(kind).value = screenAddress(location.origin, kind, channel, look);
}

part("look").addEventListener("change", writeAddresses);
writeAddresses();

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const field = part(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = say("console.copied");
    } catch {
      // No clipboard on plain http from another machine: the address is marked, so that one key copies it.
      button.textContent = say("console.copyByHand");
    }
    setTimeout(() => (button.textContent = say("console.copy")), COPIED_MS);
  });
}
lookSoon(0);
