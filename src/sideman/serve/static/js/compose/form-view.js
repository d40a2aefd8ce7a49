/**
 * What to write: the menus of the models, their prompts (only those there are), keys and metres, and the dice.
 */
import { ControlsView } from "../view/controls-view.js";
import { INSTRUMENTS } from "../sound/instruments.js";
import { PROMPT, completed, menus, worded } from "./prompts.js";
import { KEYS, METRES, newSeed } from "./wishes.js";

const ANY = ["", "Any"];

export class FormView {
  constructor(root, wishes) {
    this.wishes = wishes;
    this.models = [];
    this.controls = new ControlsView(root, wishes);
    this.menus = Object.fromEntries(PROMPT.map((name) => [name, root.querySelector(`[data-setting=${name}]`)]));
    this.controls.offer("key", [ANY, ...Object.entries(KEYS).map(([major, minor]) => [major, `${pretty(major)} / ${pretty(minor)}`])]);
    this.controls.offer("meter", [ANY, ...METRES.map((metre) => [metre, metre])]);
    const voices = Object.entries(INSTRUMENTS).filter(([name]) => name !== "none");
    this.controls.offer("sound", [["parts", "By part"], ...voices.map(([name, { label }]) => [name, label])]);
    root.querySelector("#dice").addEventListener("click", () => wishes.set("seed", newSeed()));
    wishes.addEventListener("change", ({ detail }) => (detail === "model" || PROMPT.includes(detail)) && this.#settle());
    this.know([]);
  }

  /** Offers the models that there are. */
  know(models) {
    this.models = models;
    const names = models.map(({ name }) => [name, name]);
    this.controls.offer("model", [["", models.length > 0 ? "Best there is" : "None found"], ...names]);
    if (models.length > 0) this.#settle();
    else this.#offerPrompts([]);
  }

  get #prompts() {
    const named = this.wishes.get("model");
    const model = this.models.find(({ name }) => name === named) ?? this.models.find((each) => each.default) ?? this.models[0];
    return model?.prompts ?? [];
  }

  /** After a choice: the menus behind it keep what they can, so that together they are a prompt there is. */
  #settle() {
    if (this.settling || this.models.length === 0) return;
    this.settling = true;
    const chosen = Object.fromEntries(PROMPT.map((name) => [name, this.wishes.get(name)]));
    for (const [name, value] of Object.entries(completed(this.#prompts, chosen))) this.wishes.set(name, value);
    this.settling = false;
    this.#offerPrompts(this.#prompts);
  }

  #offerPrompts(prompts) {
    const chosen = Object.fromEntries(PROMPT.map((name) => [name, this.wishes.get(name)]));
    const offered = menus(prompts, chosen);
    for (const name of PROMPT) {
      const open = name === "period" || chosen.period === "";
      this.controls.offer(name, [...(open ? [ANY] : []), ...offered[name].map((value) => [value, worded(value)])]);
      this.menus[name].disabled = prompts.length === 0 || (name !== "period" && chosen.period === "");
    }
  }
}

function pretty(key) {
  return key.replace("b", "♭").replace("#", "♯");
}
