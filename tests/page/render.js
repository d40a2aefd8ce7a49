async (seconds, chosen, arrange) => {
  // Renders the page's own engine offline, woken every 25 ms of audio time as the Worker would.
  const load = (name) => import(`/static/js/${name}.js`);
  const [{ Engine }, { Settings }, stage, { Plan }] = await Promise.all(
    ["sound/engine", "settings", "stage", "jam/plan"].map(load),
  );
  const settings = new Settings({ getItem: () => null, setItem: () => {} });
  for (const [name, value] of Object.entries(chosen)) settings.set(name, value);
  const rate = 44100;
  const ctx = new OfflineAudioContext(2, Math.ceil(seconds * rate), rate);
  const engine = new Engine(ctx, settings);
  const planned = [];
  const at = (time, act) => planned.push({ time, act });
  await arrange({ engine, settings, at, ctx, lib: { ...stage, Plan, load } });
  const wake = (time) => {
    for (const each of planned.filter((p) => !p.done && p.time <= time + 1e-9)) {
      each.done = true;
      each.act();
    }
    engine.wake();
  };
  const quantum = 128 / rate;
  for (let time = 0.025; time < seconds - 0.01; time += 0.025) {
    const exact = Math.round(time / quantum) * quantum;
    ctx.suspend(exact).then(() => {
      wake(exact);
      ctx.resume();
    });
  }
  wake(0);
  const buffer = await ctx.startRendering();
  const bytes = [0, 1].flatMap((side) => new Uint8Array(buffer.getChannelData(side).buffer));
  let text = "";
  for (const part of bytes)
    for (let i = 0; i < part.length; i += 8192) text += String.fromCharCode(...part.subarray(i, i + 8192));
  return btoa(text);
}
