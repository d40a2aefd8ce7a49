/**
 * What the hands are on: chords {row, from, to} (indices, the last one included), a note of the melody, bars to go round in.
 *
 * Emits "change" with `detail` = "chords", "note" or "loop".
 */
export class Selection extends EventTarget {
  constructor(desk) {
    super();
    this.desk = desk;
    this.row = 0;
    this.from = 0;
    this.to = 0; // where the hands are; `from` is where a range began
    this.note = null;
    this.loop = null;
    desk.addEventListener("change", () => this.#fit());
  }

  /** The chords of the range. */
  get chords() {
    const { rows } = this.desk.doc;
    return rows[this.row]?.chords.slice(Math.min(this.from, this.to), Math.max(this.from, this.to) + 1) ?? [];
  }

  get chord() {
    return this.desk.doc.rows[this.row]?.chords[this.to] ?? null;
  }

  /** A chord, or with `extend` all from where the range began. */
  choose(row, index, extend = false) {
    this.from = extend && row === this.row ? this.from : index;
    this.row = row;
    this.to = index;
    this.#tell("chords");
  }

  /** The chord of a row that sounds at a beat. */
  chooseAt(row, beat) {
    const { chords } = this.desk.doc.rows[row];
    this.choose(row, Math.max(0, chords.findLastIndex(({ onset }) => onset <= beat + 1e-6)));
  }

  chooseNote(index) {
    this.note = index;
    this.#tell("note");
  }

  setLoop(loop) {
    this.loop = loop;
    this.#tell("loop");
  }

  /** After a change what is no longer there is let go. */
  #fit() {
    const { rows, melody } = this.desk.doc;
    this.row = Math.min(this.row, Math.max(0, rows.length - 1));
    const last = (rows[this.row]?.chords.length ?? 1) - 1;
    this.from = Math.min(this.from, last);
    this.to = Math.min(this.to, last);
    if (this.note !== null && this.note >= melody.notes.length) this.note = null;
  }

  #tell(detail) {
    this.dispatchEvent(new CustomEvent("change", { detail }));
  }
}
