// Api: calls with the host's key, and every refusal as words that say what to change.

import { allowanceOf } from "./spent.js";

/** A call that did not do what it should. */
export class Refusal extends Error {
  /** @param {{code: string, error?: string, details?: {path: string, problem: string}[], requestId?: string, retryAfter?: number|null}} body */
  constructor(body) {
    super(body.error ?? body.code);
    Object.assign(this, { details: [], requestId: null, retryAfter: null }, body);
  }
}

export class Api {
  /** @param {{fetch?: typeof fetch}} [world] */
  constructor({ fetch = (...call) => globalThis.fetch(...call) } = {}) {
    this.fetch = fetch;
    /** Called with what a call has left of the allowance: the path, and what {@link allowanceOf} returns. */
    this.onAllowance = () => {};
    /** The host's key, or null. It is kept here and nowhere else: whoever comes to this machine later does not find it. */
    this.key = null;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {{type?: string, body?: string|object, headers?: Record<string, string>, open?: boolean}} [call] `open`: needs no
   *   key. It is not sent then, because a wrong one is refused even where none is needed.
   * @returns {Promise<object>} the body of the answer
   * @throws {Refusal}
   */
  async call(method, path, { type = "application/json", body, headers = {}, open = false } = {}) {
    const sent = { ...headers };
    if (body !== undefined) sent["Content-Type"] = type;
    if (this.key && !open) sent["X-API-Key"] = this.key;
    let response;
    try {
      response = await this.fetch(path, { method, headers: sent, body: typeof body === "object" ? JSON.stringify(body) : body });
    } catch {
      throw new Refusal({ code: "unreachable" });
    }
    const allowance = allowanceOf(response.headers);
    if (allowance) this.onAllowance(path, allowance);
    const answer = await response.json().catch(() => null);
    if (response.ok && answer) return answer;
    throw new Refusal(answer?.code ? answer : { code: `HTTP ${response.status}` });
  }
}

/**
 * Whether this can be a key at all: a header carries nothing else.
 * @param {string} key
 * @returns {boolean}
 */
export function isKey(key) {
  return /^[\x21-\x7e]+$/.test(key);
}

/**
 * A refusal in the host's language: what to do, then what the server says of this very case.
 * @param {Refusal} refusal
 * @param {import("./strings.js").Say} say
 * @returns {{headline: string, lines: string[]}}
 */
export function explain({ code, message, details, requestId, retryAfter }, say) {
  const key = `error.${code}`;
  const words = say(key);
  const lines = details.filter(({ path }) => path !== "reason").map(({ path, problem }) => `${path}: ${problem}`);
  // The details say the same at more length; without them it is the message that knows the case.
  if (lines.length === 0 && message !== code) lines.push(message);
  if (retryAfter) lines.push(say("console.retry", { n: retryAfter }));
  if (requestId) lines.push(say("console.request", { id: requestId }));
  return { headline: words === key ? say("error.unknown", { code }) : words, lines };
}
