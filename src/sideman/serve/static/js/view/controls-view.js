/**
 * Binds the form controls to the settings, by their data-setting attribute, both ways.
 */
import { element } from "./elements.js";

const LOCKED_WHILE_PLAYING = ["meterCount", "meterUnit", "listen"];

export class ControlsView {
  constructor(root, settings) {
    this.settings = settings;
    this.controls = [...root.querySelectorAll("[data-setting]")];
    for (const control of this.controls) this.#bind(control);
    settings.addEventListener("change", ({ detail }) => this.show(detail));
  }

  /** Shows a setting's value in its controls. */
  show(name) {
    for (const control of this.controls) if (control.dataset.setting === name) this.#show(control);
  }

  /** Fills a select with rows [value, label, group or none], keeping a chosen value that is not among them visible. */
  offer(name, rows) {
    for (const select of this.controls.filter((each) => each.dataset.setting === name)) {
      const chosen = this.settings.get(name);
      const known = rows.some(([value]) => value === chosen);
      const all = known ? rows : [...rows, [chosen, `${chosen} (not there now)`]];
      select.replaceChildren(...grouped(all));
      select.value = chosen;
    }
  }

  lock(playing) {
    for (const control of this.controls)
      if (LOCKED_WHILE_PLAYING.includes(control.dataset.setting)) control.disabled = playing;
  }

  #bind(control) {
    const name = control.dataset.setting;
    const { kind, min, max, step } = this.settings.rows[name];
    if (kind === "number") Object.assign(control, { min, max, step });
    const changed = () => {
      const given = control.value;
      this.settings.set(name, kind === "flag" ? control.checked : given);
      this.#show(control);
      if (control.type === "number") this.#tellBounds(control, given !== "" && (given < min || given > max), min, max);
    };
    // A number being typed passes through values nobody means; a slider does not.
    control.addEventListener(control.type === "range" ? "input" : "change", changed);
    this.#show(control);
  }

  /** Says below a number that it was brought within its bounds, until it is another. */
  #tellBounds(control, outside, min, max) {
    const field = control.closest("label, .wish, .stepper");
    field.querySelector(".bounds")?.remove();
    if (!outside) return;
    const told = element("small", "bounds", `${min} to ${max}`);
    told.setAttribute("role", "status");
    field.append(told);
  }

  #show(control) {
    const value = this.settings.get(control.dataset.setting);
    if (control.type === "checkbox") control.checked = value;
    else control.value = value;
    const output = control.parentElement.querySelector("output");
    if (output) output.textContent = value;
  }
}

/** Options of a select, those of a group in an element of their own. */
function grouped(rows) {
  const groups = new Map();
  const top = [];
  for (const [value, label, name] of rows) {
    const option = new Option(label, value);
    if (!name) top.push(option);
    else if (groups.has(name)) groups.get(name).append(option);
    else {
      const group = element("optgroup");
      group.label = name;
      group.append(option);
      groups.set(name, group);
      top.push(group);
    }
  }
  return top;
}
