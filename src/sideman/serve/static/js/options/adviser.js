/**
 * Asks the server, one question at a time, and lays its answers on the desk. What it refuses changes nothing.
 *
 * Emits "change" when a question begins and ends, "laid" when progressions lie on the desk, "notice" when there is one line to tell.
 */
import { newSeed } from "./dials.js";
import { asked, following } from "./keeps.js";
import { endOf } from "./melody.js";
import { alternatives, offer, readSong } from "./routes.js";

const MOST_KEPT = 256; // chords a question may keep

export class Adviser extends EventTarget {
  constructor(desk, dials) {
    super();
    Object.assign(this, { desk, dials });
    this.busy = null; // what is being asked: "options" | "chord" | "alternatives" | "file"
    this.stopper = null;
    this.last = null; // the question that was answered last
    this.notice = null;
  }

  /** Progressions for the melody, with the chords that stay. The same question again is rolled with another seed. */
  async options() {
    const { melody, kept } = this.desk.doc;
    const fields = { ...this.dials.request(), keep: asked(kept, endOf(melody.notes)) };
    const wished = this.dials.get("seed");
    const again = JSON.stringify([melody, fields, wished]) === this.last;
    const seed = wished === "" || again ? newSeed() : wished;
    if (again && wished !== "") this.dials.set("seed", seed);
    await this.#ask("options", async (signal) => {
      this.desk.lay(await offer(melody, { ...fields, seed }, signal));
      this.last = JSON.stringify([melody, fields, this.dials.get("seed")]);
      this.dispatchEvent(new Event("laid"));
    });
  }

  /** Lays the song of a file on the desk; the chords it came with become a row that stays. */
  async open(file) {
    await this.#ask("file", async (signal) => {
      const { song, remarks } = await readSong(file, signal);
      this.desk.begin(song);
      if (remarks.length > 0) this.tell(remarks.join(" "), "file");
      if (!song.chords?.length || song.chords.length > MOST_KEPT) return;
      const own = await this.#weighed(song, song.chords, signal);
      if (this.desk.doc.melody === song) this.desk.lay({ options: [{ ...own, own: true }] });
    });
  }

  /** Other chords for one of a row, or null where the question failed or was overtaken. */
  async alternatives(row, chord) {
    const { melody, rows } = this.desk.doc;
    let found = null;
    await this.#ask("alternatives", async (signal) => {
      found = await alternatives(melody, rows[row].chords, chord.onset, this.dials.place(), signal);
    });
    return found;
  }

  /** Puts symbols, told apart by spaces, in the place of one chord, equally long; none: the chord before goes on. True if done. */
  async rewrite(row, index, text) {
    const { chords } = this.desk.doc.rows[row];
    const chord = chords[index];
    const symbols = text.trim().split(/\s+/).filter(Boolean);
    const share = Math.floor((4 * chord.duration) / Math.max(1, symbols.length)) / 4;
    if (symbols.length > 1 && share < 0.25) return this.tell(`There is no room for ${symbols.length} chords here.`, "chord");
    const last = symbols.length - 1;
    const place = (i) => ({ onset: chord.onset + i * share, duration: i < last ? share : chord.duration - last * share });
    const fresh = symbols.map((symbol, i) => ({ ...place(i), symbol }));
    if (fresh.length > 0) return this.#revise(row, [...chords.slice(0, index), ...fresh, ...chords.slice(index + 1)]);
    if (chords.length === 1) return this.tell("A progression needs a chord.", "chord");
    const grown = chords.map((each, i) => (i === Math.max(1, index) - 1 || (index === 0 && i === 1) ? joined(each, chord) : each));
    return this.#revise(row, grown.filter((_, i) => i !== index));
  }

  /** Has the server weigh a row with these chords, all kept, and lays it in the row's place. */
  async #revise(row, chords) {
    const { melody, rows, kept } = this.desk.doc;
    const before = rows[row];
    let done = false;
    await this.#ask("chord", async (signal) => {
      const option = await this.#weighed(melody, chords, signal);
      const after = { ...option, rank: before.rank, id: before.id, own: before.own, edited: true };
      const { doc } = this.desk;
      if (doc.rows[row] !== before) return; // the row has changed meanwhile
      this.desk.change({ rows: doc.rows.with(row, after), kept: following(kept, before.chords, option.chords) });
      done = true;
    });
    return done;
  }

  /** An option of exactly these chords, weighed by the server: it gets them as chords to keep. */
  async #weighed(melody, chords, signal) {
    const { model } = this.dials.request();
    const fields = { n: 1, keep: asked(chords, endOf(melody.notes)), ...(model && { model }) };
    const [option] = (await offer(melody, fields, signal)).options;
    const given = ({ onset }) => chords.some((chord) => Math.abs(chord.onset - onset) < 1e-6);
    return { ...option, chords: option.chords.filter(given) };
  }

  cancel() {
    this.stopper?.abort();
  }

  /** One line for the user; `key` names the trouble, so that it can be cleared when it is over. */
  tell(text, key = "info") {
    this.notice = { text, key };
    this.dispatchEvent(new Event("notice"));
    return false;
  }

  clear(key = null) {
    if (!this.notice || (key !== null && this.notice.key !== key)) return;
    this.notice = null;
    this.dispatchEvent(new Event("notice"));
  }

  /** A new question takes the place of the one before. */
  async #ask(kind, work) {
    this.cancel();
    const stopper = new AbortController();
    this.stopper = stopper;
    this.#set(kind);
    try {
      this.clear();
      await work(stopper.signal);
    } catch (error) {
      if (error.name !== "AbortError") this.tell(error.message, kind);
    }
    if (this.stopper === stopper) this.#set(null);
  }

  #set(kind) {
    this.busy = kind;
    this.dispatchEvent(new Event("change"));
  }
}

function joined(chord, other) {
  const onset = Math.min(chord.onset, other.onset);
  return { ...chord, onset, duration: Math.max(chord.onset + chord.duration, other.onset + other.duration) - onset };
}
