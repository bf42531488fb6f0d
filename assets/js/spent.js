// Spent: what the host's calls have cost since the page was opened, and what may still be asked. Pure.

/** @typedef {{promptTokens: number, completionTokens: number, cachedQuestions: number, coalescedQuestions: number}} Usage */

export class Spent {
  constructor() {
    Object.assign(this, { questions: 0, free: 0, tokens: 0 });
  }

  /**
   * Adds an analysis that has ended.
   * @param {{questionCount?: number, usage?: Usage}} report
   */
  add({ questionCount = 0, usage }) {
    this.questions += questionCount;
    if (!usage) return;
    this.free += usage.cachedQuestions + usage.coalescedQuestions;
    this.tokens += usage.promptTokens + usage.completionTokens;
  }
}

/**
 * The allowance that an answer tells of.
 * @param {Headers} headers
 * @returns {{limit: number, remaining: number, resetMs: number}|null} null without one: limits are off, or a proxy hides them
 */
export function allowanceOf(headers) {
  const [limit, remaining, reset] = ["limit", "remaining", "reset"].map((name) => headers.get(`ratelimit-${name}`));
  if (limit === null || remaining === null) return null;
  return { limit: Number(limit), remaining: Number(remaining), resetMs: 1000 * Number(reset ?? 0) };
}
