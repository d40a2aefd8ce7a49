/**
 * Takes down what is played on keys: a bar of count-in, then a melody on the grid of 16ths.
 *
 * It is the player that the inputs of the page know (noteOn, noteOff, pedal, panic). Emits "change"; "taken" {melody}.
 */
import { Performance } from "../jam/performance.js";
import { barBeats, parseMeter } from "../music/metre.js";
import { Timeline } from "../music/timeline.js";
import { MetronomeSource } from "../sound/metronome.js";
import { played } from "./melody.js";

const LEAD_IN = 0.25; // seconds between the gesture and the first click
const METRE = /^([1-9]|1[0-6])\/[248]$/;

export class Recorder extends EventTarget {
  /** `player` has the engine. */
  constructor(player) {
    super();
    this.player = player;
    this.down = new Set(); // keys that are held
    this.running = null; // {timeline, click, performance, meter, tempo}
  }

  /** The beat that is heard now, negative in the count-in, or null. */
  get beat() {
    return this.running && this.running.timeline.beat(this.player.engine.bridge.now());
  }

  /** False where the browser holds the sound back. */
  async start({ meter, tempo }) {
    this.player.stop();
    if (!(await this.player.unlock())) return false;
    const { engine } = this.player;
    const known = METRE.test(meter) ? meter : "4/4";
    const parsed = parseMeter(known);
    const timeline = new Timeline(engine.now + LEAD_IN + (barBeats(parsed) * 60) / tempo, tempo);
    const click = new MetronomeSource(timeline, parsed, () => ({ on: true, grid: "1/4" }));
    this.running = { timeline, click, performance: new Performance(), meter: known, tempo };
    engine.scheduler.add(click);
    engine.wake();
    this.#changed();
    return true;
  }

  /** Ends it; what was played is told. */
  stop() {
    if (!this.running) return;
    const { click, performance, meter, tempo } = this.running;
    performance.finish(this.beat);
    const notes = performance.history(this.beat);
    const { engine } = this.player;
    engine.scheduler.remove(click, engine.now);
    for (const pitch of this.down) engine.noteOff(pitch);
    this.down.clear();
    this.running = null;
    if (notes.length > 0) this.dispatchEvent(new CustomEvent("taken", { detail: played(notes, { meter, tempo }) }));
    this.#changed();
  }

  noteOn(pitch, velocity, pageTime) {
    this.down.add(pitch);
    if (!this.player.engine) return; // a key before the first gesture
    this.player.engine.noteOn(pitch, velocity);
    this.running?.performance.noteOn(pitch, velocity, this.#beatAt(pageTime));
    this.#changed();
  }

  noteOff(pitch, pageTime) {
    this.down.delete(pitch);
    this.player.engine?.noteOff(pitch);
    this.running?.performance.noteOff(pitch, this.#beatAt(pageTime));
    this.#changed();
  }

  pedal(down) {
    this.player.engine?.pedal(down);
  }

  /** Escape. */
  panic() {
    this.stop();
  }

  #beatAt(pageTime) {
    return this.running.timeline.beat(this.player.engine.bridge.audioAt(pageTime));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
