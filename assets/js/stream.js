// Stream: one WebSocket that comes back by itself and knows its place.
//
// Keeps `{epoch, offset}` of the last event it passed on and hands it to the server when it reconnects, so that events
// arrive in order, none twice. Close codes are obeyed as section 2 of the contracts says; nothing here touches the page.

/** First and largest ceiling of the back-off, in milliseconds; full jitter below it spreads a crowd of screens. */
export const BASE_MS = 500;
export const CAP_MS = 10_000;
/** "Later" for 4029, in milliseconds. */
export const LATER_MS = 15_000;
/** A connection must last this long before the back-off starts anew: one that is dropped at once is no recovery. */
const STABLE_MS = 5_000;
/** No frame for this long after a ping means a dead line that no close frame will ever report, in milliseconds. */
export const SILENCE_MS = 10_000;

/** Events that a late screen asks for: they hold the answers of a show that has all of them. More would be dear, because a
 * growing show sends itself anew with each answer. */
const HISTORY = 8;

/**
 * @typedef {{epoch: string, offset: number}} Position
 * @typedef {{state: "connecting"|"connected"|"reconnecting"|"stopped", code?: number, reason?: string}} Status
 */

/**
 * Full-jitter back-off: anything from 0 up to a ceiling that doubles with every attempt.
 * @param {number} attempt 0 for the first
 * @param {() => number} [random] 0..1
 * @returns {number} milliseconds
 */
export function backoffMs(attempt, random = Math.random) {
  return Math.floor(random() * Math.min(CAP_MS, BASE_MS * 2 ** attempt));
}

/**
 * What a close code asks of us.
 * @param {number} code
 * @param {number} attempt reconnections since the last stable connection
 * @param {() => number} [random] 0..1
 * @returns {{reconnect: boolean, delayMs: number}}
 */
export function afterClose(code, attempt, random = Math.random) {
  if (code === 1008 || code === 1009) return { reconnect: false, delayMs: 0 };
  if (code === 4029) return { reconnect: true, delayMs: LATER_MS + Math.floor(random() * LATER_MS) };
  const atOnce = attempt === 0 && (code === 1001 || code === 4008 || code === 4009);
  return { reconnect: true, delayMs: atOnce ? 0 : backoffMs(attempt, random) };
}

export class Stream {
  /**
   * @param {{url: (position: Position|null) => string, onFrame: (frame: object) => void,
   *          onStatus?: (status: Status) => void, token?: string|null, WebSocket?: typeof globalThis.WebSocket,
   *          timers?: {set: Function, clear: Function}, random?: () => number}} options
   *   `token`: the key or token to watch with, where that takes one.
   */
  constructor({ url, onFrame, onStatus = () => {}, token = null, WebSocket = globalThis.WebSocket, timers, random = Math.random }) {
    Object.assign(this, { url, onFrame, onStatus, token, WebSocket, random });
    this.timers = timers ?? { set: (f, ms) => setTimeout(f, ms), clear: (id) => clearTimeout(id) };
    /** @type {Position|null} */
    this.position = null;
    /** @type {Status} */
    this.status = { state: "connecting" };
    this.attempt = 0;
    this.socket = null;
    this.retry = this.stable = this.watchdog = null;
  }

  /** Opens the connection, or opens it at once while a retry is waiting. Does nothing when connected or stopped. */
  connect() {
    if (this.socket || this.status.state === "stopped") return;
    this.timers.clear(this.retry);
    const socket = new this.WebSocket(this.url(this.position));
    this.socket = socket;
    // A browser sends no header with a WebSocket, and a key in the address would be in every log.
    if (this.token) socket.onopen = () => socket.send(JSON.stringify({ type: "auth", token: this.token }));
    socket.onmessage = ({ data }) => socket === this.socket && this.#receive(data);
    socket.onclose = ({ code, reason }) => socket === this.socket && this.#closed(code, reason);
    // A failed connection also closes; that is where it is dealt with.
    socket.onerror = () => {};
  }

  /**
   * Tries again with another key, if the server would not let us in. Whoever is in stays as it is.
   * @param {string|null} token
   */
  introduce(token) {
    if (this.status.code !== 1008) return;
    this.token = token;
    this.#report({ state: "connecting" });
    this.connect();
  }

  /**
   * Sends a frame if the line is open; a ping also starts the watch for a dead line.
   * @param {object} frame
   */
  send(frame) {
    if (this.socket?.readyState !== 1) return;
    this.socket.send(JSON.stringify(frame));
    if (frame.type === "ping") this.watchdog ??= this.timers.set(() => this.#dead(), SILENCE_MS);
  }

  /** Gives an open line up for a new one, which starts from our place: after sleep, when no close frame will ever come. */
  renew() {
    if (this.socket?.readyState === 1) this.#dead();
  }

  #receive(data) {
    this.timers.clear(this.watchdog);
    this.watchdog = null;
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return; // not ours to repair, and the next frame may be good
    }
    if (frame === null || typeof frame !== "object") return;
    if (frame.type === "connection") this.#greeted(frame);
    if (frame.type === "gap" && this.position && Number.isFinite(frame.to)) {
      this.position.offset = Math.max(this.position.offset, frame.to);
    }
    if (Number.isFinite(frame.offset) && !this.#advance(frame)) return;
    this.onFrame(frame);
  }

  // Whether an event is new. Each carries its whole place: on a channel that was empty the greeting had none.
  #advance({ epoch, offset }) {
    const known = this.position;
    if (known && (epoch === undefined || epoch === known.epoch)) {
      if (offset <= known.offset) return false;
      known.offset = offset;
    } else if (epoch !== undefined) this.position = { epoch, offset };
    return true;
  }

  #greeted({ recovered, position, state, channel }) {
    if (!this.position && position && state) this.#askForHistory(channel, position);
    // Recovered: what we missed follows, from our own place. Otherwise the greeting's place counts; a channel without
    // events has none.
    else if (!recovered || !this.position) this.position = position ? { ...position } : null;
    this.timers.clear(this.stable);
    this.stable = this.timers.set(() => (this.attempt = 0), STABLE_MS);
    this.#report({ state: "connected" });
  }

  // In the middle of a show: the greeting has its timeline, but how sure the answers are was told before we came.
  #askForHistory(channel, { epoch, offset }) {
    this.position = { epoch, offset: Math.max(0, offset - HISTORY) };
    this.send({ type: "subscribe", channel, ...this.position });
  }

  #dead() {
    const socket = this.socket;
    this.#closed(4009, "");
    socket?.close(); // after letting go of it: its own close event may take minutes on a dead line
  }

  #closed(code, reason) {
    this.socket = null;
    this.timers.clear(this.stable);
    this.timers.clear(this.watchdog);
    this.watchdog = null;
    const { reconnect, delayMs } = afterClose(code, this.attempt, this.random);
    this.attempt += 1;
    if (!reconnect) return this.#report({ state: "stopped", code, reason });
    this.#report({ state: "reconnecting", code, reason });
    this.retry = this.timers.set(() => this.connect(), delayMs);
  }

  #report(status) {
    this.status = status;
    this.onStatus(status);
  }
}
