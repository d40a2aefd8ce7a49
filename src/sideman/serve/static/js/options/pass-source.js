/**
 * A stretch of a performance as a source of the scheduler, once or over and over.
 *
 * `sounds` may be replaced while it plays: what is the same goes on, the rest changes at once.
 */
const FAR = 1e6;

export class PassSource {
  /** Second `from` of the performance falls on audio time `zero`; at second `to`, if it is not null, it begins again. */
  constructor(sounds, { zero, from, to = null }) {
    Object.assign(this, { sounds, zero, from, to });
  }

  /** The second of the performance at an audio time. */
  second(time) {
    const passed = time - this.zero;
    return this.from + (this.to === null || passed < 0 ? passed : passed % (this.to - this.from));
  }

  events(first, last) {
    const length = this.to === null ? FAR : this.to - this.from;
    const passes = [];
    for (let pass = Math.max(0, Math.floor((first - this.zero) / length)); this.zero + pass * length < last; pass += 1) passes.push(pass);
    return passes.flatMap((pass) => this.#pass(pass, this.zero + pass * length, first, last));
  }

  /** The events of a pass that begins at audio time `begins`. A chord that sounds already is struck, a note is not. */
  #pass(pass, begins, first, last) {
    const { from, to } = this;
    const found = [];
    for (const { start, end, part, pitches, velocity } of this.sounds) {
      if (end <= from + 1e-6 || (to !== null && start >= to - 1e-6) || (part === "melody" && start < from - 0.02)) continue;
      const at = begins + Math.max(start, from) - from;
      const until = begins + (to === null ? end : Math.min(end, to)) - from;
      if (until > first && at < last) found.push({ key: `${pass} ${part} ${at} ${pitches}`, at, until, part, pitches, velocity });
    }
    return found;
  }
}
