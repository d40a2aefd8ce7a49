/**
 * What can be asked of the composer, and how the page plays it: names, bounds, defaults.
 */
import { Choices, choice, number, open } from "../choices.js";
import { INSTRUMENTS } from "../sound/instruments.js";

const MOST_BARS = 256;

// A signature says nothing of its mode: who wants minor gets it from the same one.
export const KEYS = {
  C: "Am", G: "Em", D: "Bm", A: "F#m", E: "C#m", B: "G#m", "F#": "D#m", "C#": "A#m",
  F: "Dm", Bb: "Gm", Eb: "Cm", Ab: "Fm", Db: "Bbm", Gb: "Ebm", Cb: "Abm",
};
export const METRES = ["2/4", "3/4", "4/4", "5/4", "2/2", "3/2", "3/8", "6/8", "9/8", "12/8"];

export const WISHES = {
  model: choice(""),
  period: choice(""),
  composer: choice(""),
  instrumentation: choice(""),
  bars: open(16, 1, MOST_BARS, 1),
  key: choice("", ["", ...Object.keys(KEYS)]),
  meter: choice("", ["", ...METRES]),
  tempo: open("", 10, 400, 1),
  seed: open("", 0, Number.MAX_SAFE_INTEGER, 1),
  temperature: number(0.9, 0, 2, 0.05),
  sound: choice("parts", ["parts", ...Object.keys(INSTRUMENTS).filter((name) => name !== "none")]),
  volume: number(80, 0, 100, 1),
};

const HEADER = ["key", "meter", "tempo"];
const ASKED = ["model", "period", "composer", "instrumentation", "bars", ...HEADER, "seed", "temperature"];

export class Wishes extends Choices {
  constructor(storage = localStorage) {
    super(WISHES, "sideman.compose.1", storage);
  }

  /** The body of POST /v1/compose. What is left open is the model's to choose; a seed is always named. */
  request() {
    const named = ASKED.map((name) => [name, this.get(name)]).filter(([, value]) => value !== "");
    return { seed: newSeed(), ...Object.fromEntries(named) };
  }

  /** The same to go on from a beginning, whose header has already said key, metre and tempo. */
  continuation(begin, bars) {
    const request = { ...this.request(), begin, bars };
    for (const name of HEADER) delete request[name];
    return request;
  }

  /** Wishes as they were for a request, so that the same piece would be written again. */
  takeOver(request) {
    for (const name of ASKED) this.set(name, request[name] ?? "");
  }
}

/** "Bb" as musicians write it. */
export function pretty(key) {
  return key.replace("b", "♭").replace("#", "♯");
}

export function newSeed() {
  return Math.floor(Math.random() * 2 ** 31);
}
