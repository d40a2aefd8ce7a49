/**
 * Plays the melody with the chords of a row, from any beat, once or in a loop; another row takes over in mid-bar.
 *
 * Emits "change" when what is played begins, ends or becomes another row.
 */
import { Engine } from "../sound/engine.js";
import { Waker } from "../sound/waker.js";
import { endOf } from "./melody.js";
import { clockOf, dressed, soundsOf } from "./performance.js";
import { PassSource } from "./pass-source.js";

export const MELODY = -1; // instead of a row: the melody alone
const LEAD_IN = 0.12; // seconds between the gesture and the first sound
const TAIL = 0.4;
const TASTE = 0.9; // how long a chord is sounded that was only touched

export class Player extends EventTarget {
  constructor(desk, sound) {
    super();
    Object.assign(this, { desk, sound });
    this.waker = new Waker(() => this.#wake());
    this.engine = null; // made with the first gesture: browsers give sound to nobody else
    this.source = null;
    this.row = null; // index of the row that plays, or MELODY
    this.loop = null; // {from, to} beats
    desk.addEventListener("change", () => this.#renew());
    sound.addEventListener("change", ({ detail }) => ["rhythm", "voicing", "chordOctave"].includes(detail) && this.#renew());
  }

  /** The beat that is heard now, or null. */
  get beat() {
    if (!this.source) return null;
    return this.clock.beat(Math.max(this.source.from, this.source.second(this.engine.bridge.now())));
  }

  /** Plays a row from a beat on (in the loop, if there is one), or lets it take over from the one that plays. False: no sound. */
  async play(row, from = 0) {
    if (this.source && row !== this.row) {
      this.row = row;
      this.#renew();
      return true;
    }
    this.stop();
    if (!(await this.unlock())) return false;
    this.row = row;
    this.#begin(from);
    return true;
  }

  stop() {
    if (!this.source) return;
    this.engine.scheduler.remove(this.source, this.engine.now);
    this.source = null;
    this.row = null;
    this.#changed();
  }

  /** Beats to go round in, or null; what plays goes there. */
  setLoop(loop) {
    const { beat } = this;
    this.loop = loop;
    if (!this.source) return;
    const inside = loop && beat >= loop.from && beat < loop.to;
    this.engine.scheduler.remove(this.source, this.engine.now);
    this.#begin(loop && !inside ? loop.from : beat);
  }

  /** Sounds a chord once, or a note. */
  async touch({ chord = null, pitch = null }) {
    if (!(await this.unlock())) return;
    const { engine } = this;
    const voiced = chord && dressed([chord], this.#dress)[0].voiced;
    const pitches = voiced ? [voiced.bass, ...voiced.upper].filter((each) => each !== null) : [pitch];
    const hands = chord ? engine.chords : engine.melody;
    for (const each of new Set(pitches)) hands.play(each, 80, engine.now + 0.01)?.release(engine.now + (chord ? TASTE : TASTE / 3));
  }

  async unlock() {
    this.engine ??= this.#makeEngine();
    const { ctx } = this.engine;
    if (ctx.state !== "running") await Promise.race([ctx.resume(), new Promise((resolve) => setTimeout(resolve, 1500))]);
    return ctx.state === "running";
  }

  get #dress() {
    const { sound } = this;
    return { rhythm: sound.get("rhythm"), style: sound.get("voicing"), octave: sound.get("chordOctave") };
  }

  #sounds() {
    const { melody, rows } = this.desk.doc;
    return soundsOf(melody, rows[this.row]?.chords ?? [], this.#dress);
  }

  #begin(beat) {
    const { engine, loop } = this;
    this.clock = clockOf(this.desk.doc.melody);
    const inside = loop && beat >= loop.from && beat < loop.to;
    const first = loop ? loop.from : beat;
    const [from, to] = [this.clock.time(first), loop ? this.clock.time(loop.to) : null];
    const late = inside ? this.clock.time(beat) - from : 0; // into the first round
    this.source = new PassSource(this.#sounds(), { zero: engine.now + LEAD_IN - late, from, to });
    engine.scheduler.add(this.source);
    engine.wake();
    this.#changed();
  }

  /** Other chords, notes or voicings, in place. Another tempo begins anew where it was. */
  #renew() {
    if (!this.source) return;
    const { melody, rows } = this.desk.doc;
    if (this.row !== MELODY && !rows[this.row]) return this.stop();
    if (JSON.stringify(clockOf(melody).pieces) !== JSON.stringify(this.clock.pieces)) {
      const { beat } = this;
      this.engine.scheduler.remove(this.source, this.engine.now);
      return this.#begin(beat);
    }
    this.source.sounds = this.#sounds();
    this.#changed();
  }

  #makeEngine() {
    const engine = new Engine(new AudioContext({ latencyHint: "interactive" }), this.sound);
    this.waker.start();
    return engine;
  }

  #wake() {
    if (!this.engine) return;
    this.engine.wake();
    if (!this.source || this.source.to !== null) return;
    const { melody, rows } = this.desk.doc;
    const end = endOf(melody.notes, rows[this.row]?.chords ?? []);
    if (this.source.second(this.engine.now) > this.clock.time(end) + TAIL) this.stop();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
