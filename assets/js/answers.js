// Answers: what the channel told about each question, so that the stage can show how sure an answer is.
//
// Only an ornament of the timeline: who has missed these events sees the same show without bars.

/** Analyses that are remembered; a channel plays one and may queue a few. */
const KEEP = 8;

/**
 * @typedef {{index: number, answer: number|null, confidence?: number|null, probabilities?: number[]|null}} Result
 */

export class Answers {
  constructor() {
    /** @type {Map<string, {count: number|null, results: Map<number, Result>}>} */
    this.analyses = new Map();
    /** Grows with every change, so that a view knows when to look again. */
    this.version = 0;
    /** The analysis that runs and has not shown anything yet, for the waiting screen. @type {{id: string, count: number}|null} */
    this.running = null;
  }

  /**
   * Takes an event in; other types are ignored.
   * @param {object} event
   */
  take(event) {
    const { type, analysisId } = event;
    if (type === "analysis_started") {
      this.#analysis(analysisId).count = event.questionCount;
      this.running = { id: analysisId, count: event.questionCount };
    } else if (type === "answer_ready") {
      this.#analysis(analysisId).results.set(event.index, event);
    } else if (type === "answers_ready") {
      const analysis = this.#analysis(analysisId);
      analysis.count = event.questionCount ?? analysis.count;
      for (const result of event.results ?? []) analysis.results.set(result.index, result);
      this.#finished(analysisId);
    } else if (type === "analysis_failed") {
      this.#finished(analysisId);
    } else return;
    this.version += 1;
  }

  /**
   * How many questions the analysis has, or null when that was never heard.
   * @param {string|null|undefined} analysisId
   * @returns {number|null}
   */
  count(analysisId) {
    return this.analyses.get(analysisId)?.count ?? null;
  }

  /**
   * The result of one question, or null when it was never heard.
   * @param {string|null|undefined} analysisId
   * @param {number} question counted from 1
   * @returns {Result|null}
   */
  result(analysisId, question) {
    return this.analyses.get(analysisId)?.results.get(question) ?? null;
  }

  #finished(analysisId) {
    if (this.running?.id === analysisId) this.running = null;
  }

  #analysis(id) {
    if (!this.analyses.has(id)) this.analyses.set(id, { count: null, results: new Map() });
    if (this.analyses.size > KEEP) this.analyses.delete(this.analyses.keys().next().value);
    return this.analyses.get(id);
  }
}
