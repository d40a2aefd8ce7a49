/**
 * What is being played: a clock, chords, a metre, and the sources that sound. One for a jam, one for a playback.
 */
import { ChordSource } from "./jam/chord-source.js";
import { NoteSource } from "./jam/note-source.js";
import { Plan } from "./jam/plan.js";
import { endOf } from "./jam/takes.js";
import { barBeats, parseMeter } from "./music/metre.js";
import { Timeline } from "./music/timeline.js";
import { voice } from "./music/voicing.js";
import { HORIZON } from "./sound/scheduler.js";
import { MetronomeSource } from "./sound/metronome.js";

const LEAD_IN = 0.25; // seconds between the player's gesture and the first click

/** How a chord is dressed under the present settings. */
export function dresser(settings) {
  return (chord, previous) => {
    const voiced = voice(chord, settings.get("voicing"), previous?.voiced ?? null, settings.get("chordOctave"));
    return { voiced, rhythm: settings.get("rhythm") };
  };
}

export class Stage {
  constructor(engine, timeline, plan, meter) {
    this.engine = engine;
    this.timeline = timeline;
    this.plan = plan;
    this.meter = meter;
    this.sources = [];
    this.melody = null; // of a take
    this.lead = null; // that a partner improvises
    this.startBeat = 0;
    this.endBeat = Infinity;
  }

  /** A jam: a bar of count-in, then beat 0. */
  static jam(engine, settings, plan, lead = null) {
    const meter = parseMeter(settings.meter);
    const tempo = settings.get("tempo");
    const timeline = new Timeline(engine.now + LEAD_IN + (barBeats(meter) * 60) / tempo, tempo);
    const stage = new Stage(engine, timeline, plan, meter);
    stage.startBeat = -barBeats(meter);
    const metronome = () => ({ on: settings.get("metronome"), grid: settings.get("metronomeGrid") });
    stage.lead = lead;
    const partner = [new ChordSource(timeline, plan, meter), ...(lead ? [new ChordSource(timeline, lead, meter, "lead")] : [])];
    stage.#sound(new MetronomeSource(timeline, meter, metronome), ...partner);
    return stage;
  }

  /** A take played back with its own chords or others. */
  static playback(engine, settings, take, chords) {
    const meter = parseMeter(take.meter);
    const notes = new NoteSource(null, take.notes);
    const firstBar = Math.floor((notes.notes[0] ?? chords[0]).onset / barBeats(meter)) * barBeats(meter);
    const timeline = Timeline.of(engine.now + LEAD_IN - (firstBar * 60) / take.tempo, take.tempos);
    notes.timeline = timeline;
    const plan = new Plan(dresser(settings));
    const end = endOf(take.notes, chords);
    const frames = Math.ceil(end * 4);
    plan.apply({ frame: 0, frames, committed: frames, chords: chords.map((chord) => ({ ...chord, struck: true })) });
    const stage = new Stage(engine, timeline, plan, meter);
    stage.melody = notes;
    stage.startBeat = firstBar;
    stage.endBeat = end;
    stage.#sound(notes, new ChordSource(timeline, plan, meter));
    return stage;
  }

  /** The beat the player hears. */
  get beat() {
    return this.timeline.beat(this.engine.bridge.now());
  }

  /** The beat that is leaving for the loudspeaker. */
  get placedBeat() {
    return this.timeline.beat(this.engine.now);
  }

  /** A new tempo, from just behind what is placed already, so that nothing placed moves. */
  setTempo(tempo) {
    this.timeline.change(tempo, this.engine.now + HORIZON);
  }

  /** New voicing or rhythm, from the next chord on. */
  redress() {
    this.plan.redress(this.placedBeat);
  }

  leave() {
    for (const source of this.sources) this.engine.scheduler.remove(source, this.engine.now);
    this.sources = [];
  }

  #sound(...sources) {
    this.sources = sources;
    for (const source of sources) this.engine.scheduler.add(source);
  }
}
