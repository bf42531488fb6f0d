// What the host types becomes the right calls; what the server refuses becomes words; the key stays where it belongs.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { screenAddress } from "../../assets/js/address.js";
import { runAnalysis } from "../../assets/js/analyses.js";
import { Api, Refusal, explain, isKey } from "../../assets/js/api.js";
import { LARGEST, readQuizFile } from "../../assets/js/file.js";
import { formatOf, quizOrder, readAnswers } from "../../assets/js/order.js";
import { Spent, allowanceOf } from "../../assets/js/spent.js";
import { say } from "./say.mjs";

const example = (name) => readFileSync(new URL(`../../examples/${name}`, import.meta.url), "utf8");

function fakeApi(...replies) {
  const calls = [];
  const fetch = async (path, call) => {
    calls.push({ path, ...call });
    const reply = replies.shift();
    if (reply instanceof Error) throw reply;
    const { status = 200, headers = {}, body } = reply;
    return { ok: status < 400, status, headers: new Headers(headers), json: async () => (typeof body === "string" ? JSON.parse(body) : body) };
  };
  return { api: new Api({ fetch }), calls };
}

test("the format of a pasted quiz is recognised", () => {
  assert.equal(formatOf(example("general-knowledge.json")), "JSON");
  assert.equal(formatOf(example("science.gift")), "GIFT");
  assert.equal(formatOf(example("deutsch.aiken")), "Aiken");
  assert.equal(formatOf(example("geography.xml")), "Moodle XML");
  assert.equal(formatOf("<p>Is it? {T}"), "GIFT");
  assert.equal(formatOf("[html]What is it? {=a ~b}"), "GIFT");
  assert.equal(formatOf(" \n{"), "JSON");
});

test("a pasted quiz goes to the host's channel", () => {
  assert.deepEqual(quizOrder('[{"question":"?"}]', "hall").body, { questions: [{ question: "?" }], channel: "hall" });
  assert.equal(quizOrder('{"questions":[],"channel":"other"}', "hall").body.channel, "hall");
  assert.equal(quizOrder('{"questions":', "hall").body, '{"questions":', "the server says what is wrong");
  const gift = quizOrder("Is it? {T}", "a.b");
  assert.deepEqual([gift.path, gift.type], ["/api/analyze?channel=a.b", "text/x-gift"]);
  assert.equal(quizOrder(" <quiz/>", "hall").type, "application/vnd.moodle+xml");
});

test("answers are numbers and gaps", () => {
  assert.deepEqual(readAnswers(" 3, 1 -;26\n–"), { answers: [3, 1, null, 26, null], bad: null });
  for (const bad of ["0", "27", "B", "1.5", "--"]) assert.equal(readAnswers(`1 ${bad}`).bad, bad);
  assert.deepEqual(readAnswers(""), { answers: [], bad: null });
});

test("addresses carry what the screen shall not decide itself", () => {
  const address = (look) => screenAddress("https://quiz.example", "overlay", "hall", look);
  assert.equal(address({ theme: "light", scale: "1.5", lang: "de" }), "https://quiz.example/overlay/hall?theme=light&scale=1.5&lang=de");
  assert.equal(address({ theme: "", scale: "", lang: "" }), "https://quiz.example/overlay/hall");
});

test("the key goes into a header, only where it is needed, and is forgotten when told", async () => {
  const { api, calls } = fakeApi({ body: {} }, { body: {} }, { body: {} });
  api.key = "secret";
  await api.call("POST", "/api/x", { body: { a: 1 } });
  await api.call("GET", "/api/y", { open: true });
  api.key = null;
  await api.call("GET", "/api/z");
  assert.deepEqual(calls.map((call) => call.headers["X-API-Key"]), ["secret", undefined, undefined]);
  assert.equal(calls[0].body, '{"a":1}');
  assert.ok(calls.every((call) => !call.path.includes("secret")));
  assert.deepEqual(["k", "geheim-ä", "a b", ""].map(isKey), [true, false, false, false]);
});

