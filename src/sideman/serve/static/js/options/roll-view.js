/**
 * The melody as a piano roll: a bar for each note, those that are tones of the chosen row's chord told from those that are not.
 */
import { rootOf } from "../music/symbols.js";
import { isBlack } from "../view/piano-layout.js";
import { element } from "../view/elements.js";
import { nameOf } from "./melody.js";
import { place } from "./timeline-view.js";

const AROUND = 4; // semitones shown beyond the melody
const LEAST = 17;

export class RollView {
  constructor(roll, { desk, selection }) {
    Object.assign(this, { roll, desk, selection });
    this.lanes = element("div", "lanes");
    this.names = element("div", "pitches");
    this.bodies = element("div", "notes");
    this.ghost = element("div", "note ghost");
    this.ghost.hidden = true;
    roll.append(this.lanes, this.bodies, this.ghost, this.names);
    desk.addEventListener("change", () => this.draw());
    selection.addEventListener("change", () => this.#mark());
    this.draw();
  }

  draw() {
    const { notes } = this.desk.doc.melody;
    if (notes !== this.drawn) {
      this.drawn = notes;
      this.#range(notes);
      this.bodies.replaceChildren(...notes.map((note, i) => this.#body(note, i)));
    }
    this.#mark();
  }

  /** The pitch at a point of the screen. */
  pitchAt(clientY) {
    const box = this.roll.getBoundingClientRect();
    return Math.min(127, Math.max(0, this.top - Math.floor((clientY - box.top) / this.step)));
  }

  /** CSS pixels of a semitone. */
  get step() {
    return this.roll.clientHeight / (this.top - this.bottom + 1);
  }

  /** Shows a note where it would be; `index` null: a new one. */
  preview(index, note) {
    const body = index === null ? this.ghost : this.bodies.children[index];
    body.hidden = false;
    place(body, note.onset, note.duration);
    body.style.setProperty("--pitch", note.pitch);
  }

  /** What is previewed goes, and what there is stands where it was. */
  settle() {
    this.ghost.hidden = true;
    this.drawn = null;
    this.draw();
  }

  #range(notes) {
    const pitches = notes.length > 0 ? notes.map(({ pitch }) => pitch) : [60, 72];
    let [low, high] = [Math.min(...pitches) - AROUND, Math.max(...pitches) + AROUND];
    const missing = Math.max(0, LEAST - (high - low + 1));
    low = Math.max(0, low - Math.floor(missing / 2));
    high = Math.min(127, high + Math.ceil(missing / 2));
    if (low === this.bottom && high === this.top) return;
    Object.assign(this, { bottom: low, top: high });
    this.roll.style.setProperty("--top", high);
    this.roll.style.setProperty("--lanes", high - low + 1);
    const all = Array.from({ length: high - low + 1 }, (_, i) => high - i);
    this.lanes.replaceChildren(...all.map((pitch) => element("i", isBlack(pitch) ? "black" : pitch % 12 === 0 ? "c" : "")));
    this.names.replaceChildren(
      ...all.filter((pitch) => pitch % 12 === 0).map((pitch) => {
        const name = element("span", "", nameOf(pitch));
        name.style.setProperty("--pitch", pitch);
        return name;
      }),
    );
  }

  #body(note, index) {
    const body = place(element("div", "note"), note.onset, note.duration);
    body.dataset.note = index;
    body.style.setProperty("--pitch", note.pitch);
    return body;
  }

  /** Which note is chosen, and which are no tones of the chord under them. */
  #mark() {
    const { rows, melody } = this.desk.doc;
    const chords = rows[this.selection.row]?.chords ?? [];
    let at = 0;
    melody.notes.forEach((note, i) => {
      while (at < chords.length && chords[at].onset + chords[at].duration <= note.onset + 1e-6) at += 1;
      const chord = chords[at]?.onset <= note.onset + 1e-6 ? chords[at] : null;
      const body = this.bodies.children[i];
      body.classList.toggle("chosen", i === this.selection.note);
      body.classList.toggle("foreign", chord !== null && !tones(chord).has(note.pitch % 12));
    });
  }
}

function tones({ symbol, pitches }) {
  return new Set([...pitches.map((pitch) => pitch % 12), rootOf(symbol)]);
}
