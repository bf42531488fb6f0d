// Analyses: one that the host started, from the order to its report. It goes on in the server whatever becomes of this page.

import { Refusal } from "./api.js";

/** Pause between two looks at a running one, in milliseconds: well within the server's limit of calls. */
const LOOK_MS = 700;

/**
 * @param {import("./api.js").Api} api
 * @param {{path: string, type: string, body: string|object}} order
 * @param {{onReport: (report: object) => void, wait?: (ms: number) => Promise<void>}} watch called with each report, the
 *   last one included
 * @returns {Promise<object>} the report at its end
 * @throws {Refusal} also when the analysis as a whole failed
 */
export async function runAnalysis(api, { path, ...call }, { onReport, wait = sleep }) {
  let report = await api.call("POST", path, { ...call, headers: { Prefer: "respond-async" } });
  const { analysisId } = report;
  onReport(report);
  while (report.status === "running") {
    await wait(LOOK_MS);
    try {
      report = await api.call("GET", `/api/analyses/${analysisId}`);
    } catch (refusal) {
      // A server that is busy or restarts knows the analysis still: it was promised.
      if (!["rate_limited", "overloaded", "unreachable", "draining"].includes(refusal.code)) throw refusal;
      await wait((refusal.retryAfter ?? 1) * 1000);
      continue;
    }
    onReport(report);
  }
  if (report.status === "error") throw new Refusal(report);
  return report;
}

function sleep(ms) {
  return new Promise((done) => setTimeout(done, ms));
}
