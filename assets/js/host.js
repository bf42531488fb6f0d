// Host: the forms of the console: what is typed goes to the API, what comes back is told.

import { runAnalysis } from "./analyses.js";
import { Refusal, explain, isKey } from "./api.js";
import { readQuizFile, takeDrops } from "./file.js";
import { formatOf, quizOrder, readAnswers } from "./order.js";
import { letterOf, percent } from "./scene.js";
import { Spent } from "./spent.js";

const part = (id) => document.getElementById(id);

export class Host {
  /**
   * @param {{api: import("./api.js").Api, say: import("./strings.js").Say, channel: string, onPlayed: () => void,
   *          onKey: (key: string|null) => void}} world
   */
  constructor({ api, say, channel, onPlayed, onKey }) {
    Object.assign(this, { api, say, channel, onPlayed, onKey });
    this.running = null;
    this.spent = new Spent();
    this.refilled = 0;
    api.onAllowance = (path, allowance) => path.startsWith("/api/analyze") && this.#tellAllowance(allowance);
    this.#onSubmit("quiz-form", () => this.#typed("quiz", (text) => this.#analyze(quizOrder(text, channel))));
    this.#onSubmit("page-form", () => this.#typed("page", (url) => this.#analyze(this.#pageOrder(url))));
    this.#onSubmit("answers-form", () => this.#typed("answers", (text) => this.#display(text)));
    this.#onSubmit("key-form", async () => this.#keep(part("key").value.trim()));
    part("forget").addEventListener("click", () => this.#keep(""));
    part("close").addEventListener("click", () => (part("trouble").hidden = true));
    part("cancel").addEventListener("click", () => this.#cancel());
    part("quiz").addEventListener("input", ({ target }) => {
      const known = target.value.trim();
      part("quiz-hint").textContent = known ? say("console.recognised", { format: formatOf(known) }) : say("console.quizHint");
    });
    takeDrops(document, part("quiz-form"), (files) => this.#take(files));
    part("quiz-file").addEventListener("change", ({ target }) => {
      this.#take([...target.files]);
      // Or choosing the same file again, mended meanwhile, would be no change.
      target.value = "";
    });
    this.#tellKey();
  }

  /**
   * Does what a button stands for; the button rests meanwhile, so that two presses are not two shows. It is not disabled:
   * that would take the focus from who works by keyboard.
   * @param {HTMLButtonElement} button
   * @param {() => Promise<unknown>} act
   */
  async attempt(button, act) {
    if (button.ariaBusy === "true") return;
    button.ariaBusy = "true";
    part("trouble").hidden = true;
    try {
      await act();
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      this.#tell(explain(refusal, this.say));
      if (refusal.code === "unauthenticated") part("key").focus();
    } finally {
      button.ariaBusy = null;
      this.onPlayed();
    }
  }

  #onSubmit(form, act) {
    part(form).addEventListener("submit", (event) => {
      event.preventDefault();
      this.attempt(event.submitter ?? part(form).querySelector("button"), act);
    });
  }

  async #typed(field, act) {
    const text = part(field).value.trim();
    if (text) return act(text);
    this.#tell({ headline: this.say("console.empty"), lines: [] });
    part(field).focus();
  }

  async #take(files) {
    const tell = (problem, name = "") => this.#tell({ headline: this.say(problem, { name }), lines: [] });
    if (files.length !== 1) return tell("console.oneFile");
    const [file] = files;
    const { text, problem } = await readQuizFile(file);
    if (problem) return tell(problem, file.name);
    part("trouble").hidden = true;
    const field = part("quiz");
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  }

  #pageOrder(url) {
    // What a person types for an address.
    const whole = /^[a-z][a-z0-9+.-]*:/i.test(url) ? url : `https://${url}`;
    return { path: "/api/analyze", type: "application/json", body: { url: whole, follow: part("follow").checked, channel: this.channel } };
  }

  async #analyze(order) {
    this.#progress(order.body.url ? this.say("console.reading") : "");
    part("results").replaceChildren();
    try {
      const report = await runAnalysis(this.api, order, { onReport: (one) => this.#report(one) });
      if (report.status === "cancelled") this.#progress(this.say("console.cancelled"));
    } catch (refusal) {
      part("outcome").hidden = true;
      throw refusal;
    } finally {
      this.running = null;
      part("cancel").hidden = true;
    }
  }

  #report({ status, analysisId, questionCount, usage, results = [] }) {
    this.running = analysisId;
    part("cancel").hidden = status !== "running";
    if (status !== "running") this.#tellSpent({ questionCount, usage });
    if (!questionCount) return;
    const { say } = this;
    const done = results.filter((result) => result.answer !== null).length;
    this.#progress(status === "running" ? say("solving", { n: questionCount - results.length }) : say("console.done", { n: questionCount, done }));
    part("results").replaceChildren(...results.map((result) => this.#result(result)));
  }

  #result({ index, answer, confidence, error }) {
    const { say } = this;
    const item = document.createElement("li");
    item.value = index;
    const sure = confidence === null || confidence === undefined ? "" : ` · ${say("sure", { n: percent(confidence) })}`;
    const known = answer !== null && answer !== undefined;
    item.textContent = known ? `${letterOf(answer)} · ${say("answer", { n: answer })}${sure}` : [say("console.noResult"), error].filter(Boolean).join(": ");
    return item;
  }

  async #cancel() {
    const { running } = this;
    if (running) await this.attempt(part("cancel"), () => this.api.call("DELETE", `/api/analyses/${running}`));
  }

  async #display(text) {
    const { answers, bad } = readAnswers(text);
    if (bad !== null) return this.#tell({ headline: this.say("console.badAnswers", { value: bad }), lines: [] });
    const whenBusy = part("busy").value;
    const body = whenBusy ? { answers, whenBusy } : { answers };
    await this.api.call("POST", `/api/channels/${encodeURIComponent(this.channel)}/display`, { body });
    part("results").replaceChildren();
    this.#progress(this.say("console.sent"));
  }

  #keep(key) {
    if (key && !isKey(key)) return this.#tell({ headline: this.say("console.badKey"), lines: [] });
    this.api.key = key || null;
    part("key").value = "";
    this.#tellKey();
    this.onKey(this.api.key);
  }

  #tellKey() {
    part("key-state").textContent = this.say(this.api.key ? "console.kept" : "console.noKey");
  }

  #tellSpent(report) {
    this.spent.add(report);
    const { questions: n, free, tokens } = this.spent;
    const number = new Intl.NumberFormat(this.say.lang);
    part("spent").textContent = this.say("console.spent", { n, free, tokens: number.format(tokens) });
  }

  #tellAllowance({ limit, remaining, resetMs }) {
    clearTimeout(this.refilled);
    const tell = (left) => (part("allowance").textContent = this.say("console.allowance", { left, limit }));
    tell(remaining);
    this.refilled = setTimeout(() => tell(limit), resetMs);
  }

  #progress(text) {
    part("outcome").hidden = false;
    part("progress").textContent = text;
  }

  #tell({ headline, lines }) {
    part("headline").textContent = headline;
    part("lines").replaceChildren(...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
    part("trouble").hidden = false;
    part("trouble").scrollIntoView({ block: "nearest" });
  }
}
