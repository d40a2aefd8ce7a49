/**
 * One jam as the page knows it: what was played, what is planned, and the talk with the server about both.
 *
 * Times are beats on this page's clock; `step` is called at every wake-up with that clock. No sound, no document.
 * Emits "change" (state, session or service figures), "error" (detail: one line), "planned".
 */
import { lineOf } from "../server.js";
import { Connection } from "./connection.js";
import { Lead } from "./lead.js";
import { Pacing } from "./pacing.js";
import { Performance } from "./performance.js";
import { Plan } from "./plan.js";

const VERSION = 1;
const FRAMES_PER_BEAT = 4;
const SILENCE_LIMIT_MS = 5000; // a server that answers nothing for so long is as good as gone
const MOST_EVENTS = 1000; // in one message; after a long break only the newest
const HOLD_SECONDS = 0.5; // so far ahead it is decided that a chord goes on: before its end is placed
const HISTORY_BEATS = 128; // what a server that does not know us is told: more than any model looks back
const BARE_KEYS = { voiced: { bass: null, upper: [] }, rhythm: "held" }; // the player sounds his chords himself
const TOLD_WHILE_PLAYING = ["tempo", "model", "lookahead", "commit", "temperature"];

export class Jam extends EventTarget {
  /** `choices()` -> {tempo, meter, model, lookahead, commit, listen, temperature}; `dress` as in Plan. */
  constructor({ url, choices, dress, seed }) {
    super();
    this.choices = choices;
    this.seed = seed;
    this.listen = choices().listen;
    this.performance = new Performance();
    this.part = "chord"; // what the partner plays; the player plays the other
    this.partSince = -Infinity; // beat of the last change of parts
    this.joins = this.listen; // from this beat on the partner is expected to play
    this.sung = []; // the melody that the player played before he took up chords
    this.plan = new Plan((chord, previous) => (chord.heard ? BARE_KEYS : dress(chord, previous)));
    this.lead = new Lead();
    this.pacing = new Pacing();
    this.connection = new Connection(url, () => this.#hello());
    this.connection.addEventListener("message", ({ detail }) => this.#hear(detail));
    this.connection.addEventListener("state", ({ detail }) => this.#line(detail));
    this.session = null;
    this.started = false; // the server has answered this connection's start
    this.beat = -Infinity; // what the player hears
    this.placedBeat = -Infinity; // what the sound card is being fed
    this.missed = 0;
    this.sent = { events: 0, pedals: 0 };
    this.told = new Map(); // request -> what was sent by then
    this.acknowledged = { events: 0, pedals: 0 };
    this.figures = { service: null, roundTrip: null, compute: null, late: 0, model: null };
    this.unansweredSince = Infinity; // milliseconds of the page's clock
    this.refused = false; // for good
    this.turnedDown = false; // until a setting is another one
  }

  get phase() {
    if (this.beat < 0) return "count-in";
    return this.beat < this.listen ? "listening" : "jamming";
  }

  /** What the partner has planned. */
  get own() {
    return this.part === "melody" ? this.lead : this.plan;
  }

  /** The melody up to a beat, whoever played it: notes {onset, duration, pitch, velocity}. */
  melody(beat) {
    return [...this.sung, ...this.lead.notes(beat), ...(this.part === "chord" ? this.#playedSince(beat) : [])];
  }

  open() {
    this.connection.open();
  }

  /** Moves the clock: `beat` is heard now, `placedBeat` leaves for the loudspeaker now. */
  step(beat, placedBeat) {
    const phase = this.phase;
    this.#countMissed(this.beat, beat);
    this.beat = beat;
    this.placedBeat = placedBeat;
    this.own.prolong(placedBeat + (HOLD_SECONDS * this.choices().tempo) / 60);
    if (this.part === "melody") this.plan.prolong(beat + 1 / FRAMES_PER_BEAT); // the player's chord, until more is heard
    if (this.phase !== phase) this.#changed();
    if (beat < 0 || !this.started) return;
    if (this.pacing.due(beat, this.#news() > 0, seconds())) this.#tell(beat);
    if (performance.now() - this.unansweredSince > SILENCE_LIMIT_MS) this.connection.restart();
  }

  /** Tells the server about a setting changed while playing. */
  set(name) {
    if (this.turnedDown) this.#begin();
    if (!TOLD_WHILE_PLAYING.includes(name) || !this.started) return;
    this.connection.send({ type: "set", [name]: name === "model" ? this.choices().model || null : this.choices()[name] });
  }

  stop() {
    this.performance.finish(this.beat);
    if (this.started) this.#tell(Math.max(this.beat, 0));
    this.connection.close({ type: "stop" });
  }

  #begin() {
    this.turnedDown = false;
    this.connection.send(this.#hello());
  }

  #hello() {
    const { performance: played } = this;
    const begun = played.events.length > 0 || this.beat > 0;
    this.sent = { events: played.events.length, pedals: played.pedals.length };
    return {
      type: "start",
      version: VERSION,
      seed: this.seed,
      ...this.choices(),
      model: this.choices().model || null,
      session: this.session,
      history: begun ? this.#history() : null,
    };
  }

  /** What a server must know to go on; the last part of it, so that no jam is too long to be taken up again. */
  #history() {
    const recent = ({ onset, duration }) => onset + duration > this.beat - HISTORY_BEATS;
    return {
      notes: this.#playedSince(this.beat).filter(recent),
      chords: this.plan.history(this.placedBeat).filter(recent).map(bare),
      melody: [...this.sung, ...this.lead.notes(this.placedBeat)].filter(recent),
    };
  }

  /** What the player played since parts last changed. */
  #playedSince(beat) {
    return this.performance.history(beat).filter(({ onset }) => onset >= this.partSince);
  }

  #line(state) {
    if (state !== "open") this.started = false;
    this.unansweredSince = Infinity;
    this.pacing.forget();
    this.#changed();
  }

  #news() {
    const { events, pedals } = this.performance;
    return events.length - this.sent.events + (pedals.length - this.sent.pedals);
  }

  #tell(beat) {
    const { performance: played } = this;
    const request = this.pacing.ask(beat, seconds());
    played.known = Math.max(played.known, beat);
    this.unansweredSince = Math.min(this.unansweredSince, performance.now());
    this.connection.send({
      type: "notes",
      request,
      beat,
      notes: played.events.slice(this.sent.events).slice(-MOST_EVENTS),
      pedal: played.pedals.slice(this.sent.pedals).slice(-MOST_EVENTS),
      missed: this.missed,
    });
    this.missed = 0;
    this.sent = { events: played.events.length, pedals: played.pedals.length };
    this.told.set(request, this.sent);
  }

  #hear(message) {
    this.unansweredSince = Infinity;
    switch (message.type) {
      case "started":
        return this.#onStarted(message);
      case "settings":
        this.figures.model = message.model ?? this.figures.model;
        this.#takePart(message.part);
        return this.#changed();
      case "intro":
        this.plan.intro = message.chords;
        return this.#planned();
      case "plan":
        return this.#onPlan(message);
      case "late":
        this.#answered(message.request);
        this.figures.late += 1;
        return this.#changed();
      case "error":
        return this.#onError(message);
      default:
        return undefined; // "bye", and whatever a later server may add
    }
  }