test("a refusal says what to change, then what the server says of this case", async () => {
  const body = {
    code: "invalid_question", error: "Invalid question structure", requestId: "r1", retryAfter: null,
    details: [{ path: "questions[0].answers", problem: "must have 2 to 26 entries, has 1" }],
  };
  const { api } = fakeApi({ status: 400, body }, new TypeError("no network"), { status: 502, body: "<html>" }, { status: 418, body: {} });
  const told = async () => explain(await api.call("GET", "/").catch((refusal) => refusal), say("en"));
  assert.deepEqual(await told(), {
    headline: "A question is not complete. Change what is named below.",
    lines: ["questions[0].answers: must have 2 to 26 entries, has 1", "Request r1"],
  });
  assert.deepEqual(await told(), { headline: say("en")("error.unreachable"), lines: [] });
  assert.match((await told()).headline, /HTTP 502/);
  assert.match((await told()).headline, /HTTP 418/);
  const busy = new Refusal({ code: "overloaded", error: "the queue is full", retryAfter: 3 });
  assert.deepEqual(explain(busy, say("en")).lines, ["the queue is full", "Try again in 3 seconds."]);
});

test("an analysis is followed to its end, through a busy server", async () => {
  const running = { status: "running", analysisId: "a", results: [] };
  const { api, calls } = fakeApi(
    { status: 202, body: { status: "running", analysisId: "a" } }, { body: running },
    { status: 429, body: { code: "rate_limited", retryAfter: 2 } }, new TypeError("restarting"),
    { body: { ...running, status: "success", answers: [2] } },
  );
  const [reports, waits] = [[], []];
  const order = { path: "/api/analyze", type: "application/json", body: {} };
  const report = await runAnalysis(api, order, { onReport: (r) => reports.push(r.status), wait: async (ms) => waits.push(ms) });
  assert.deepEqual(report.answers, [2]);
  assert.equal(calls[0].headers.Prefer, "respond-async");
  assert.equal(calls.at(-1).path, "/api/analyses/a");
  assert.deepEqual(reports, ["running", "running", "success"]);
  assert.ok(waits.includes(2000));
});

test("an analysis that fails as a whole is a refusal", async () => {
  const { api } = fakeApi({ body: { status: "error", analysisId: "a", code: "ai_failed", error: "no answer", results: [] } });
  await assert.rejects(runAnalysis(api, { path: "/api/analyze" }, { onReport() {} }), { code: "ai_failed" });
});

test("a file becomes text, or a reason why not", async () => {
  const read = async (...parts) => Object.values(await readQuizFile(new File(parts, "quiz.gift")));
  assert.deepEqual(await read("\uFEFFIst es süß? {T}\n"), ["Ist es süß? {T}\n", null]);
  assert.deepEqual(await read(new Uint8Array([0x49, 0xdf, 0x3f])), [null, "console.fileNoText"]);
  assert.deepEqual(await read("PK\0\u0003"), [null, "console.fileNoText"]);
  assert.deepEqual(await read(" \n"), [null, "console.fileEmpty"]);
  assert.deepEqual(await readQuizFile({ size: LARGEST + 1 }), { text: null, problem: "console.fileTooLarge" });
  const folder = { size: 4096, arrayBuffer: () => Promise.reject(new DOMException("", "NotReadableError")) };
  assert.deepEqual(await readQuizFile(folder), { text: null, problem: "console.fileUnreadable" });
});

test("what the analyses have cost adds up, those without a model's answer too", () => {
  const spent = new Spent();
  spent.add({ questionCount: 3, usage: { promptTokens: 140, completionTokens: 3, cachedQuestions: 1, coalescedQuestions: 1 } });
  spent.add({});
  spent.add({ questionCount: 1, usage: { promptTokens: 50, completionTokens: 7, cachedQuestions: 0, coalescedQuestions: 0 } });
  assert.deepEqual({ ...spent }, { questions: 4, free: 2, tokens: 200 });
});

test("an answer tells what may still be asked", async () => {
  const headers = { "ratelimit-limit": "3", "ratelimit-remaining": "2", "ratelimit-reset": "4" };
  assert.deepEqual(allowanceOf(new Headers(headers)), { limit: 3, remaining: 2, resetMs: 4000 });
  assert.equal(allowanceOf(new Headers()), null);
  const { api } = fakeApi({ status: 429, headers, body: { code: "rate_limited", retryAfter: 1 } }, { body: {} });
  const told = [];
  api.onAllowance = (path, { remaining }) => told.push([path, remaining]);
  await assert.rejects(api.call("POST", "/api/analyze", { body: {} }), Refusal);
  await api.call("GET", "/api/analyses/1");
  assert.deepEqual(told, [["/api/analyze", 2]]);
});
