/**
 * One sounding note: sources behind a level that a release takes to silence.
 *
 * The release may be moved or taken back until it has begun, because the accompanist may decide late
 * that a chord goes on; a note that has not begun may be cancelled without a trace.
 */
const SILENT_AFTER = 9; // time constants: -78 dB

export class Voice {
  /** `sources` run from `at`; `amp` is the last node of the voice's own envelope. */
  constructor(ctx, { amp, sources, out, at, releaseTime, lasts = Infinity }) {
    this.ctx = ctx;
    this.at = at;
    this.releaseTime = releaseTime;
    this.sources = sources;
    this.lasts = at + lasts;
    this.endsAt = this.lasts;
    this.gate = ctx.createGain();
    this.gate.gain.setValueAtTime(1, at);
    amp.connect(this.gate).connect(out);
    for (const source of sources) source.start(at);
    if (lasts < Infinity) this.#stop(this.lasts);
    sources[0].onended = () => this.gate.disconnect();
  }

  /** Fades from audio time `time` on. */
  release(time) {
    const from = Math.max(time, this.at);
    const { gain } = this.gate;
    gain.cancelScheduledValues(Math.max(this.at + 1e-4, this.ctx.currentTime));
    gain.setTargetAtTime(0, from, this.releaseTime);
    this.#stop(Math.min(from + SILENT_AFTER * this.releaseTime, this.lasts));
  }

  /** Takes back a release that has not begun. */
  hold() {
    this.gate.gain.cancelScheduledValues(Math.max(this.at + 1e-4, this.ctx.currentTime));
    this.#stop(this.lasts < Infinity ? this.lasts : this.ctx.currentTime + 3600);
  }

  /** Ends it now: silently if it has not begun, by a quick fade if it has. */
  cancel() {
    if (this.ctx.currentTime < this.at) this.#stop(this.ctx.currentTime);
    else {
      this.releaseTime = Math.min(this.releaseTime, 0.02);
      this.release(this.ctx.currentTime);
    }
  }

  #stop(time) {
    this.endsAt = time;
    for (const source of this.sources) source.stop(time);
  }
}

/** MIDI pitch -> Hz, A4 = 440. */
export function hertz(pitch) {
  return 440 * 2 ** ((pitch - 69) / 12);
}

/** MIDI velocity -> a loudness factor with the feel of a piano. */
export function loudness(velocity) {
  return 0.12 + 0.88 * (velocity / 127) ** 1.6;
}
