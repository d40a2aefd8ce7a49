/**
 * The chord chart: a cell a bar, what was played, what is promised, what is likely; during the listen-only bars what the
 * accompanist thinks it hears.
 */
import { barBeats } from "../music/metre.js";
import { pretty } from "../music/symbols.js";

const ROOMY = 11; // letters a bar has room for at full size

export class ChartView {
  constructor(list, emptyNote) {
    this.list = list;
    this.emptyNote = emptyNote;
    this.cells = [];
    this.current = -1;
    this.scene = null; // as last drawn
  }

  clear() {
    this.list.replaceChildren();
    this.cells = [];
    this.current = -1;
    this.scene = null;
  }

  /** Nothing is being played: no bar is the current one, and of a jam there remains what sounded. */
  rest() {
    if (this.scene && !this.scene.stage.melody) this.draw({ ...this.scene, showChords: false });
    this.#mark(-1);
  }

  /** Brings the chart up to the stage at `beat`. */
  draw(scene) {
    const { stage, beat, showChords } = scene;
    this.scene = scene;
    const bar = barBeats(stage.meter);
    const chords = stage.plan.chords;
    const last = chords.at(-1);
    const until = Math.max(beat, showChords && last ? last.onset + last.duration : 0);
    const bars = Math.max(0, Math.ceil(until / bar - 1e-6));
    this.emptyNote.hidden = bars > 0;
    while (this.cells.length < bars) this.#grow();
    for (const { cell } of this.cells.splice(bars)) cell.remove();
    const now = Math.floor(beat / bar);
    // Bars long past do not change: look at the last few only, and at all once in a while.
    const from = Math.max(0, Math.min(this.cells.length, now) - 4);
    for (let i = from; i < this.cells.length; i += 1) this.#fill(i, bar, stage, beat, showChords);
    if (now !== this.current) this.#mark(now);
  }

  #grow() {
    const cell = document.createElement("li");
    cell.className = "bar";
    const number = document.createElement("span");
    number.className = "bar-number";
    number.textContent = this.cells.length + 1;
    const chords = document.createElement("span");
    chords.className = "bar-chords";
    cell.append(number, chords);
    this.list.append(cell);
    this.cells.push({ cell, chords, shown: "" });
  }

  #fill(index, bar, { plan }, beat, showChords) {
    const from = index * bar;
    const to = from + bar;
    const real = showChords ? plan.between(from, to) : plan.between(from, Math.min(to, beat));
    const within = (chord) => chord.onset < to - 1e-6 && chord.onset + chord.duration > from + 1e-6;
    const parts = (real.length > 0 ? real : plan.intro.filter(within)).map((chord) => {
      const kind = real.length === 0 ? "guess" : chord.onset >= plan.committedUntil && chord.onset > beat ? "likely" : "sure";
      const begins = chord.onset >= from - 1e-6;
      const length = Math.min(chord.onset + chord.duration, to) - Math.max(chord.onset, from);
      return { text: begins ? pretty(chord.symbol) : "—", kind, length: Math.round(length * 4) / 4 };
    });
    const cell = this.cells[index];
    const shown = JSON.stringify(parts);
    if (shown === cell.shown) return;
    cell.shown = shown;
    const letters = parts.reduce((sum, { text }) => sum + text.length + 1, 0);
    cell.chords.classList.toggle("full", letters > ROOMY);
    cell.chords.replaceChildren(
      ...parts.map(({ text, kind, length }) => {
        const span = document.createElement("span");
        span.className = kind;
        span.textContent = text;
        span.style.flexGrow = length;
        return span;
      }),
    );
  }

  #mark(now) {
    this.cells[this.current]?.cell.removeAttribute("aria-current");
    this.current = now;
    const cell = this.cells[now]?.cell;
    if (!cell) return;
    cell.setAttribute("aria-current", "true");
    const { list } = this;
    const lowest = cell.offsetTop + cell.offsetHeight - list.offsetTop;
    if (lowest > list.scrollTop + list.clientHeight || cell.offsetTop - list.offsetTop < list.scrollTop)
      list.scrollTop = lowest - list.clientHeight + 8;
  }
}
