// Clock: the server's time on this screen, from `ping` and `pong`.
//
// The offset of the lowest round trip among the last five counts: a fast round trip leaves the least room for an uneven
// path. Runs on a monotonic local clock, so that a corrected system clock does not make the picture jump.

/** Samples that are kept and compared. */
export const SAMPLES = 5;
/** A wall clock that moved this much against the monotonic one means sleep or a correction, in milliseconds. */
const STEP_MS = 1000;
/** Pings without an answer that are remembered; a lost one must not grow the map for ever. */
const PENDING = 32;

export class Clock {
  /**
   * @param {{now?: () => number, wall?: () => number}} [sources] a monotonic clock and the wall clock, in milliseconds
   */
  constructor({ now = () => performance.now(), wall = () => Date.now() } = {}) {
    this.now = now;
    this.wall = wall;
    this.drift = wall() - now();
    this.offset = this.drift;
    this.samples = [];
    this.pending = new Map();
    this.lastId = 0;
  }

  /** Server time now, in milliseconds since the Unix epoch. @returns {number} */
  serverNow() {
    return this.serverAt(this.now());
  }

  /**
   * Server time at a moment of the local monotonic clock.
   * @param {number} local
   * @returns {number}
   */
  serverAt(local) {
    return local + this.offset;
  }

  /** Lowest round trip behind the present offset, in milliseconds; null while unmeasured. @returns {number|null} */
  get roundTripMs() {
    return this.samples.length ? Math.min(...this.samples.map((sample) => sample.trip)) : null;
  }

  /**
   * A first guess from the greeting, late by one way of the network; any measurement beats it.
   * @param {number} serverTime
   */
  greet(serverTime) {
    if (Number.isFinite(serverTime) && this.samples.length === 0) this.offset = serverTime - this.now();
  }

  /** The next ping to send. `clientTime` is unique, so that its pong finds it again. */
  ping() {
    const id = Math.max(Math.round(this.wall()), this.lastId + 1);
    this.lastId = id;
    this.pending.set(id, this.now());
    if (this.pending.size > PENDING) this.pending.delete(this.pending.keys().next().value);
    return { type: "ping", clientTime: id };
  }

  /**
   * Takes a pong in; one that answers none of our pings is ignored.
   * @param {{clientTime: number, serverTime: number}} pong
   */
  pong({ clientTime, serverTime }) {
    const sent = this.pending.get(clientTime);
    if (sent === undefined || !Number.isFinite(serverTime)) return;
    this.pending.delete(clientTime);
    const received = this.now();
    this.samples.push({ trip: received - sent, offset: serverTime - (sent + received) / 2 });
    if (this.samples.length > SAMPLES) this.samples.shift();
    this.offset = this.samples.reduce((best, sample) => (sample.trip < best.trip ? sample : best)).offset;
  }

  /** Forgets the samples and keeps the offset until better is known: after a reconnect, or when shown again. */
  remeasure() {
    this.samples = [];
    this.pending.clear();
  }

  /**
   * Whether the machine slept or its clock was set since the last question; a monotonic clock may stand still in sleep.
   * @returns {boolean}
   */
  stepped() {
    const drift = this.wall() - this.now();
    const moved = Math.abs(drift - this.drift) > STEP_MS;
    this.drift = drift;
    return moved;
  }
}
