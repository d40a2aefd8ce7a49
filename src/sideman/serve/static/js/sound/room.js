/**
 * A little room: an impulse response made of decaying noise whose highs die first.
 */
const SECONDS = 1.3;
const PRE_DELAY = 0.012;

export function makeRoom(ctx) {
  const length = Math.ceil(SECONDS * ctx.sampleRate);
  const response = ctx.createBuffer(2, length, ctx.sampleRate);
  for (let side = 0; side < 2; side += 1) fill(response.getChannelData(side), ctx.sampleRate, 7919 + 104729 * side);
  return new ConvolverNode(ctx, { buffer: response });
}

function fill(samples, sampleRate, seed) {
  let state = seed;
  let smooth = 0;
  for (let i = Math.round(PRE_DELAY * sampleRate); i < samples.length; i += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    const time = i / sampleRate;
    const dull = Math.min(0.94, 0.35 + 0.6 * (time / SECONDS) ** 0.5);
    smooth = dull * smooth + (1 - dull) * (state / 2 ** 31);
    const end = Math.min(1, (samples.length - i) / (0.1 * sampleRate));
    samples[i] = smooth * 10 ** ((-3 * time) / SECONDS) * end;
  }
}
