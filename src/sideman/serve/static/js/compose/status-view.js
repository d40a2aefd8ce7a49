/**
 * What the compose page says in words: the big button, how far the writing is, the one line of trouble, the open piece.
 */
import { facts } from "./pieces.js";

export class StatusView {
  /** `parts`: the elements by name. */
  constructor(parts, { studio, player, engraver }) {
    Object.assign(this, { parts, studio, player, engraver });
    for (const source of [studio, player]) source.addEventListener("change", () => this.draw());
    for (const name of ["failed", "idle"]) engraver.addEventListener(name, () => this.draw());
    studio.addEventListener("notice", () => this.#notice());
    this.draw();
  }

  draw() {
    const { parts, studio, player, engraver } = this;
    const { phase, draft, piece } = studio;
    parts.write.textContent = draft ? "Stop" : "Write";
    parts.write.classList.toggle("on", draft !== null);
    parts.phase.textContent = this.#line();
    document.body.dataset.phase = phase;
    parts.progress.hidden = draft === null;
    if (draft) this.#progress(draft);
    parts.listen.classList.toggle("on", player.source !== null);
    parts.listen.setAttribute("aria-label", player.source ? "Stop" : "Play the piece");
    for (const control of [parts.listen, ...parts.files, ...parts.goOn.elements])
      control.disabled = draft !== null || !piece || (engraver.missing !== null && control.dataset.engraved === "true");
    parts.hint.hidden = engraver.missing !== null || piece !== null || draft !== null;
    parts.noEngraver.hidden = engraver.missing === null;
    parts.noEngraverWhy.textContent = engraver.missing ?? "";
    parts.title.textContent = draft ? "New piece" : (piece?.title ?? "Score");
    parts.facts.textContent = draft ? this.#drafted(draft) : piece ? facts(piece) : "";
  }

  #line() {
    const { phase, draft, piece } = this.studio;
    if (phase === "queued") return draft.ahead === 1 ? "One piece is before yours." : `${draft.ahead} pieces are before yours.`;
    if (phase === "asking") return "Asking for a piece.";
    if (phase === "writing") return draft.bars > 0 ? `Writing bar ${draft.bars + 1}.` : "Writing the header.";
    if (this.player.source) return "Playing.";
    if (!piece) return "Ready when you are.";
    return this.engraver.busy ? "Drawing the score." : "There it is.";
  }

  #progress({ bars, request }) {
    const { progress } = this.parts;
    if (request.bars) Object.assign(progress, { max: request.bars, value: Math.min(bars, request.bars) });
    else progress.removeAttribute("value");
  }

  #drafted({ bars, request, model }) {
    const count = request.bars ? `${bars} of ${request.bars} bars` : `${bars} ${bars === 1 ? "bar" : "bars"}`;
    return [count, model, `seed ${request.seed}`].filter(Boolean).join(" · ");
  }

  #notice() {
    const { notice } = this.studio;
    this.parts.notice.textContent = notice?.text ?? "";
    this.parts.notice.hidden = !notice;
  }
}
