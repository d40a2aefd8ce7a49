/**
 * The list of takes: play back, download, five other harmonisations, delete.
 */
import { pretty } from "../music/symbols.js";
import { endOf } from "../jam/takes.js";
import { Timeline } from "../music/timeline.js";
import { FILE_KINDS, otherHarmonisations, takeFile } from "../server.js";
import { button, element, save, whileBusy } from "./elements.js";

export class TakesView {
  constructor(list, emptyNote, app) {
    this.list = list;
    this.emptyNote = emptyNote;
    this.app = app;
    this.options = new Map(); // take id -> options, for as long as the page is open
    app.takes.addEventListener("change", () => app.jam ?? this.draw()); // nothing moves under a player's hands
    app.addEventListener("change", () => this.#mark());
    this.draw();
  }

  draw() {
    const takes = this.app.takes.list().filter((take) => take.id !== (this.app.jam && this.app.take.id));
    this.emptyNote.hidden = takes.length > 0;
    this.list.replaceChildren(...takes.map((take) => this.#row(take)));
    this.#mark();
  }

  #row(take) {
    const row = element("li", "take");
    const head = element("div", "take-head");
    const name = element("div", "take-name");
    name.append(element("strong", "", take.title), element("span", "soft", summary(take)));
    head.append(this.#playButton(take, null, `Play ${take.title}`), name);
    const tools = element("div", "tools");
    for (const [kind, { label }] of Object.entries(FILE_KINDS)) {
      if (kind === "log" && !take.session) continue; // no server has heard it
      const fetchIt = () => this.#busy(download, () => this.#download(take, kind));
      const download = button(label, fetchIt, `Download ${label} of ${take.title}`);
      tools.append(download);
    }
    const more = button("Five other harmonisations", () => this.#busy(more, () => this.#ask(take)));
    tools.append(more, button("Delete", () => this.#delete(take), `Delete ${take.title}`));
    row.append(head, element("p", "line-of-chords", chordLine(take.chords)), tools);
    const options = this.options.get(take.id);
    if (options) row.append(this.#optionList(take, options));
    return row;
  }

  #optionList(take, options) {
    const list = element("ol", "options");
    for (const option of options) {
      const item = element("li");
      const play = this.#playButton(take, option, `Play harmonisation ${option.rank}`);
      const midi = button("MIDI", () => this.#busy(midi, () => this.#download({ ...take, chords: option.chords }, "midi")));
      midi.setAttribute("aria-label", `Download MIDI of harmonisation ${option.rank}`);
      item.append(play, element("span", "line-of-chords", chordLine(option.chords)), midi);
      list.append(item);
    }
    return list;
  }

  #playButton(take, option, label) {
    const play = button("", () => (this.#isPlaying(play) ? this.app.stop() : this.app.playBack(take, option)), label);
    play.className = "round";
    play.dataset.take = take.id;
    play.dataset.option = option?.rank ?? "";
    return play;
  }

  #isPlaying({ dataset }) {
    const { playing } = this.app;
    return playing?.take.id === dataset.take && String(playing.option?.rank ?? "") === dataset.option;
  }

  /** Shows on the round buttons what is being played back. */
  #mark() {
    for (const play of this.list.querySelectorAll(".round")) {
      play.classList.toggle("on", this.#isPlaying(play));
      play.disabled = this.app.jam !== null;
    }
  }

  async #ask(take) {
    this.options.set(take.id, await otherHarmonisations(take));
    this.draw();
  }

  async #download(take, kind) {
    save(await takeFile(take, kind), take.title, FILE_KINDS[kind].ending);
  }

  #delete(take) {
    if (!confirm(`Delete "${take.title}"? It cannot be brought back.`)) return;
    if (this.app.playing?.take.id === take.id) this.app.stop();
    this.app.takes.delete(take.id);
  }

  async #busy(control, work) {
    try {
      await whileBusy(control, work);
      this.app.clear("take");
    } catch (error) {
      this.app.tell(error.message, "take");
    }
  }
}

function summary({ notes, chords, tempo, tempos, meter }) {
  const seconds = Math.round(Timeline.of(0, tempos).time(Math.ceil(endOf(notes, chords))));
  const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  return `${time} · ${notes.length} ${notes.length === 1 ? "note" : "notes"} · ${tempo} BPM · ${meter}`;
}

function chordLine(chords) {
  const symbols = chords.map((chord) => pretty(chord.symbol)).filter((symbol, i, all) => symbol !== all[i - 1]);
  return symbols.length > 0 ? symbols.join("  ") : "No chords yet";
}
