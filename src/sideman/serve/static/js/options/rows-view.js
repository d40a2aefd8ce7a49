/**
 * The rows, one below the other, and hands on them: mouse, finger and keys.
 *
 * Emits "edit", "alternatives", "roll" when a key asks for it.
 */
import { DragOut } from "./drag-out.js";
import { toggled } from "./keeps.js";
import { RowView } from "./row-view.js";

const SIDES = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
const ROWS = { ArrowUp: -1, ArrowDown: 1 };
const LETTERS = { a: "alternatives", r: "roll", Enter: "edit", F2: "edit" };

export class RowsView extends EventTarget {
  constructor(list, timeline, { desk, selection, player, adviser }) {
    super();
    Object.assign(this, { list, timeline, desk, selection, player, adviser });
    this.views = [];
    this.panel = null;
    desk.addEventListener("change", () => this.draw());
    timeline.addEventListener("fit", () => this.views.forEach((view) => view.fit(timeline.width)));
    selection.addEventListener("change", ({ detail }) => detail === "chords" && this.#mark());
    player.addEventListener("change", () => this.#mark());
    list.addEventListener("click", (event) => this.#click(event));
    list.addEventListener("dblclick", ({ target }) => target.closest(".chord") && this.#emit("edit"));
    list.addEventListener("keydown", (event) => this.#key(event));
    this.draw();
  }

  draw() {
    const { rows } = this.desk.doc;
    const focused = this.list.contains(document.activeElement) && document.activeElement.closest(".chord") !== null;
    const bars = this.timeline.bars;
    const known = new Map(this.views.filter((view) => view.bars === bars).map((view) => [view.row, view]));
    this.views = rows.map((row, i) => known.get(row) ?? new RowView(row, i, bars, this.#parts(row, i)));
    const items = this.views.map(({ item }) => item);
    if (items.some((item, i) => this.list.children[i] !== item) || this.list.children.length !== items.length)
      this.list.replaceChildren(...items);
    for (const view of this.views) view.fit(this.timeline.width);
    this.#mark();
    if (focused) this.focus();
  }

  /** Shows the beat that is heard. */
  light(beat) {
    this.views.forEach((view, i) => view.light(i === this.player.row ? beat : null));
  }

  /** Puts the focus on the chosen chord. */
  focus() {
    const { row, to, chord } = this.selection;
    this.views[row]?.cells[to]?.focus({ preventScroll: true });
    if (chord) this.timeline.reveal(chord.onset, chord.duration);
  }

  /** Plays the chosen row from a beat; if it plays already, stops. */
  async hear(row, from) {
    if (this.player.row === row) return this.player.stop();
    if (await this.player.play(row, from)) this.adviser.clear("sound");
    else this.adviser.tell("The browser holds the sound back. Press Play again.", "sound");
  }

  /** Keeps the chosen chords, or lets them go. */
  toggleKept() {
    const { doc } = this.desk;
    this.desk.change({ kept: toggled(doc.kept, this.selection.chords) });
  }

  #parts(row, index) {
    const hear = () => {
      if (index !== this.selection.row) this.selection.chooseAt(index, this.player.beat ?? 0);
      this.hear(index, 0);
    };
    return { hear, grip: new DragOut(this.desk, row, index, this.adviser).button };
  }

  #mark() {
    const { selection, player, desk } = this;
    const range = { from: Math.min(selection.from, selection.to), to: Math.max(selection.from, selection.to), at: selection.to };
    this.views.forEach((view, i) => view.mark(desk.doc.kept, i === selection.row ? range : null, i === player.row));
    this.#carry();
  }

  /** Keeps a panel below the chosen row. */
  carry(panel) {
    this.panel = panel;
    this.#carry();
  }

  #carry() {
    const item = this.views[this.selection.row]?.item;
    if (this.panel && item && this.panel.parentElement !== item) item.append(this.panel);
  }

  #where(target) {
    const cell = target.closest(".chord");
    return cell && { row: Number(cell.closest(".row").dataset.row), index: Number(cell.dataset.chord), cell };
  }

  #click({ target, shiftKey }) {
    const where = this.#where(target);
    if (!where) return;
    this.selection.choose(where.row, where.index, shiftKey);
    where.cell.focus({ preventScroll: true });
    if (target.closest(".lock")) this.toggleKept();
    else if (!shiftKey && !this.player.source) this.player.touch({ chord: this.selection.chord });
  }

  #key(event) {
    const where = this.#where(event.target);
    if (!where || event.ctrlKey || event.altKey || event.metaKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key in SIDES) this.#step(SIDES[key], event.shiftKey);
    else if (key in ROWS) this.#change(ROWS[key]);
    else if (key === " ") this.hear(this.selection.row, this.selection.chord.onset);
    else if (key === "l") this.toggleKept();
    else if (key === "o") this.#goRound();
    else if (key === "Delete" || key === "Backspace") this.adviser.rewrite(this.selection.row, this.selection.to, "");
    else if (key in LETTERS) this.#emit(LETTERS[key]);
    else return;
    event.preventDefault();
  }

  #step(step, extend) {
    const { row, to } = this.selection;
    const last = this.desk.doc.rows[row].chords.length - 1;
    this.selection.choose(row, Math.min(last, Math.max(0, to + step)), extend);
    this.focus();
  }

  #change(step) {
    const row = this.selection.row + step;
    if (!this.desk.doc.rows[row]) return;
    this.selection.chooseAt(row, this.selection.chord.onset);
    this.focus();
  }

  #goRound() {
    const { chords } = this.selection;
    const last = chords.at(-1);
    this.timeline.loopAround(chords[0].onset, last.onset + last.duration);
  }

  #emit(name) {
    this.dispatchEvent(new Event(name));
  }
}
