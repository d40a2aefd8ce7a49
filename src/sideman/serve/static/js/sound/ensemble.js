/**
 * The players of a score: each part has hands of its own, on the instrument that comes nearest to what it is written for.
 */
import { ClockBridge } from "./clock-bridge.js";
import { Hands } from "./instruments.js";
import { Mixer } from "./mixer.js";
import { Scheduler } from "./scheduler.js";

// General MIDI programs, counted from 0, up to which an instrument stands in for them.
const STAND_INS = [
  { below: 16, name: "epiano" }, // keyboards, bells
  { below: 24, name: "organ" },
  { below: 40, name: "pluck" }, // guitars, basses
  { below: 45, name: "pad" }, // bowed strings
  { below: 48, name: "pluck" }, // pizzicato, harp
  { below: 56, name: "pad" }, // strings, voices
  { below: 80, name: "organ" }, // winds
];
const LEVEL = 72; // of a mixer's 80

/** The page's instrument for a General MIDI program. */
export function standIn(program) {
  return STAND_INS.find(({ below }) => program < below)?.name ?? "epiano";
}

export class Ensemble {
  constructor(ctx) {
    this.ctx = ctx;
    this.mixer = new Mixer(ctx);
    this.mixer.setVolume("melody", LEVEL);
    this.bridge = new ClockBridge(ctx);
    this.parts = [];
    this.scheduler = new Scheduler((part, pitch, velocity, at) => this.parts[part].play(pitch, velocity, at));
  }

  get now() {
    return this.ctx.currentTime;
  }

  /** One wake-up. */
  wake() {
    this.bridge.update();
    this.scheduler.sync(this.now);
  }

  /** Seats a player for each part [{program}], on `sound`, or with "parts" on what suits it. What still rings is left to ring. */
  seat(parts, sound) {
    const names = parts.map(({ program }) => (sound === "parts" ? standIn(program) : sound));
    this.parts = names.map((name) => new Hands(this.ctx, this.mixer.channels.melody, name));
  }

  /** Takes other instruments from the next note on. */
  reseat(parts, sound) {
    parts.forEach(({ program }, i) => (this.parts[i].name = sound === "parts" ? standIn(program) : sound));
  }
}