  #onStarted({ session, resumed, model, part }) {
    this.started = true;
    this.session = session;
    this.figures.model = model;
    this.#takePart(part);
    // A server that remembers us may have missed what was on the way when the line broke.
    if (resumed) this.sent = { ...this.acknowledged };
    this.#changed();
  }

  #onPlan(message) {
    this.#answered(message.request);
    this.figures.service = message.service ?? this.figures.service;
    this.figures.compute = message.timings?.computed ?? null;
    if (this.joins === Infinity) this.joins = Math.max(this.listen, message.frame / FRAMES_PER_BEAT);
    const earliest = Math.max(this.placedBeat, this.listen);
    if (this.part === "melody") {
      this.lead.applyNotes({ ...message, notes: message.notes ?? [] }, earliest);
      if (message.heard) this.#hearChords(message.heard);
    } else this.plan.apply(message, earliest);
    this.#planned();
    this.#changed();
  }

  /** The chords that the partner heard from the player, in the place of what it told of that time before. */
  #hearChords({ frame, frames, chords }) {
    const since = Math.max(frame / FRAMES_PER_BEAT, this.partSince);
    this.plan.apply({ frame, frames, committed: frames, chords: chords.map((chord) => ({ ...chord, heard: true })) }, since);
  }

  /** With another partner the parts may change hands: what the last one had planned is off. */
  #takePart(part = "chord") {
    if (part === this.part) return;
    if (this.beat > 0) {
      this.own.cut(this.placedBeat);
      if (part === "melody") this.sung.push(...this.#playedSince(this.beat));
      this.partSince = this.beat;
      this.joins = Infinity;
    }
    this.part = part;
    this.#planned();
  }

  #onError(error) {
    this.turnedDown = !this.started;
    if (error.fatal) {
      this.refused = true;
      this.connection.close();
    }
    this.dispatchEvent(new CustomEvent("error", { detail: lineOf(error) }));
  }

  #answered(request) {
    const took = this.pacing.answered(request, seconds());
    if (took !== null) this.figures.roundTrip = took;
    this.acknowledged = this.told.get(request) ?? this.acknowledged;
    for (const each of this.told.keys()) if (each <= request) this.told.delete(each);
  }

  /** Frames that began since the last step with nothing planned for them. */
  #countMissed(before, beat) {
    const from = Math.max(Math.floor(before * FRAMES_PER_BEAT) + 1, this.joins * FRAMES_PER_BEAT);
    const to = Math.floor(beat * FRAMES_PER_BEAT);
    const covered = this.own.plannedUntil * FRAMES_PER_BEAT;
    this.missed += Math.max(0, to - Math.max(from, covered) + 1);
  }

  #planned() {
    this.dispatchEvent(new Event("planned"));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

const seconds = () => performance.now() / 1000;
const bare = ({ onset, duration, symbol }) => ({ onset, duration, symbol });
