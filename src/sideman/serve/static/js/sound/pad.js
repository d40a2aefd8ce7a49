/**
 * Pad: three saws a few cents apart, a soft filter that opens slowly.
 */
import { Voice, hertz, loudness } from "./voice.js";

const SAWS = [{ detune: 0, share: 1 }, { detune: -6, share: 0.5 }, { detune: 6, share: 0.5 }];

export function pad(ctx, out, pitch, velocity, at) {
  const frequency = hertz(pitch);
  const level = 0.13 * loudness(velocity);
  const amp = ctx.createGain();
  amp.gain.setValueAtTime(0, at);
  amp.gain.linearRampToValueAtTime(level, at + 0.14);
  const filter = new BiquadFilterNode(ctx, { type: "lowpass", Q: 0.5, frequency: 300 });
  const open = Math.min(350 + frequency * 2.2 + 900 * (velocity / 127), 0.4 * ctx.sampleRate);
  filter.frequency.setValueAtTime(open * 0.45, at);
  filter.frequency.setTargetAtTime(open, at, 0.3);
  filter.connect(amp);
  const sources = SAWS.map(({ detune, share }) => {
    const saw = new OscillatorNode(ctx, { type: "sawtooth", frequency, detune });
    saw.connect(new GainNode(ctx, { gain: share })).connect(filter);
    return saw;
  });
  return new Voice(ctx, { amp, sources, out, at, releaseTime: 0.16 });
}
