/**
 * What the page says in words: the button, the connection, the one line of trouble, the chord now and next, the service.
 */
import { pretty, spoken } from "../music/symbols.js";

const PHASES = {
  idle: "Ready when you are.",
  "count-in": "Count-in. Your part begins on bar 1.",
  listening: "Listening. Play a melody.",
  jamming: "Playing along with you.",
  playback: "Playing the take back.",
  paused: "Sound paused.",
  waiting: "Waiting for the server. Play on.",
  refused: "Playing alone: the server sent us away.",
};

// The same to a partner who plays the melody.
const PHASES_OF_CHORDS = { listening: "Listening. Play chords.", jamming: "Playing a melody over your chords." };

const LINES = { connecting: "Connecting", open: "Connected", lost: "Reconnecting", closed: "Offline" };

export class StatusView {
  /** `parts`: the elements by name. */
  constructor(parts, app) {
    this.parts = parts;
    this.app = app;
    this.announced = "";
    app.addEventListener("change", () => this.draw());
    app.addEventListener("notice", () => this.#notice());
    this.draw();
  }

  draw() {
    const { app, parts } = this;
    const { phase, jam } = app;
    const going = phase !== "idle" && phase !== "paused";
    parts.play.textContent = going ? "Stop" : "Play";
    parts.play.classList.toggle("on", going);
    document.body.dataset.phase = phase;
    const said = jam?.part === "melody" ? { ...PHASES, ...PHASES_OF_CHORDS } : PHASES;
    parts.phase.textContent = said[this.#alone() ?? phase];
    parts.hint.hidden = app.stage !== null;
    parts.harmony.hidden = app.stage === null;
    const state = jam ? (jam.connection.state === "open" && !jam.started ? "connecting" : jam.connection.state) : "";
    parts.line.textContent = jam ? LINES[state] : "";
    parts.line.dataset.state = state;
    this.#service(jam?.figures ?? null);
  }

  /** Why nobody plays along, or null. */
  #alone() {
    const { jam } = this.app;
    if (!jam || jam.started || jam.beat < 0) return null;
    return jam.refused ? "refused" : "waiting";
  }

  /** The chord that sounds and the one after it. */
  chords(now, next) {
    const { parts } = this;
    const [a, b] = [now ? pretty(now.symbol) : "", next ? pretty(next.symbol) : ""];
    if (parts.now.textContent !== a) parts.now.textContent = a;
    if (parts.next.textContent !== b) parts.next.textContent = b;
    parts.nextLabel.hidden = b === "";
    if (now && now.symbol !== this.announced && this.app.settings.get("announce")) {
      this.announced = now.symbol;
      parts.spoken.textContent = spoken(now.symbol);
    }
  }

  #service(figures) {
    if (!figures) return;
    const { service, roundTrip, compute, late, model } = figures;
    const ms = (value) => `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ms`;
    const percent = (share) => `${(100 * share).toFixed(1)} %`;
    const facts = [
      model && ["model", model, "Who plays along"],
      service && ["in time", percent(service.isr), "16ths for which a plan was there in time (ISR)"],
      service && ["fresh", percent(service.isrw), "The same, each weighed by the age of its plan (ISRw)"],
      service?.misses > 0 && ["missed", service.misses, "16ths without a plan: what sounded went on"],
      service && ["plan age", `${service.age.toFixed(1)} beats`, "How old the plan was that sounded, on average"],
      roundTrip !== null && ["round trip", ms(1000 * roundTrip), "From the last question to its answer"],
      compute !== null && ["computed in", ms(compute), "What of that the model took"],
      late > 0 && ["late answers", late, "Answers that came after their beat"],
    ].filter(Boolean);
    this.parts.service.replaceChildren(
      ...facts.map(([name, value, meaning]) => {
        const [pair, dt, dd] = ["div", "dt", "dd"].map((kind) => document.createElement(kind));
        pair.title = meaning;
        dt.textContent = name;
        dd.textContent = value;
        pair.append(dt, dd);
        return pair;
      }),
    );
  }

  #notice() {
    const { notice } = this.app;
    this.parts.notice.textContent = notice?.text ?? "";
    this.parts.notice.hidden = !notice;
  }
}
