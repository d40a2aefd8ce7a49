/**
 * The player's settings in a jam: names, bounds, defaults.
 */
import { Choices, choice, flag, number } from "./choices.js";

const KEY = "sideman.settings.1";

export const SETTINGS = {
  tempo: number(100, 1, 300, 1),
  meterCount: number(4, 1, 16, 1),
  meterUnit: choice("4", ["2", "4", "8"]),
  listen: number(8, 0, 16, 1),
  lookahead: number(4, 1, 8, 1),
  commit: number(2, 0, 8, 1),
  temperature: number(0.8, 0, 3, 0.1),
  model: choice(""),
  metronome: flag(true),
  metronomeGrid: choice("1/4", ["1/4", "1/16"]),
  metronomeSound: choice("click", ["click", "drums"]),
  chordInstrument: choice("epiano", ["epiano", "organ", "pluck", "pad", "none"]),
  melodyInstrument: choice("pluck", ["epiano", "organ", "pluck", "pad", "none"]),
  voicing: choice("close", ["close", "open", "drop-2", "shell"]),
  rhythm: choice("held", ["held", "beats", "bassAndChord", "offbeats", "charleston", "arpeggio"]),
  chordOctave: number(0, -1, 1, 1),
  keyOctave: number(4, 2, 6, 1),
  masterVolume: number(80, 0, 100, 1),
  chordVolume: number(68, 0, 100, 1),
  melodyVolume: number(90, 0, 100, 1),
  clickVolume: number(60, 0, 100, 1),
  midiIn: choice("all"),
  midiOut: choice(""),
  midiOutChannel: number(1, 1, 16, 1),
  showChords: flag(true),
  announce: flag(false),
};

export class Settings extends Choices {
  constructor(storage = localStorage) {
    super(SETTINGS, KEY, storage);
    this.values.commit = Math.min(this.values.commit, this.values.lookahead);
  }

  get meter() {
    return `${this.get("meterCount")}/${this.get("meterUnit")}`;
  }

  /** Nothing is promised beyond what is planned. */
  set(name, value) {
    const changed = super.set(name, value);
    if (changed && name === "lookahead" && this.values.commit > this.values.lookahead) this.set("commit", this.values.lookahead);
    return changed;
  }

  settle(name) {
    if (name === "commit") this.values.commit = Math.min(this.values.commit, this.values.lookahead);
  }
}
