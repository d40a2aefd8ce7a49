/**
 * What the options page says in words: the big button, what is going on, the one line of trouble, the server's remarks.
 */
import { element } from "../view/elements.js";
import { barAt } from "./bars.js";
import { MELODY } from "./player.js";

const ASKING = { options: "Looking for progressions.", chord: "Weighing the row.", alternatives: "Looking for other chords.", file: "Reading the file." };

export class StatusView {
  /** `parts`: offer, phase, notice, hint, listen, record, recording, recordingBeat, remarks, undo, redo, timeline. */
  constructor(parts, timeline, things) {
    Object.assign(this, { parts, timeline }, things);
    const { desk, adviser, player, recorder } = things;
    for (const source of [desk, adviser, player, recorder]) source.addEventListener("change", () => this.draw());
    adviser.addEventListener("notice", () => this.#notice());
    this.draw();
  }

  draw() {
    const { parts, desk, adviser, player, recorder } = this;
    const { doc } = desk;
    const asking = adviser.busy === "options";
    parts.offer.textContent = asking ? "Stop" : doc.kept.length > 0 && doc.rows.length > 0 ? "Roll the rest" : doc.rows.length > 0 ? "Roll again" : "Offer chords";
    parts.offer.classList.toggle("on", asking);
    parts.offer.disabled = doc.melody.notes.length === 0;
    parts.phase.textContent = this.#line();
    document.body.dataset.phase = recorder.running ? "recording" : player.source ? "playing" : adviser.busy ? "asking" : "idle";
    parts.timeline.setAttribute("aria-busy", asking);
    parts.timeline.classList.toggle("stale", doc.stale);
    parts.hint.hidden = doc.rows.length > 0;
    parts.listen.classList.toggle("on", player.row === MELODY);
    parts.listen.setAttribute("aria-label", player.row === MELODY ? "Stop" : "Play the melody");
    parts.listen.disabled = doc.melody.notes.length === 0;
    parts.record.textContent = recorder.running ? "Stop" : "Play it in";
    parts.record.classList.toggle("recording-now", recorder.running !== null);
    parts.recording.hidden = recorder.running === null;
    parts.undo.disabled = desk.past.length === 0;
    parts.redo.disabled = desk.future.length === 0;
    const remarks = doc.answer?.remarks ?? [];
    parts.remarks.replaceChildren(...remarks.map((remark) => element("li", "", remark)));
  }

  /** Where the playing or the recording is. */
  beat() {
    const { recorder, parts } = this;
    if (recorder.running) parts.recordingBeat.textContent = recorder.beat < 0 ? "Count-in" : `Beat ${Math.floor(recorder.beat) + 1}`;
    else this.parts.phase.textContent = this.#line();
  }

  #line() {
    const { adviser, player, recorder, desk } = this;
    const { doc } = desk;
    if (recorder.running) return "Listening to you.";
    if (ASKING[adviser.busy]) return ASKING[adviser.busy];
    if (player.source) {
      const { number } = barAt(this.timeline.bars, player.beat);
      const what = player.row === MELODY ? "the melody" : `option ${player.row + 1}`;
      return `Playing ${what}, ${number > 0 ? `bar ${number}` : "pickup"}.`;
    }
    if (doc.stale) return "The melody has changed since these were offered.";
    if (doc.rows.length === 0) return "Ready when you are.";
    const { model, seed, elapsed_ms: ms } = doc.answer ?? {};
    const count = doc.rows.length === 1 ? "One progression" : `${doc.rows.length} progressions`;
    const kept = doc.kept.length > 0 && `${doc.kept.length} kept`;
    return [count, kept, model && `model ${model}`, seed !== undefined && `seed ${seed}`, ms && `${(ms / 1000).toFixed(1)} s`].filter(Boolean).join(" · ");
  }

  #notice() {
    const { notice } = this.adviser;
    this.parts.notice.textContent = notice?.text ?? "";
    this.parts.notice.hidden = !notice;
  }
}
