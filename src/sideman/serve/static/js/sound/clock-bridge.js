/**
 * The bridge between the page's clock (performance.now, event time stamps, MIDI) and the audio clock.
 *
 * What counts is what the player hears: `audioAt` gives the audio time that leaves the loudspeaker at a page time, so
 * a key pressed exactly on an audible beat is stamped with exactly that beat, whatever the output latency.
 */
const KEPT = 15;

export class ClockBridge {
  constructor(ctx) {
    this.ctx = ctx;
    this.offsets = [];
    this.offset = null;
  }

  /** Takes one more look at both clocks; call it at every wake-up. */
  update() {
    const offset = this.#look();
    if (this.offset !== null && Math.abs(offset - this.offset) > 0.08) this.offsets = []; // paused, or another device
    this.offsets.push(offset);
    if (this.offsets.length > KEPT) this.offsets.shift();
    const sorted = [...this.offsets].sort((a, b) => a - b);
    this.offset = sorted[sorted.length >> 1];
  }

  /** Audio seconds heard at page time `ms`. */
  audioAt(ms) {
    if (this.ctx.state !== "running") return this.ctx.currentTime;
    if (this.offset === null) this.update();
    return Math.min(ms / 1000 + this.offset, this.ctx.currentTime);
  }

  /** Page time in ms at which audio time `seconds` is heard. */
  pageAt(seconds) {
    if (this.offset === null) this.update();
    return (seconds - this.offset) * 1000;
  }

  /** The audio time heard now. */
  now() {
    return this.audioAt(performance.now());
  }

  #look() {
    const stamp = this.ctx.getOutputTimestamp?.();
    if (stamp && stamp.contextTime > 0 && stamp.performanceTime > 0)
      return stamp.contextTime - stamp.performanceTime / 1000;
    return this.ctx.currentTime - (this.ctx.outputLatency || this.ctx.baseLatency || 0) - performance.now() / 1000;
  }
}
