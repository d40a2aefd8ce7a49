/**
 * Below the chosen row: the chosen chord (keep it, type another, see others for its place) and the row's files.
 */
import { pretty } from "../music/symbols.js";
import { button, element, save, whileBusy } from "../view/elements.js";
import { barAt } from "./bars.js";
import { isKept } from "./keeps.js";
import { FILES, songFile } from "./routes.js";
import { course, numeral } from "./wording.js";

export class InspectorView {
  constructor(timeline, rows, { desk, selection, adviser, player }) {
    Object.assign(this, { timeline, rows, desk, selection, adviser, player });
    this.panel = element("div", "inspector");
    this.where = element("p", "where");
    this.field = Object.assign(element("input", "symbol-field"), { type: "text", maxLength: 60, spellcheck: false, autocomplete: "off" });
    this.field.setAttribute("autocapitalize", "off");
    this.field.setAttribute("aria-label", "Chord");
    this.keep = button("Keep", () => this.rows.toggleKept());
    this.keep.className = "keep";
    this.other = button("Other chords", () => this.offer());
    this.around = button("Loop", () => this.#loop());
    this.others = element("ul", "others");
    this.course = element("p", "course soft");
    this.#assemble();
    for (const source of [desk, selection]) source.addEventListener("change", () => this.draw());
    adviser.addEventListener("change", () => this.#showBusy());
    rows.addEventListener("edit", () => this.#edit());
    rows.addEventListener("alternatives", () => this.offer());
    rows.carry(this.panel);
    this.draw();
  }

  draw() {
    const { row, chord } = this.selection;
    if (!chord) return;
    if (chord !== this.shown) {
      this.shown = chord;
      this.field.value = chord.symbol;
      this.field.removeAttribute("aria-invalid");
      this.others.replaceChildren();
    }
    const bar = barAt(this.timeline.bars, chord.onset);
    const several = this.selection.chords.length;
    const place = several > 1 ? `${several} chords` : bar.number > 0 ? `Bar ${bar.number}` : "Pickup";
    this.where.replaceChildren(element("span", "tag", place), element("span", "numeral", numeral(chord.numeral)));
    const kept = this.selection.chords.every((each) => isKept(this.desk.doc.kept, each));
    this.keep.textContent = kept ? "Let go" : "Keep";
    this.keep.setAttribute("aria-pressed", kept);
    const { loop } = this.selection;
    this.around.setAttribute("aria-pressed", Boolean(loop) && chord.onset >= loop.from && chord.onset < loop.to);
    const barOf = (onset) => barAt(this.timeline.bars, onset).number;
    const { explanation } = this.desk.doc.rows[row];
    this.course.textContent = [course(explanation, barOf), this.#tensions(explanation, chord)].filter(Boolean).join(" · ");
  }

  /** Asks for other chords and lists them. */
  async offer() {
    const { row, chord } = this.selection;
    if (!chord) return;
    const found = await this.adviser.alternatives(row, chord);
    if (!found || this.selection.chord !== chord) return;
    this.others.replaceChildren(...found.map((other) => this.#other(other)));
    this.others.querySelector("button")?.focus();
  }

  #assemble() {
    const form = element("form", "chord-form");
    form.append(this.where, this.field, this.keep, this.other, this.around);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#commit();
    });
    this.field.addEventListener("keydown", ({ key }) => key === "Escape" && this.#back());
    const files = element("div", "tools");
    for (const [kind, { label }] of Object.entries(FILES)) {
      const control = button(label, () => whileBusy(control, () => this.#download(kind)), `Download this option as ${label}`);
      control.dataset.file = kind;
      files.append(control);
    }
    this.others.addEventListener("keydown", (event) => this.#among(event));
    this.panel.append(form, files, this.others, this.course);
    this.files = files;
  }

  #other(other) {
    const item = element("li");
    const take = button("", () => this.#take(other), `${pretty(other.symbol)}. ${other.reason ?? ""}`);
    take.title = other.reason ?? "";
    take.append(element("b", "", pretty(other.symbol)), element("span", "numeral", numeral(other.numeral)));
    take.addEventListener("pointerenter", ({ pointerType }) => pointerType === "mouse" && this.#explain(other));
    take.addEventListener("focus", () => this.#explain(other));
    item.append(take);
    return item;
  }

  #explain(other) {
    this.course.textContent = other.reason ?? "";
  }

  async #take(other) {
    this.player.touch({ chord: other });
    const { row, to } = this.selection;
    if (await this.adviser.rewrite(row, to, other.symbol)) this.rows.focus();
  }

  /** Arrow keys among the other chords; Escape goes back to the row. */
  #among(event) {
    const buttons = [...this.others.querySelectorAll("button")];
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (step) buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length].focus();
    else if (event.key === "Escape") this.#back();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #edit() {
    this.field.focus();
    this.field.select();
  }

  async #commit() {
    const { row, to, chord } = this.selection;
    const text = this.field.value;
    if (text.trim() === chord.symbol) return this.rows.focus();
    const done = await this.adviser.rewrite(row, to, text);
    if (this.selection.row !== row || this.selection.to !== to) return;
    if (done) {
      this.rows.focus();
      this.player.touch({ chord: this.selection.chord });
    } else this.field.setAttribute("aria-invalid", "true"); // what was typed stays
  }

  #back() {
    this.field.value = this.selection.chord?.symbol ?? "";
    this.field.removeAttribute("aria-invalid");
    this.adviser.clear("chord");
    this.others.replaceChildren();
    this.draw();
    this.rows.focus();
  }

  #loop() {
    const { chords } = this.selection;
    const last = chords.at(-1);
    this.timeline.loopAround(chords[0].onset, last.onset + last.duration);
  }

  #tensions({ tensions = [] } = {}, { onset, duration, symbol }) {
    const here = tensions.filter((each) => each.onset < onset + duration - 1e-6 && each.onset + each.duration > onset + 1e-6);
    const names = [...new Set(here.map(({ tension }) => tension.replace("b", "♭").replace("#", "♯")))];
    return names.length > 0 ? `the melody has ${names.join(", ")} over ${pretty(symbol)}` : "";
  }

  async #download(kind) {
    const { melody, rows } = this.desk.doc;
    const { row } = this.selection;
    try {
      const title = `${melody.title || "Melody"} option ${row + 1}`;
      save(await songFile({ ...melody, title }, rows[row].chords, kind), title, FILES[kind].ending);
      this.adviser.clear("download");
    } catch (error) {
      this.adviser.tell(error.message, "download");
    }
  }

  #showBusy() {
    const { busy } = this.adviser;
    for (const [control, kind] of [[this.other, "alternatives"], [this.field, "chord"]])
      if (busy === kind) control.setAttribute("aria-busy", "true");
      else control.removeAttribute("aria-busy");
  }
}
