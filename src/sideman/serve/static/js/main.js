/**
 * Puts the page together: settings, app, inputs, views; draws once a frame.
 */
import { App } from "./app.js";
import { ComputerKeys } from "./input/computer-keys.js";
import { MidiAccess } from "./input/midi-access.js";
import { MidiIn } from "./input/midi-in.js";
import { PointerKeys } from "./input/pointer-keys.js";
import { strikesOf } from "./jam/chord-source.js";
import { PATTERNS } from "./music/comping.js";
import { parseMeter } from "./music/metre.js";
import { jamModels } from "./server.js";
import { Settings } from "./settings.js";
import { INSTRUMENTS } from "./sound/instruments.js";
import { BeatView } from "./view/beat-view.js";
import { ChartView } from "./view/chart-view.js";
import { ControlsView } from "./view/controls-view.js";
import { FallingView } from "./view/falling-view.js";
import { KeyboardView } from "./view/keyboard-view.js";
import { Palette } from "./view/palette.js";
import { StatusView } from "./view/status-view.js";
import { TakesView } from "./view/takes-view.js";
import "./view/tabs.js";

const byId = (id) => document.getElementById(id);

const settings = new Settings();
const app = new App(settings);
const palette = new Palette();
const keys = new ComputerKeys(app, settings);
const hasLetters = !matchMedia("(hover: none) and (pointer: coarse)").matches;
const keyboard = new KeyboardView(byId("keys"), palette, (pitch) => (hasLetters ? keys.letter(pitch) : ""));
new PointerKeys(byId("keys"), keyboard, app);
const falling = new FallingView(byId("falling"), palette);
const chart = new ChartView(byId("chart"), byId("chart-empty"));
const beats = new BeatView(byId("bar"), byId("beats"));
const controls = new ControlsView(document, settings);
const takes = new TakesView(byId("takes"), byId("takes-empty"), app);
const status = new StatusView(
  {
    play: byId("play"), phase: byId("phase"), hint: byId("hint"), line: byId("line"), notice: byId("notice"),
    now: byId("now"), next: byId("next"), nextLabel: byId("next-label"), harmony: byId("harmony"), spoken: byId("spoken"), service: byId("service"),
  },
  app,
);

const midi = new MidiAccess();
const midiIn = new MidiIn(midi, app, settings);

byId("play").addEventListener("click", async ({ detail }) => {
  if (detail > 0) byId("play").blur(); // clicked: the letter keys are for playing now, not for the button
  midi.open();
  await app.toggle();
});
byId("panic").addEventListener("click", () => app.panic());
for (const [id, step] of [["octave-down", -1], ["octave-up", 1], ["tempo-down", -1], ["tempo-up", 1]]) {
  const name = id.startsWith("octave") ? "keyOctave" : "tempo";
  byId(id).addEventListener("click", () => settings.set(name, settings.get(name) + step * (name === "tempo" ? 2 : 1)));
}
byId("midi-connect").addEventListener("click", async () => {
  if (!(await midi.open())) app.tell("This browser gives no MIDI. Chrome, Edge and Firefox do, after you allow it.", "midi");
});

/** The sounding ends of MIDI, whenever ports or choices change. */
function connectMidi() {
  const rows = (ports) => ports.map((port) => [port.id, port.name || port.id]);
  controls.offer("midiIn", [["all", midi.inputs().length > 0 ? "All keyboards" : "None found"], ...rows(midi.inputs())]);
  controls.offer("midiOut", [["", "Off"], ...rows(midi.outputs())]);
  const port = midi.outputs().find((each) => each.id === settings.get("midiOut")) ?? null;
  app.engine?.midiOut.choose(port, settings.get("midiOutChannel"));
  byId("midi-connect").hidden = midi.access !== null;
}

midi.addEventListener("change", connectMidi);
app.addEventListener("engine", () => queueMicrotask(connectMidi));
settings.addEventListener("change", ({ detail }) => {
  if (detail.startsWith("midiOut")) connectMidi();
  if (detail === "model") showPart();
  if (detail === "keyOctave") byId("octave").textContent = `C${settings.get("keyOctave")}`;
});
midiIn.addEventListener("unplugged", ({ detail }) =>
  app.tell(`"${detail}" was unplugged; its keys are lifted. Plug it in again and it plays on.`, "midi"),
);

const PARTS = { chord: "Chords to your melody", melody: "A melody to your chords" };
let models = [];

/** Says what the player is to play with the model that is chosen. */
function showPart() {
  const chosen = models.find(({ name }) => name === settings.get("model"));
  byId("your-part").textContent = chosen?.part === "melody" ? "chords" : "a melody";
}

async function offerModels() {
  try {
    models = await jamModels();
    controls.offer("model", [["", "Best there is"], ...models.map(({ name, part }) => [name, name, PARTS[part]])]);
    showPart();
  } catch (error) {
    controls.offer("model", [["", "Best there is"]]);
    app.tell(error.message, "server");
  }
}

/** What the views need of this moment, or null at rest. */
function sceneNow() {
  const { stage } = app;
  if (!stage) return null;
  return { stage, beat: stage.beat, beats: Math.max(4, settings.get("lookahead")), showChords: settings.get("showChords") };
}

function soundingKeys({ stage, beat }) {
  const blocks = [stage.plan.at(beat), stage.lead?.at(beat)].filter(Boolean);
  const strikes = blocks.flatMap((block) => strikesOf(block, stage.meter));
  const melody = stage.melody?.at(beat) ?? [];
  const band = strikes.filter(({ onset, end }) => onset <= beat && beat < end).flatMap(({ pitches }) => pitches);
  return { band, player: [...app.down, ...melody] };
}

const calm = matchMedia("(prefers-reduced-motion: reduce)");
let drawnStage = null;

/** Who asked for less motion sees the blocks move once a beat. */
const stepped = (scene) => (scene && calm.matches ? { ...scene, beat: Math.floor(scene.beat) } : scene);

function draw() {
  const scene = sceneNow();
  if (app.stage !== drawnStage) app.stage ? chart.clear() : chart.rest();
  drawnStage = app.stage;
  falling.draw(keyboard.layout, stepped(scene));
  const sounding = scene ? soundingKeys(scene) : { band: [], player: app.down };
  keyboard.draw(sounding.player, sounding.band);
  beats.draw(scene?.stage.meter ?? parseMeter(settings.meter), scene?.beat ?? null);
  if (scene) chart.draw(scene);
  status.chords(scene && scene.stage.plan.at(scene.beat), scene && settings.get("showChords") && scene.stage.plan.after(scene.beat));
  requestAnimationFrame(draw);
}

let wasJamming = false;
app.addEventListener("change", () => {
  const jamming = app.jam !== null;
  if (jamming === wasJamming) return;
  wasJamming = jamming;
  controls.lock(jamming);
  takes.draw();
});
const labels = (table) => Object.entries(table).map(([value, row]) => [value, row.label]);
controls.offer("rhythm", labels(PATTERNS));
controls.offer("chordInstrument", labels(INSTRUMENTS));
controls.offer("melodyInstrument", labels(INSTRUMENTS));
byId("octave").textContent = `C${settings.get("keyOctave")}`;
connectMidi();
midi.openIfAllowed();
offerModels();
requestAnimationFrame(draw);

window.sideman = { app, settings, midi };
