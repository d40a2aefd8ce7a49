/**
 * Puts the options page together: desk, dials, adviser, player, recorder, views; draws once a frame while something sounds.
 */
import { ComputerKeys } from "../input/computer-keys.js";
import { MidiAccess } from "../input/midi-access.js";
import { MidiIn } from "../input/midi-in.js";
import { PointerKeys } from "../input/pointer-keys.js";
import { PATTERNS } from "../music/comping.js";
import { Settings } from "../settings.js";
import { INSTRUMENTS } from "../sound/instruments.js";
import { ControlsView } from "../view/controls-view.js";
import { KeyboardView } from "../view/keyboard-view.js";
import { Palette } from "../view/palette.js";
import "../view/tabs.js";
import { Adviser } from "./adviser.js";
import { Desk } from "./desk.js";
import { Dials, GRIDS, MENUS, newSeed } from "./dials.js";
import { EXAMPLES } from "./examples.js";
import { InspectorView } from "./inspector-view.js";
import { emptyMelody } from "./melody.js";
import { MELODY, Player } from "./player.js";
import { Recorder } from "./recorder.js";
import { RollHands } from "./roll-hands.js";
import { RollView } from "./roll-view.js";
import { chordModels } from "./routes.js";
import { RowsView } from "./rows-view.js";
import { Selection } from "./selection.js";
import { StatusView } from "./status-view.js";
import { TimelineView } from "./timeline-view.js";
import { TuneView } from "./tune-view.js";

const FIRST = EXAMPLES.greensleeves; // what a new visitor finds
const byId = (id) => document.getElementById(id);

const dials = new Dials();
const sound = new Settings(); // the jam's: instruments and volumes are chosen once
const desk = new Desk(emptyMelody(FIRST));
const selection = new Selection(desk);
const adviser = new Adviser(desk, dials);
const player = new Player(desk, sound);
const recorder = new Recorder(player);
const things = { desk, selection, dials, adviser, player, recorder };

const timeline = new TimelineView(
  { timeline: byId("timeline"), wide: byId("wide"), ruler: byId("ruler"), loop: byId("loop"), cursor: byId("cursor") }, things,
);
const roll = new RollView(byId("roll"), things);
const rows = new RowsView(byId("rows"), timeline, things);
new InspectorView(timeline, rows, things);
new TuneView(
  {
    title: byId("tune"), facts: byId("facts"), melodies: byId("melodies"), open: byId("open"), file: byId("file"),
    tempo: byId("tempo"), meter: byId("meter"),
  },
  things,
);
const status = new StatusView(
  {
    offer: byId("offer"), phase: byId("phase"), notice: byId("notice"), hint: byId("hint"), listen: byId("listen"), record: byId("record"),
    recording: byId("recording"), recordingBeat: byId("recording-beat"), remarks: byId("remarks"), undo: byId("undo"), redo: byId("redo"),
    timeline: byId("timeline"),
  },
  timeline, things,
);
new RollHands(roll, timeline, things, { play: listen, say: (text) => (byId("spoken").textContent = text) });

const asked = new ControlsView(document.querySelector(".wishes"), dials);
const grid = new ControlsView(document.querySelector(".tune-head"), dials);
const heard = new ControlsView(byId("sound"), sound);
for (const [name, menu] of Object.entries(MENUS)) asked.offer(name, menu);
grid.offer("grid", GRIDS);
const labels = (table) => Object.entries(table).map(([value, row]) => [value, row.label]);
heard.offer("rhythm", labels(PATTERNS));
heard.offer("chordInstrument", labels(INSTRUMENTS));
heard.offer("melodyInstrument", labels(INSTRUMENTS));
byId("more").open = matchMedia("(min-width: 62rem)").matches;

/** The big button. */
function offer() {
  if (adviser.busy === "options") adviser.cancel();
  else if (desk.doc.melody.notes.length > 0) adviser.options();
}

/** Brings the rows into sight where they lie below it, as on a phone. */
function showRows() {
  const hidden = byId("rows").getBoundingClientRect().top > 0.75 * innerHeight;
  if (hidden) byId("timeline").scrollIntoView({ block: "start", behavior: timeline.calm.matches ? "auto" : "smooth" });
}

