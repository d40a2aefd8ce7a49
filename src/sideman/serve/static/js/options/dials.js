/**
 * What can be asked of the options, and how the page shows them: names, bounds, defaults.
 */
import { Choices, choice, number, open } from "../choices.js";

const ANY = ["", "Any"];

/** The dials that are menus: value -> what people read. */
export const MENUS = {
  complexity: [ANY, ["triads", "Triads"], ["sevenths", "Sevenths"], ["extensions", "Extensions"]],
  key: [ANY, ["lock", "Stay in the key"], ["free", "Free to leave"]],
  cadence: [
    ANY, ["authentic", "Authentic (V–I)"], ["plagal", "Plagal (IV–I)"], ["half", "Half (on V)"],
    ["deceptive", "Deceptive (V–vi)"], ["open", "Open"],
  ],
  bass: [ANY, ["0", "On the roots"], ["0.5", "Some steps"], ["1", "Stepwise"]],
  surprise: [ANY, ["0", "As expected"], ["0.35", "A little"], ["0.7", "Bold"], ["1", "Wild"]],
};
export const GRIDS = [["1", "1/4"], ["0.5", "1/8"], ["0.25", "1/16"]];

const menu = (name) => choice("", MENUS[name].map(([value]) => value));

export const DIALS = {
  n: number(5, 1, 16, 1),
  density: open("", 0.25, 16, 0.25),
  complexity: menu("complexity"),
  key: menu("key"),
  cadence: menu("cadence"),
  bass: menu("bass"),
  surprise: menu("surprise"),
  like: choice(""),
  temperature: number(1, 0, 3, 0.1),
  seed: open("", 0, 2 ** 31 - 1, 1),
  model: choice(""),
  grid: choice("0.5", GRIDS.map(([value]) => value)),
  zoom: number(1, 1, 6, 0.25),
};

const NUMBERS = ["n", "density", "bass", "surprise", "temperature"];
const WORDS = ["complexity", "key", "cadence", "like", "model"];

export class Dials extends Choices {
  constructor(storage = localStorage) {
    super(DIALS, "sideman.options.1", storage);
  }

  /** The fields of POST /v1/options but for the melody, the kept chords and the seed. What is left open is not sent. */
  request() {
    const named = (names, read) => names.filter((name) => this.get(name) !== "").map((name) => [name, read(this.get(name))]);
    return Object.fromEntries([...named(NUMBERS, Number), ...named(WORDS, (text) => text.trim())]);
  }

  /** The fields that POST /v1/alternatives shares with it. */
  place() {
    const { complexity, key, model } = this.request();
    return { complexity, key, model };
  }
}

export function newSeed() {
  return Math.floor(Math.random() * 2 ** 31);
}
