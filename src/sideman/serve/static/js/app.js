/**
 * The page's one object: what the buttons, keys and ports do, and what the views look at.
 *
 * Emits "change" when phase, session or figures change, and "notice" when there is one line to tell the player.
 */
import { Jam } from "./jam/jam.js";
import { Takes, takeOf } from "./jam/takes.js";
import { socketUrl } from "./server.js";
import { newId } from "./shelf.js";
import { Engine } from "./sound/engine.js";
import { Waker } from "./sound/waker.js";
import { Stage, dresser } from "./stage.js";

const AUTOSAVE_BEATS = 4;
const RELEVANT_WHILE_PLAYING = new Set(["tempo", "model", "lookahead", "commit", "temperature"]);

export class App extends EventTarget {
  constructor(settings) {
    super();
    this.settings = settings;
    this.takes = new Takes();
    this.waker = new Waker(() => this.wake());
    this.engine = null; // made with the player's first gesture: browsers give sound to nobody else
    this.stage = null;
    this.jam = null;
    this.playing = null; // what is played back: {take, option} or null
    this.down = new Set(); // keys the player holds
    this.notice = null;
    settings.addEventListener("change", ({ detail }) => this.#onSetting(detail));
    addEventListener("pagehide", () => this.jam && this.#keepTake());
  }

  /** "idle" | "count-in" | "listening" | "jamming" | "playback" | "paused" */
  get phase() {
    if (!this.stage) return "idle";
    if (this.engine.ctx.state !== "running") return "paused";
    return this.jam ? this.jam.phase : "playback";
  }

  /** Makes the sound if there is none yet, and asks the browser to let it out. */
  async unlock() {
    this.engine ??= this.#makeEngine();
    if (this.engine.ctx.state !== "running") {
      const pause = new Promise((resolve) => setTimeout(resolve, 1500));
      await Promise.race([this.engine.ctx.resume(), pause]);
    }
    return this.engine.ctx.state === "running";
  }

  /** The big button. */
  async toggle() {
    if (this.phase === "paused" || !this.stage) {
      if (!(await this.unlock())) return this.tell("The browser holds the sound back. Press Play again.", "sound");
      this.clear("sound");
      if (!this.stage) this.play();
      return this.#changed();
    }
    return this.stop();
  }

  play() {
    const { settings, engine } = this;
    this.clear();
    const jam = new Jam({
      url: socketUrl("/v1/jam"),
      choices: () => this.#choices(),
      dress: dresser(settings),
      seed: Math.floor(Math.random() * 2 ** 31),
    });
    this.jam = jam;
    this.stage = Stage.jam(engine, settings, jam.plan, jam.lead);
    this.take = { id: newId(), startedAt: Date.now(), savedAt: 0 };
    jam.addEventListener("error", ({ detail }) => this.tell(detail, "server"));
    jam.addEventListener("planned", () => engine.scheduler.sync(engine.now));
    jam.addEventListener("change", () => this.#onJam());
    jam.open();
    this.#changed();
  }

  stop() {
    if (this.jam) {
      this.jam.step(this.stage.beat, this.stage.placedBeat);
      this.jam.stop();
      this.#keepTake();
    }
    this.stage?.leave();
    this.engine?.wake();
    this.jam = null;
    this.stage = null;
    this.playing = null;
    this.clear("line");
    this.#changed();
  }

  /** Plays a take back, with its own chords or those of an option. */
  async playBack(take, option = null) {
    if (this.jam) return;
    this.stop();
    if (!(await this.unlock())) return;
    this.stage = Stage.playback(this.engine, this.settings, take, option?.chords ?? take.chords);
    this.playing = { take, option };
    this.engine.wake();
    this.#changed();
  }

  panic() {
    this.engine?.silence();
    this.down.clear();
    this.jam?.performance.finish(this.#beatAt(performance.now()));
  }

  noteOn(pitch, velocity, pageTime) {
    this.down.add(pitch);
    if (!this.engine || this.engine.ctx.state !== "running") this.#wakeSound();
    this.engine.noteOn(pitch, velocity);
    this.jam?.performance.noteOn(pitch, velocity, this.#beatAt(pageTime));
  }

  noteOff(pitch, pageTime) {
    this.down.delete(pitch);
    this.engine?.noteOff(pitch);
    this.jam?.performance.noteOff(pitch, this.#beatAt(pageTime));
  }

  pedal(down, pageTime) {
    this.engine?.pedal(down);
    this.jam?.performance.pedal(down, this.#beatAt(pageTime));
  }

  /** One wake-up, live from the Worker. */
  wake() {
    const { engine, stage, jam } = this;
    if (!engine) return;
    if (jam && engine.ctx.state === "running") {
      jam.step(stage.beat, stage.placedBeat);
      if (jam.beat - this.take.savedAt >= AUTOSAVE_BEATS) this.#keepTake();
    }
    engine.wake();
    if (this.playing && stage.beat > stage.endBeat + 0.5) this.stop();
  }

  /** One line for the player; `key` names the trouble, so that it can be cleared when it is over. */
  tell(text, key = "info") {
    this.notice = { text, key };
    this.dispatchEvent(new Event("notice"));
  }

  /** Clears the line if it is about `key` (or whatever it is about). */
  clear(key = null) {
    if (!this.notice || (key !== null && this.notice.key !== key)) return;
    this.notice = null;
    this.dispatchEvent(new Event("notice"));
  }

  #makeEngine() {
    const ctx = new AudioContext({ latencyHint: "interactive" });
    const engine = new Engine(ctx, this.settings);
    this.waker.start();
    ctx.onstatechange = () => {
      if (ctx.state === "running") this.clear("sound");
      else if (this.stage) this.tell("The browser has paused the sound. Press Play to go on where you were.", "sound");
      this.#changed();
    };
    this.dispatchEvent(new CustomEvent("engine", { detail: engine }));
    return engine;
  }

  /** A note before any gesture the browser counts (a MIDI key): try, and say what is needed. */
  #wakeSound() {
    this.engine ??= this.#makeEngine();
    this.engine.ctx.resume();
    setTimeout(() => {
      if (this.engine.ctx.state !== "running") this.tell("Press Play to switch the sound on.", "sound");
    }, 300);
  }

  #choices() {
    const { settings } = this;
    const names = ["tempo", "model", "lookahead", "commit", "listen", "temperature"];
    return { ...Object.fromEntries(names.map((name) => [name, settings.get(name)])), meter: settings.meter };
  }

  #beatAt(pageTime) {
    return this.stage.timeline.beat(this.engine.bridge.audioAt(pageTime));
  }

  #onSetting(name) {
    if (this.stage && ["voicing", "rhythm", "chordOctave"].includes(name)) this.stage.redress();
    if (!this.jam) return;
    if (name === "tempo") this.stage.setTempo(this.settings.get("tempo"));
    if (RELEVANT_WHILE_PLAYING.has(name)) this.jam.set(name);
  }

  #onJam() {
    const { jam } = this;
    if (!jam) return;
    this.engine.partner = jam.part;
    const { state } = jam.connection;
    if (state === "lost") this.tell("The server is gone. What is planned plays on; trying to reach it again.", "line");
    else if (state === "open" && jam.started) this.clear("line");
    this.#changed();
  }

  #keepTake() {
    const { jam, stage } = this;
    this.take.savedAt = jam.beat;
    const now = { ...this.take, tempos: stage.timeline.pieces, meter: this.settings.meter, beat: jam.beat };
    const take = takeOf(jam, { ...now, placedBeat: stage.placedBeat });
    if (take && !this.takes.keep(take)) this.tell("This browser stores nothing more; download takes before you close the page.", "store");
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
