/**
 * Binds the form controls to the settings, by their data-setting attribute, both ways.
 */
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

  /** Fills a select with [value, label] rows, keeping a chosen value that is not among them visible. */
  offer(name, rows) {
    for (const select of this.controls.filter((each) => each.dataset.setting === name)) {
      const chosen = this.settings.get(name);
      const known = rows.some(([value]) => value === chosen);
      const all = known ? rows : [...rows, [chosen, `${chosen} (not there now)`]];
      select.replaceChildren(...all.map(([value, label]) => new Option(label, value)));
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
      this.settings.set(name, kind === "flag" ? control.checked : control.value);
      this.#show(control);
    };
    // A number being typed passes through values nobody means; a slider does not.
    control.addEventListener(control.type === "range" ? "input" : "change", changed);
    this.#show(control);
  }

  #show(control) {
    const value = this.settings.get(control.dataset.setting);
    if (control.type === "checkbox") control.checked = value;
    else control.value = value;
    const output = control.parentElement.querySelector("output");
    if (output) output.textContent = value;
  }
}
