/**
 * The compose page's one object: the piece that is open, the one that is being written, and what the buttons do.
 *
 * Emits "change" when what is going on or the open piece changes, "text" {replaced} when the text does, "notice" when
 * there is one line to tell.
 */
import { BROKEN, composing, interleaved } from "./routes.js";
import { Pieces, pieceOf } from "./pieces.js";
import { beginning, split, wholeLines } from "./sheet-text.js";

const PROBLEMS = {
  long: "The model can look no further back: the piece ends here.",
  time: "Time was up: this is what there is.",
  cancelled: "The server stops: this is what there is.",
};

export class Studio extends EventTarget {
  constructor(wishes, pieces = new Pieces()) {
    super();
    this.wishes = wishes;
    this.pieces = pieces;
    this.piece = null; // what is open
    this.draft = null; // what is being written
    this.notice = null;
    addEventListener("pagehide", () => this.draft && this.#keepDraft());
  }

  /** "idle" | "asking" | "queued" | "writing" */
  get phase() {
    if (!this.draft) return "idle";
    if (this.draft.text) return "writing";
    return this.draft.ahead > 0 ? "queued" : "asking";
  }

  /** The text that is shown. */
  get text() {
    return this.draft ? this.draft.text : (this.piece?.abc ?? "");
  }

  /** Writes a new piece. */
  write() {
    return this.#write(this.wishes.request());
  }

  /** Keeps the first bars of the open piece and writes on, to `bars` in all. */
  async goOn(kept, bars) {
    try {
      const whole = await interleaved(this.piece.abc);
      await this.#write(this.wishes.continuation(beginning(whole, kept), bars));
    } catch (error) {
      this.tell(error.message, "write");
    }
  }

  /** Ends the writing; what there is is kept. */
  stop() {
    this.draft?.stopper.abort();
  }

  open(piece) {
    if (this.draft) return;
    this.clear();
    this.piece = piece;
    this.#emit("text", { replaced: true });
    this.#emit("change");
  }

  /** The open piece's text, changed by hand (or by nobody: without a piece a pasted text becomes one). */
  edit(abc) {
    if (this.draft) return;
    const own = { model: "", seed: 0, why: "end", seconds: 0, abc };
    this.piece = this.piece ? { ...this.piece, abc } : { ...pieceOf({}, own), written: "" };
    this.#keep();
    this.#emit("text", { replaced: false });
    this.#emit("change");
  }

  delete(piece) {
    this.pieces.delete(piece.id);
    if (this.piece?.id === piece.id) this.open(null);
  }

  /** One line for the user; `key` names the trouble, so that it can be cleared when it is over. */
  tell(text, key = "info") {
    this.notice = { text, key };
    this.#emit("notice");
  }

  clear(key = null) {
    if (!this.notice || (key !== null && this.notice.key !== key)) return;
    this.notice = null;
    this.#emit("notice");
  }

  async #write(request) {
    if (this.draft) return;
    this.clear();
    const stopper = new AbortController();
    const draft = { request, stopper, text: "", bars: 0, ahead: 0, model: "", finished: null, startedAt: performance.now() };
    this.draft = draft;
    this.#emit("text", { replaced: true });
    this.#emit("change");
    try {
      for await (const event of composing(request, stopper.signal)) this.#hear(draft, event);
      if (!draft.finished) throw new Error(BROKEN);
    } catch (error) {
      if (error.name !== "AbortError") this.tell(error.message, "write");
    }
    await this.#keepDraft();
  }

  #hear(draft, event) {
    if (event.type === "queued") draft.ahead = event.ahead;
    if (event.type === "started") Object.assign(draft, { ahead: 0, model: event.model });
    if (event.type === "grown") {
      draft.text += event.text;
      draft.bars = split(wholeLines(draft.text)).bars.length;
      this.#emit("text", { replaced: false });
    }
    if (event.type === "finished") {
      draft.finished = event;
      if (event.problem) this.tell(event.problem, "write");
      else if (PROBLEMS[event.why]) this.tell(PROBLEMS[event.why], "write");
    }
    this.#emit("change");
  }

  /** What was written becomes the open piece; what has no bar yet is dropped, and what was open stays. */
  async #keepDraft() {
    const { draft } = this;
    const text = wholeLines(draft.text);
    if (draft.finished || split(text).bars.length > 0) {
      const { why = "stopped", abc = "", seconds = (performance.now() - draft.startedAt) / 1000 } = draft.finished ?? {};
      const { model, request } = draft;
      this.piece = pieceOf(request, { model, seed: request.seed, why, seconds, abc: abc || text });
      this.#keep();
    }
    this.draft = null;
    this.#emit("text", { replaced: true });
    this.#emit("change");
  }

  #keep() {
    if (!this.pieces.keep(this.piece))
      this.tell("This browser stores nothing more; download the piece before you close the page.", "store");
  }

  #emit(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
