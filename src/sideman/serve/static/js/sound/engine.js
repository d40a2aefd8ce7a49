/**
 * The sound of the page: mixer, hands for each part, scheduler, clocks. Works on any BaseAudioContext; one that renders
 * offline is driven by calling `wake` between its suspensions, exactly as the Worker drives a live one.
 */
import { METRONOMES } from "./click.js";
import { ClockBridge } from "./clock-bridge.js";
import { Hands } from "./instruments.js";
import { MidiOut } from "./midi-out.js";
import { Mixer } from "./mixer.js";
import { Scheduler } from "./scheduler.js";

const LOUDNESS = { masterVolume: "master", chordVolume: "chords", melodyVolume: "melody", clickVolume: "click" };

export class Engine {
  constructor(ctx, settings) {
    this.ctx = ctx;
    this.settings = settings;
    this.mixer = new Mixer(ctx);
    const { channels } = this.mixer;
    this.chords = new Hands(ctx, channels.chords);
    this.melody = new Hands(ctx, channels.melody);
    this.bridge = new ClockBridge(ctx);
    this.midiOut = new MidiOut(this.bridge);
    this.scheduler = new Scheduler((part, ...note) => this.#play(part, ...note));
    this.partner = "chord"; // the part that is not the player's
    this.own = new Map(); // pitch -> the player's sounding note
    this.pedalDown = false;
    this.sustained = [];
    this.clicks = new Set();
    for (const name of [...Object.keys(LOUDNESS), "chordInstrument", "melodyInstrument"]) this.#adopt(name);
    settings.addEventListener("change", ({ detail }) => this.#adopt(detail));
  }

  get now() {
    return this.ctx.currentTime;
  }

  /** One wake-up: clocks compared, sounds placed, MIDI handed over. */
  wake() {
    this.bridge.update();
    this.scheduler.sync(this.now);
    this.midiOut.flush(this.now);
  }

  /** The player's own note, at once. */
  noteOn(pitch, velocity) {
    this.own.get(pitch)?.release(this.now);
    const hands = this.partner === "melody" ? this.chords : this.melody;
    this.own.set(pitch, hands.play(pitch, velocity, this.now));
  }

  noteOff(pitch) {
    const note = this.own.get(pitch);
    this.own.delete(pitch);
    if (!note) return;
    if (this.pedalDown) this.sustained.push(note);
    else note.release(this.now);
  }

  pedal(down) {
    this.pedalDown = down;
    if (down) return;
    for (const note of this.sustained) note.release(this.now);
    this.sustained = [];
  }

  /** Everything that sounds ends; what the sources want next is placed anew. */
  silence() {
    this.scheduler.forget(this.now);
    for (const hands of [this.chords, this.melody]) hands.silence();
    for (const click of this.clicks) click.cancel();
    this.clicks.clear();
    this.own.clear();
    this.sustained = [];
    this.pedalDown = false;
    this.midiOut.silence();
  }

  #play(part, pitch, velocity, at) {
    if (part === "click") return this.#click(pitch, at);
    if (part === "melody") return this.melody.play(pitch, velocity, at);
    const hands = part === "lead" ? this.melody : this.chords;
    const notes = [hands.play(pitch, velocity, at), this.midiOut.play(pitch, velocity, at)].filter(Boolean);
    return {
      release: (time) => notes.forEach((note) => note.release(time)),
      hold: () => notes.forEach((note) => note.hold()),
      cancel: () => notes.forEach((note) => note.cancel()),
    };
  }

  #click(rank, at) {
    const voice = METRONOMES[this.settings.get("metronomeSound")](this.ctx, this.mixer.channels.click, rank, at);
    for (const old of this.clicks) if (old.endsAt <= this.now) this.clicks.delete(old);
    this.clicks.add(voice);
    return voice;
  }

  #adopt(name) {
    const value = this.settings.get(name);
    if (name in LOUDNESS) this.mixer.setVolume(LOUDNESS[name], value);
    if (name === "chordInstrument") this.chords.name = value;
    if (name === "melodyInstrument") this.melody.name = value;
  }
}
