// Dial: a ring in as many parts as the question has options, filled to the value, with the value rolling inside.
//
// Every frame touches only stroke-dashoffset, transform and opacity; the parts are rebuilt when their number changes, which
// happens while the value is 0.

import { dialParts } from "./scene.js";

const SVG = "http://www.w3.org/2000/svg";
const CENTRE = 500;
const RADIUS = 392;
const START = 135; // degrees clockwise from three o'clock; the open quarter lies at the bottom
const SWEEP = 270;
const GAP = 1.6; // degrees between two parts
const LABEL_RADIUS = 471;
const RAYS = 48;

/** Slow at both ends; for ornaments only, never for the value. @param {number} x any @returns {number} 0..1 */
export function smooth(x) {
  const c = Math.min(1, Math.max(0, x));
  return c * c * (3 - 2 * c);
}

function point(radius, degrees) {
  const a = (degrees * Math.PI) / 180;
  return `${(CENTRE + radius * Math.cos(a)).toFixed(2)} ${(CENTRE + radius * Math.sin(a)).toFixed(2)}`;
}

function svg(name, attributes, parent) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent?.append(element);
  return element;
}

export class Dial {
  /**
   * @param {HTMLElement} root filled with the dial
   * @param {{labels?: boolean, rays?: boolean}} [options]
   */
  constructor(root, { labels = true, rays = true } = {}) {
    this.withLabels = labels;
    this.count = 0;
    const box = { viewBox: "0 0 1000 1000", "aria-hidden": "true" };
    // A picture of their own: turning a layer paints nothing, turning a part of a picture paints all of it.
    this.rays = rays ? this.#buildRays(svg("svg", { ...box, class: "rays" }, root)) : null;
    this.svg = svg("svg", box, root);
    this.halo = svg("circle", { class: "halo", cx: CENTRE, cy: CENTRE, r: RADIUS }, this.svg);
    this.ring = svg("g", {}, this.svg);
    this.head = svg("g", { class: "head" }, this.svg);
    svg("path", { d: `M ${point(RADIUS - 46, START)} L ${point(RADIUS + 46, START)}` }, this.head);
    this.roll = document.createElement("div");
    this.roll.className = "roll";
    this.roll.setAttribute("aria-hidden", "true");
    this.track = document.createElement("div");
    this.cells = [document.createElement("span"), document.createElement("span")];
    this.track.append(...this.cells);
    this.roll.append(this.track);
    root.append(this.roll);
    this.floor = null;
    this.setParts(4);
  }

  #buildRays(group) {
    for (let i = 0; i < RAYS; i++) {
      const angle = (360 / RAYS) * i;
      // Three lengths in turn: a burst, not a gear wheel.
      const end = [566, 536, 551, 536][i % 4];
      svg("path", { d: `M ${point(518, angle)} L ${point(end, angle)}` }, group);
    }
    return group;
  }

  /**
   * @param {number} count parts of the ring, at least 1
   */
  setParts(count) {
    if (count === this.count) return;
    this.count = count;
    this.ring.replaceChildren();
    this.parts = [];
    this.labels = [];
    const step = SWEEP / count;
    for (let i = 0; i < count; i++) {
      const from = START + i * step + (i ? GAP / 2 : 0);
      const to = START + (i + 1) * step - (i < count - 1 ? GAP / 2 : 0);
      const d = `M ${point(RADIUS, from)} A ${RADIUS} ${RADIUS} 0 ${to - from > 180 ? 1 : 0} 1 ${point(RADIUS, to)}`;
      svg("path", { class: "track", d }, this.ring);
      this.parts.push({ path: svg("path", { class: "fill", d, pathLength: 100, "stroke-dasharray": "100 100" }, this.ring), part: -1, dim: -1 });
      if (this.withLabels) {
        const [x, y] = point(LABEL_RADIUS, START + (i + 1) * step).split(" ");
        const label = svg("text", { x, y, class: "label" }, this.ring);
        label.textContent = i + 1;
        this.labels.push(label);
      }
    }
    this.lit = null;
  }

  /**
   * @param {{value: number, parts: number, answer: number, emphasis: number, pulse: number, quiet: boolean, burst: number,
   *          turn: number}} look `answer`: the part that is the answer (0: none); `emphasis`: how far it stands out;
   *   `pulse`: 0..1 through the wave after arrival; `quiet`: number set back; `burst`: rays of the finale, 0..1
   */
  draw({ value, parts, answer, emphasis, pulse, quiet, burst, turn }) {
    if (value === 0 || parts > this.count) this.setParts(parts);
    this.parts.forEach((entry, i) => {
      const part = Math.min(1, Math.max(0, value - i));
      if (part !== entry.part) {
        entry.part = part;
        entry.path.style.strokeDashoffset = 100 - part * 100;
        entry.path.style.visibility = part > 0 ? "visible" : "hidden";
      }
      const dim = answer && i + 1 !== answer ? emphasis : 0;
      if (dim !== entry.dim) entry.path.style.opacity = 1 - 0.62 * (entry.dim = dim);
    });
    this.head.style.opacity = value > 0 && value < this.count ? 1 : 0;
    this.head.style.transform = `rotate(${(Math.min(value, this.count) / this.count) * SWEEP}deg)`;
    this.halo.style.opacity = pulse > 0 && pulse < 1 ? (1 - pulse) * 0.55 : 0;
    this.halo.style.transform = `scale(${1 + smooth(pulse) * 0.16})`;
    if (this.rays) {
      this.rays.style.opacity = burst;
      this.rays.style.transform = `rotate(${turn}deg) scale(${0.93 + 0.07 * burst})`;
    }
    this.#drawRoll(value, quiet);
    this.#light(emphasis > 0.5 ? answer : 0);
  }

  #drawRoll(value, quiet) {
    const floor = Math.floor(value);
    if (floor !== this.floor) {
      this.floor = floor;
      this.cells[0].textContent = floor;
      this.cells[1].textContent = floor + 1;
    }
    const part = value - floor;
    this.track.style.transform = `translateY(${-50 * part}%)`;
    this.cells[0].style.opacity = 1 - 0.75 * smooth(part);
    this.cells[1].style.opacity = 0.25 + 0.75 * smooth(part);
    if (quiet !== this.quiet) this.roll.classList.toggle("quiet", (this.quiet = quiet));
  }

  #light(answer) {
    if (answer === this.lit) return;
    this.labels[this.lit - 1]?.classList.remove("lit");
    this.labels[answer - 1]?.classList.add("lit");
    this.lit = answer;
  }
}

/**
 * How the dial looks in a scene; the argument of `Dial.draw`.
 * @param {import("./scene.js").Scene} scene
 * @param {import("./show.js").Facts} facts
 */
export function dialLook(scene, facts) {
  const { phase, cycle, sinceMs, segment } = scene;
  const options = cycle ? (facts.answers.result(scene.timeline.analysisId, cycle.question)?.probabilities?.length ?? 0) : 0;
  const finale = phase.startsWith("finale");
  const moving = phase === "rise" || phase === "fall" || finale;
  return {
    value: facts.still && moving ? segment.to : scene.value,
    parts: dialParts(scene, options),
    answer: phase === "hold" || phase === "fall" ? cycle.answer : 0,
    emphasis: phase === "fall" || facts.still ? 1 : smooth(sinceMs / 600),
    pulse: !facts.still && (phase === "hold" || phase === "finale") ? sinceMs / 1100 : 0,
    quiet: scene.value === 0,
    burst: finale ? (facts.still ? 1 : smooth(scene.shown)) : 0,
    turn: facts.still ? 0 : (facts.now / 100) % 360,
  };
}
