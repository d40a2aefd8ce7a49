/**
 * Hands on the piano roll. Mouse and pen: click to add, drag to move, drag the end to lengthen, double-click to take away; a
 * finger taps to add and drags notes. Keys: see the page's help.
 */
import { FRAME, nameOf, withChanged, withNote } from "./melody.js";

const EDGE = 9; // CSS pixels at a note's end that lengthen it
const STEPS = { ArrowUp: 1, ArrowDown: -1 };
const SIDES = { ArrowLeft: -1, ArrowRight: 1 };

export class RollHands {
  /** `play()` plays the melody from the chosen note, or stops; `say(text)` tells a screen reader. */
  constructor(view, timeline, { desk, selection, dials, player }, { play, say }) {
    Object.assign(this, { view, timeline, desk, selection, dials, player, play, say });
    this.length = 1; // of the next new note
    this.drag = null;
    this.pressed = null; // the note last pressed: who captures the pointer gets the clicks, too
    const { roll } = view;
    roll.addEventListener("pointerdown", (event) => this.#press(event));
    roll.addEventListener("pointermove", (event) => this.#move(event));
    roll.addEventListener("pointerup", () => this.#lift(true));
    roll.addEventListener("pointercancel", () => this.#lift(false));
    roll.addEventListener("click", (event) => this.#tap(event));
    roll.addEventListener("dblclick", () => this.pressed !== null && this.#remove(this.pressed));
    roll.addEventListener("keydown", (event) => this.#key(event));
  }

  get #notes() {
    return this.desk.doc.melody.notes;
  }

  get #grid() {
    return Number(this.dials.get("grid"));
  }

  #indexOf(target) {
    const body = target.closest("[data-note]");
    return body ? Number(body.dataset.note) : null;
  }

  #press(event) {
    if (event.button !== 0) return;
    const index = this.#indexOf(event.target);
    this.pressed = index;
    if (index === null && event.pointerType === "touch") return; // it may be scrolling: see #tap
    this.view.roll.setPointerCapture(event.pointerId);
    if (index === null) return this.#begin(event);
    const note = this.#notes[index];
    const end = event.target.getBoundingClientRect().right;
    const room = Math.min(EDGE, 0.4 * (end - event.target.getBoundingClientRect().left));
    const kind = end - event.clientX < room ? "length" : "move";
    this.selection.chooseNote(index);
    this.drag = { index, kind, before: note, note, x: event.clientX, y: event.clientY };
    this.player.touch({ pitch: note.pitch });
  }

  /** A new note from where the pointer is, as long as it is drawn. */
  #begin({ clientX, clientY }) {
    const note = this.#fresh(clientX, clientY);
    this.drag = { index: null, kind: "length", before: note, note, x: clientX, y: clientY };
    this.view.preview(null, note);
    this.player.touch({ pitch: note.pitch });
  }

  #fresh(clientX, clientY) {
    const onset = Math.max(0, Math.floor(this.timeline.beatAt(clientX) / this.#grid + 1e-6) * this.#grid);
    return { onset, duration: Math.max(this.#grid, this.length), pitch: this.view.pitchAt(clientY), velocity: 80 };
  }

  #move({ clientX, clientY }) {
    const { drag } = this;
    if (!drag) return;
    const beats = Math.round((clientX - drag.x) / this.timeline.width / this.#grid) * this.#grid;
    const { onset, duration, pitch } = drag.before;
    const moved = { ...drag.before };
    if (drag.kind === "length") moved.duration = Math.max(this.#grid, duration + beats);
    else {
      moved.onset = Math.max(0, onset + beats);
      moved.pitch = Math.min(127, Math.max(0, pitch - Math.round((clientY - drag.y) / this.view.step)));
    }
    if (moved.pitch !== drag.note.pitch) this.player.touch({ pitch: moved.pitch });
    drag.note = moved;
    this.view.preview(drag.index, moved);
  }

  #lift(done) {
    const { drag } = this;
    this.drag = null;
    if (!drag) return;
    const { index, before, note } = drag;
    if (index !== null && note === before) return; // touched, not moved
    if (!done) return this.view.settle();
    this.length = note.duration;
    this.#put(index, note);
    this.view.settle();
  }

  /** A finger on an empty place. */
  #tap(event) {
    if (event.pointerType !== "touch" || this.#indexOf(event.target) !== null) return;
    const note = this.#fresh(event.clientX, event.clientY);
    this.player.touch({ pitch: note.pitch });
    this.#put(null, note);
  }

  #put(index, note) {
    const notes = index === null ? withNote(this.#notes, note) : withChanged(this.#notes, index, note);
    this.desk.rewrite({ notes });
    this.#choose(notes.indexOf(note));
  }

  #remove(index) {
    this.desk.rewrite({ notes: this.#notes.filter((_, i) => i !== index) });
    this.#choose(this.#notes.length > 0 ? Math.min(index, this.#notes.length - 1) : null);
  }

  #choose(index) {
    this.selection.chooseNote(index);
    const note = this.#notes[index];
    if (!note) return this.say("No notes.");
    this.timeline.reveal(note.onset, note.duration);
    this.say(`${nameOf(note.pitch)}, beat ${note.onset + 1}, ${note.duration} long`);
  }

  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const { key, shiftKey } = event;
    const index = this.selection.note;
    const note = this.#notes[index] ?? null;
    if (key === " ") this.play();
    else if (key in SIDES && (!shiftKey || !note)) this.#step(SIDES[key]);
    else if (key === "n" || key === "N" || key === "Insert" || key === "Enter") this.#follow(note);
    else if (key === "Escape" && note) this.selection.chooseNote(null);
    else if (!note || !this.#change(index, note, key, shiftKey)) return;
    event.preventDefault();
  }

  /** What a key does to the chosen note; false if nothing. */
  #change(index, note, key, shiftKey) {
    const { onset, duration, pitch } = note;
    if (key === "Delete" || key === "Backspace") this.#remove(index);
    else if (key in STEPS) this.#turn(index, { ...note, pitch: Math.min(127, Math.max(0, pitch + STEPS[key] * (shiftKey ? 12 : 1))) });
    else if (key in SIDES) this.#turn(index, { ...note, onset: Math.max(0, onset + SIDES[key] * this.#grid) });
    else if (key === "+" || key === "=") this.#turn(index, { ...note, duration: duration + this.#grid });
    else if (key === "-") this.#turn(index, { ...note, duration: Math.max(FRAME, duration - this.#grid) });
    else return false;
    return true;
  }

  #turn(index, note) {
    this.player.touch({ pitch: note.pitch });
    this.#put(index, note);
  }

  #step(step) {
    const last = this.#notes.length - 1;
    const from = this.selection.note ?? (step > 0 ? -1 : last + 1);
    if (last >= 0) this.#choose(Math.min(last, Math.max(0, from + step)));
  }

  /** A new note behind the chosen one, or the first. */
  #follow(note) {
    const last = note ?? this.#notes.at(-1) ?? { onset: 0, duration: 0, pitch: 60 };
    const duration = note?.duration ?? Math.max(this.#grid, this.length);
    const fresh = { onset: last.onset + last.duration, duration, pitch: last.pitch, velocity: 80 };
    this.player.touch({ pitch: fresh.pitch });
    this.#put(null, fresh);
  }
}
