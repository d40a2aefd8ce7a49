/**
 * The player's settings: names, bounds, defaults; kept in this browser.
 *
 * Emits "change" with `detail` = the name that changed.
 */
const KEY = "sideman.settings.1";

const number = (initial, min, max, step) => ({ kind: "number", initial, min, max, step });
const choice = (initial, values = null) => ({ kind: "choice", initial, values });
const flag = (initial) => ({ kind: "flag", initial });

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

export class Settings extends EventTarget {
  constructor(storage = localStorage) {
    super();
    this.storage = storage;
    this.values = Object.fromEntries(Object.entries(SETTINGS).map(([name, row]) => [name, row.initial]));
    for (const [name, value] of Object.entries(this.#stored()))
      if (name in SETTINGS) this.values[name] = fit(name, value) ?? this.values[name];
    this.values.commit = Math.min(this.values.commit, this.values.lookahead);
  }

  get(name) {
    return this.values[name];
  }

  get meter() {
    return `${this.get("meterCount")}/${this.get("meterUnit")}`;
  }

  /** Takes the value, brought within its bounds; what is no value at all is ignored. */
  set(name, value) {
    const fitting = fit(name, value);
    if (fitting === null || fitting === this.values[name]) return;
    this.values[name] = fitting;
    if (name === "commit" && fitting > this.values.lookahead) this.values.commit = this.values.lookahead;
    this.#store();
    this.dispatchEvent(new CustomEvent("change", { detail: name }));
    if (name === "lookahead" && this.values.commit > fitting) this.set("commit", fitting);
  }

  #stored() {
    try {
      return JSON.parse(this.storage.getItem(KEY)) ?? {};
    } catch {
      return {}; // unreadable: begin with what is sane
    }
  }

  #store() {
    try {
      this.storage.setItem(KEY, JSON.stringify(this.values));
    } catch {
      // a full or forbidden store costs only the memory of settings
    }
  }
}

function fit(name, value) {
  const { kind, min, max, step, values } = SETTINGS[name];
  if (kind === "flag") return Boolean(value);
  if (kind === "choice") return !values || values.includes(String(value)) ? String(value) : null;
  const number = Number(value);
  if (value === "" || !Number.isFinite(number)) return null;
  const steps = Math.round((Math.min(max, Math.max(min, number)) - min) / step);
  return Number((min + steps * step).toFixed(4));
}