/** Plays the melody alone from the chosen note, or stops. */
function listen() {
  const note = desk.doc.melody.notes[selection.note];
  return rows.hear(MELODY, note?.onset ?? 0);
}

async function record() {
  if (recorder.running) return recorder.stop();
  midi.open();
  const { meter, tempo } = desk.doc.melody;
  if (!(await recorder.start({ meter, tempo }))) return adviser.tell("The browser holds the sound back. Press Play it in again.", "sound");
  byId("keys").focus();
}

byId("offer").addEventListener("click", offer);
rows.addEventListener("roll", offer);
adviser.addEventListener("laid", showRows);
byId("listen").addEventListener("click", listen);
byId("record").addEventListener("click", record);
byId("dice").addEventListener("click", () => dials.set("seed", newSeed()));
byId("undo").addEventListener("click", () => desk.undo());
byId("redo").addEventListener("click", () => desk.redo());
byId("zoom-in").addEventListener("click", () => dials.set("zoom", dials.get("zoom") * 1.5));
byId("zoom-out").addEventListener("click", () => dials.set("zoom", dials.get("zoom") / 1.5));
recorder.addEventListener("taken", ({ detail }) => desk.begin(detail));
selection.addEventListener("change", ({ detail }) => detail === "loop" && player.setLoop(selection.loop));

const typing = (target) => target.matches?.("input, select, textarea");
addEventListener("keydown", (event) => {
  const { key, shiftKey, target } = event;
  const command = event.ctrlKey || event.metaKey;
  if (command && !typing(target) && /^[zy]$/i.test(key)) {
    if (key.toLowerCase() === "y" || shiftKey) desk.redo();
    else desk.undo();
  } else if (key === "?" && !typing(target)) {
    byId("help").open = true;
    byId("help").firstElementChild.focus();
  } else if (key === "Escape" && player.source) player.stop();
  else if (key === " " && target === document.body && desk.doc.rows.length > 0) rows.hear(selection.row, 0);
  else return;
  event.preventDefault();
});

const palette = new Palette();
const keys = new ComputerKeys(recorder, sound, () => recorder.running !== null);
const hasLetters = !matchMedia("(hover: none) and (pointer: coarse)").matches;
const keyboard = new KeyboardView(byId("keys"), palette, (pitch) => (hasLetters ? keys.letter(pitch) : ""));
new PointerKeys(byId("keys"), keyboard, recorder);
const midi = new MidiAccess();
const midiIn = new MidiIn(midi, recorder, sound);
midiIn.addEventListener("unplugged", ({ detail }) => adviser.tell(`"${detail}" was unplugged; its keys are lifted.`, "midi"));

function connectMidi() {
  const ports = midi.inputs().map((port) => [port.id, port.name || port.id]);
  heard.offer("midiIn", [["all", ports.length > 0 ? "All keyboards" : "None found"], ...ports]);
  byId("midi-connect").hidden = midi.access !== null;
}
midi.addEventListener("change", connectMidi);
byId("midi-connect").addEventListener("click", async () => {
  if (!(await midi.open())) adviser.tell("This browser gives no MIDI. Chrome, Edge and Firefox do, after you allow it.", "midi");
});

let drawing = false;

function draw() {
  drawing = player.source !== null || recorder.running !== null;
  const { beat } = player;
  timeline.showBeat(beat);
  rows.light(beat);
  if (recorder.running) keyboard.draw(recorder.down, []);
  if (!drawing) return;
  status.beat();
  requestAnimationFrame(draw);
}
for (const source of [player, recorder]) source.addEventListener("change", () => drawing || draw());

async function offerModels() {
  try {
    asked.offer("model", [["", "Best there is"], ...(await chordModels()).map((name) => [name, name])]);
  } catch (error) {
    asked.offer("model", [["", "Best there is"]]);
    adviser.tell(error.message, "server");
  }
}

connectMidi();
midi.openIfAllowed();
offerModels();

window.sideman = { desk, dials, settings: dials, sound, selection, adviser, player, recorder, timeline };
