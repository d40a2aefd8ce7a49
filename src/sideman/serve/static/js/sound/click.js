/**
 * The metronome: a short tone, or a small drum kit. `rank` is 0 on the bar line, 1 on a beat, 2 between beats.
 */
import { Voice } from "./voice.js";

const noises = new WeakMap();

export const METRONOMES = { click: clickVoice, drums: drumVoice };

function clickVoice(ctx, out, rank, at) {
  const amp = ctx.createGain();
  strike(amp, at, [0.32, 0.2, 0.07][rank], 0.018);
  const tone = new OscillatorNode(ctx, { type: "triangle", frequency: [1760, 1175, 1175][rank] });
  tone.connect(amp);
  return new Voice(ctx, { amp, sources: [tone], out, at, releaseTime: 0.01, lasts: 0.2 });
}

function drumVoice(ctx, out, rank, at) {
  return rank === 0 ? kick(ctx, out, at) : hat(ctx, out, at, rank === 1 ? 0.22 : 0.08);
}

function kick(ctx, out, at) {
  const amp = ctx.createGain();
  strike(amp, at, 0.55, 0.09);
  const skin = new OscillatorNode(ctx, { frequency: 52 });
  skin.frequency.setValueAtTime(160, at);
  skin.frequency.setTargetAtTime(52, at, 0.03);
  skin.connect(amp);
  return new Voice(ctx, { amp, sources: [skin], out, at, releaseTime: 0.02, lasts: 0.7 });
}

function hat(ctx, out, at, level) {
  const amp = ctx.createGain();
  strike(amp, at, level, 0.03);
  const metal = new AudioBufferSourceNode(ctx, { buffer: noise(ctx) });
  const filter = new BiquadFilterNode(ctx, { type: "highpass", frequency: 7000 });
  metal.connect(filter).connect(amp);
  return new Voice(ctx, { amp, sources: [metal], out, at, releaseTime: 0.01, lasts: 0.3 });
}

function strike(amp, at, level, fall) {
  amp.gain.setValueAtTime(0, at);
  amp.gain.linearRampToValueAtTime(level, at + 0.001);
  amp.gain.setTargetAtTime(0, at + 0.001, fall);
}

function noise(ctx) {
  if (!noises.has(ctx)) {
    const buffer = ctx.createBuffer(1, Math.ceil(0.4 * ctx.sampleRate), ctx.sampleRate);
    const samples = buffer.getChannelData(0);
    let state = 1;
    for (let i = 0; i < samples.length; i += 1) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      samples[i] = state / 2 ** 31;
    }
    noises.set(ctx, buffer);
  }
  return noises.get(ctx);
}
