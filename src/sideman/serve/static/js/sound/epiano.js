/**
 * Electric piano: two frequency-modulated pairs, a body and the short ping of the tine.
 */
import { Voice, hertz, loudness } from "./voice.js";

export function electricPiano(ctx, out, pitch, velocity, at) {
  const frequency = hertz(pitch);
  const hard = velocity / 127;
  const amp = ctx.createGain();
  const level = 0.155 * loudness(velocity) * (1 - 0.0035 * Math.max(0, pitch - 60));
  const fall = 3.4 * 2 ** ((48 - pitch) / 24); // low strings ring longer
  amp.gain.setValueAtTime(0, at);
  amp.gain.linearRampToValueAtTime(level, at + 0.003);
  amp.gain.setTargetAtTime(level * 0.55, at + 0.003, 0.12);
  amp.gain.setTargetAtTime(0, at + 0.35, fall);
  // A modulator at the carrier's own frequency also makes a constant, which would push the membrane to one side.
  const centre = new BiquadFilterNode(ctx, { type: "highpass", frequency: 0.4 * frequency, Q: 0.7 });
  centre.connect(amp);
  const body = pair(ctx, centre, at, { frequency, ratio: 1, index: 0.25 + 1.5 * hard * hard, settle: 0.25, fall: 0.5, level: 1 });
  const tine = Math.min(14, Math.floor(0.4 * ctx.sampleRate / frequency));
  const ping = pair(ctx, centre, at, { frequency, ratio: tine, index: 0.05 + 0.35 * hard, settle: 0, fall: 0.09, level: 0.35 });
  return new Voice(ctx, { amp, sources: [...body, ...ping], out, at, releaseTime: 0.07 });
}

/** A carrier at the note and a modulator at `ratio` times it, whose index falls to a part of itself. */
function pair(ctx, out, at, { frequency, ratio, index, settle, fall, level }) {
  const carrier = new OscillatorNode(ctx, { frequency });
  const modulator = new OscillatorNode(ctx, { frequency: frequency * ratio });
  const depth = ctx.createGain();
  const deviation = index * frequency * ratio;
  depth.gain.setValueAtTime(deviation, at);
  depth.gain.setTargetAtTime(deviation * settle, at, fall);
  modulator.connect(depth).connect(carrier.frequency);
  const share = new GainNode(ctx, { gain: level });
  carrier.connect(share).connect(out);
  return [carrier, modulator];
}
