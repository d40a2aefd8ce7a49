/**
 * Plays what the server says a score sounds like ({parts, notes, seconds}), from any second of it.
 *
 * Emits "change" when it begins and ends.
 */
import { Ensemble } from "../sound/ensemble.js";
import { Waker } from "../sound/waker.js";

const LEAD_IN = 0.15; // seconds between the gesture and the first note
const TAIL = 0.4;

export class Player extends EventTarget {
  constructor(wishes) {
    super();
    this.wishes = wishes;
    this.waker = new Waker(() => this.#wake());
    this.ensemble = null; // made with the first gesture: browsers give sound to nobody else
    this.score = null; // what is being played
    this.source = null;
    wishes.addEventListener("change", ({ detail }) => this.#adopt(detail));
  }

  /** The second of the score that is heard now, or null. */
  get position() {
    return this.source ? this.ensemble.bridge.now() - this.source.zero : null;
  }

  /** False where the browser holds the sound back. */
  async play(score, from = 0) {
    this.stop();
    if (!(await this.#unlock())) return false;
    const { ensemble } = this;
    ensemble.seat(score.parts, this.wishes.get("sound"));
    this.score = score;
    this.source = new ScoreSource(score.notes, ensemble.now + LEAD_IN - from, from);
    ensemble.scheduler.add(this.source);
    ensemble.wake();
    this.#changed();
    return true;
  }

  stop() {
    if (!this.source) return;
    this.ensemble.scheduler.remove(this.source, this.ensemble.now);
    this.source = null;
    this.score = null;
    this.#changed();
  }

  async #unlock() {
    this.ensemble ??= this.#makeEnsemble();
    const { ctx } = this.ensemble;
    if (ctx.state !== "running") await Promise.race([ctx.resume(), new Promise((resolve) => setTimeout(resolve, 1500))]);
    return ctx.state === "running";
  }

  #makeEnsemble() {
    const ensemble = new Ensemble(new AudioContext({ latencyHint: "playback" }));
    ensemble.mixer.setVolume("master", this.wishes.get("volume"));
    this.waker.start();
    return ensemble;
  }

  #wake() {
    this.ensemble?.wake();
    if (this.source && this.position > this.score.seconds + TAIL) this.stop();
  }

  #adopt(name) {
    if (name === "volume") this.ensemble?.mixer.setVolume("master", this.wishes.get("volume"));
    if (name === "sound" && this.score) this.ensemble.reseat(this.score.parts, this.wishes.get("sound"));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** Notes {start, seconds, pitch, velocity, part} as a source of the scheduler; second 0 falls on audio time `zero`. */
export class ScoreSource {
  constructor(notes, zero, from = 0) {
    this.notes = notes.filter(({ start }) => start >= from - 1e-3).sort((a, b) => a.start - b.start);
    this.longest = Math.max(0, ...this.notes.map(({ seconds }) => seconds));
    this.zero = zero;
  }

  events(from, to) {
    const [first, last] = [from - this.zero, to - this.zero];
    const events = [];
    for (let i = this.#firstAfter(first - this.longest); i < this.notes.length && this.notes[i].start < last; i += 1) {
      const note = this.notes[i];
      if (note.start + note.seconds > first) events.push(this.#event(note));
    }
    return events;
  }

  #event(note) {
    const at = this.zero + note.start;
    return { key: note, at, until: at + note.seconds, part: note.part, pitches: [note.pitch], velocity: note.velocity };
  }

  /** The first note that does not begin before `second`. */
  #firstAfter(second) {
    let [low, high] = [0, this.notes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.notes[middle].start < second) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
