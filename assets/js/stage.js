// Stage: the show full-screen. `f` toggles full screen; `?theme=light`, `?scale=1.2` and `?lang=de` set the look.

import { Dial, dialLook } from "./dial.js";
import { Panel } from "./panel.js";
import { Rail } from "./rail.js";
import { runShow } from "./show.js";
import { linkText } from "./words.js";

const dial = new Dial(document.getElementById("dial"));
const panel = new Panel(document.getElementById("panel"));
const rail = new Rail(document.getElementById("rail"));
const link = document.getElementById("link");
const paused = document.getElementById("paused");

let phase = null;
const show = await runShow({
  live: document.getElementById("live"),
  draw(scene, facts) {
    if (scene.phase !== phase) document.body.dataset.phase = phase = scene.phase;
    dial.draw(dialLook(scene, facts));
    panel.draw(scene, facts);
    rail.draw(scene, facts);
    paused.hidden = !scene.paused;
  },
  onStatus(status, say) {
    link.dataset.state = status.state;
    link.lastElementChild.textContent = linkText(status, say);
  },
});

paused.textContent = show.say("paused");
document.getElementById("channel").textContent = show.channel;
document.title = `${show.channel} · quiz-stats`;

addEventListener("keydown", (event) => {
  if (event.key !== "f" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen().catch(() => {}); // refused by the browser: nothing to repair
});

// For tests and operators: what this screen shows and believes the time to be, so that two screens can be compared.
window.quizStats = { sample: show.sample };
