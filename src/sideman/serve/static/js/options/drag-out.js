/**
 * A row as a MIDI file: pressed it is downloaded, dragged it is dropped wherever files are taken (Chromium).
 *
 * A drag must name its file at once, so it is fetched as soon as the hand is near.
 */
import { button, save } from "../view/elements.js";
import { songFile } from "./routes.js";

export class DragOut {
  constructor(desk, row, index, adviser) {
    Object.assign(this, { desk, row, index, adviser });
    this.url = null;
    this.button = button("MIDI", () => this.#download(), `Download option ${index + 1} as MIDI`);
    this.button.className = "grip";
    this.button.draggable = true;
    this.button.title = "Drag it into a DAW or a folder, or press to download";
    for (const near of ["pointerenter", "pointerdown", "focus"]) this.button.addEventListener(near, () => this.#fetch());
    this.button.addEventListener("dragstart", (event) => this.#drag(event));
  }

  get #name() {
    return `${this.desk.doc.melody.title || "Melody"} option ${this.index + 1}`;
  }

  /** The file's address, made once for each melody. */
  async #fetch() {
    const { melody } = this.desk.doc;
    if (this.melody === melody) return;
    this.melody = melody;
    try {
      const blob = await songFile(melody, this.row.chords, "midi");
      if (this.url) URL.revokeObjectURL(this.url);
      this.url = URL.createObjectURL(blob);
    } catch {
      this.melody = null; // pressing says why
    }
  }

  #drag(event) {
    if (!this.url) return event.preventDefault();
    const name = `${this.#name.replace(/[^\w-]+/g, " ").trim()}.mid`;
    event.dataTransfer.setData("DownloadURL", `audio/midi:${name}:${this.url}`);
    event.dataTransfer.effectAllowed = "copy";
  }

  async #download() {
    try {
      save(await songFile(this.desk.doc.melody, this.row.chords, "midi"), this.#name, "mid");
      this.adviser.clear("download");
    } catch (error) {
      this.adviser.tell(error.message, "download");
    }
  }
}
