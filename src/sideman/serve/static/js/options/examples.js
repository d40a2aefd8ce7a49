/**
 * Melodies at hand, all of them old enough to belong to everybody. Notes are written "pitch:beats"; "z" is a rest.
 */
const row = (title, meter, tempo, text, { key, pickup = 0 }) => ({ title, meter, tempo, key, pickup, notes: notesOf(text) });

const STEPS = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 };

function notesOf(text) {
  let onset = 0;
  const notes = [];
  for (const word of text.trim().split(/\s+/)) {
    const [, letter, sign, octave, beats] = /^([A-Gz])([#b]?)(\d?):([\d.]+)$/.exec(word);
    const duration = Number(beats);
    const shift = { "#": 1, b: -1 }[sign] ?? 0;
    if (letter !== "z") notes.push({ onset, duration, pitch: 12 * (Number(octave) + 1) + STEPS[letter] + shift });
    onset += duration;
  }
  return notes;
}

export const EXAMPLES = {
  greensleeves: row("Greensleeves", "6/8", 96, `
    A4:.5 C5:1 D5:.5 E5:.75 F5:.25 E5:.5 D5:1 B4:.5 G4:.75 A4:.25 B4:.5 C5:1 A4:.5 A4:.75 G#4:.25 A4:.5 B4:1 G#4:.5 E4:1 A4:.5
    C5:1 D5:.5 E5:.75 F5:.25 E5:.5 D5:1 B4:.5 G4:.75 A4:.25 B4:.5 C5:.75 B4:.25 A4:.5 G#4:.75 F#4:.25 G#4:.5 A4:1.5 A4:1.5
    G5:1.5 G5:.75 F#5:.25 E5:.5 D5:1 B4:.5 G4:.75 A4:.25 B4:.5 C5:1 A4:.5 A4:.75 G#4:.25 A4:.5 B4:1 G#4:.5 E4:1.5
    G5:1.5 G5:.75 F#5:.25 E5:.5 D5:1 B4:.5 G4:.75 A4:.25 B4:.5 C5:.75 B4:.25 A4:.5 G#4:.75 F#4:.25 G#4:.5 A4:1.5 A4:1`,
    { key: "A minor", pickup: 0.5 }),
  joy: row("Ode to Joy", "4/4", 116, `
    E4:1 E4:1 F4:1 G4:1 G4:1 F4:1 E4:1 D4:1 C4:1 C4:1 D4:1 E4:1 E4:1.5 D4:.5 D4:2
    E4:1 E4:1 F4:1 G4:1 G4:1 F4:1 E4:1 D4:1 C4:1 C4:1 D4:1 E4:1 D4:1.5 C4:.5 C4:2`,
    { key: "C major" }),
  grace: row("Amazing Grace", "3/4", 84, `
    D4:1 G4:2 B4:.5 G4:.5 B4:2 A4:1 G4:2 E4:1 D4:2 D4:1 G4:2 B4:.5 G4:.5 B4:2 A4:1 D5:5
    B4:1 D5:2 B4:.5 G4:.5 B4:2 A4:1 G4:2 E4:1 D4:2 D4:1 G4:2 B4:.5 G4:.5 B4:2 A4:1 G4:5`,
    { key: "G major", pickup: 1 }),
  scarborough: row("Scarborough Fair", "3/4", 104, `
    D4:2 D4:1 A4:2 A4:1 E4:1.5 F4:.5 E4:1 D4:3 z:1 A4:1 C5:1 D5:2 C5:1 A4:1 B4:1 G4:1 A4:3 z:2 D5:1
    D5:2 D5:1 C5:2 A4:1 A4:1 G4:1 F4:1 E4:1 C4:2 D4:2 A4:1 G4:2 F4:1 E4:1 D4:1 C4:1 D4:3`,
    { key: "D minor" }),
  saints: row("When the Saints", "4/4", 168, `
    C4:1 E4:1 F4:1 G4:4 z:1 C4:1 E4:1 F4:1 G4:4 z:1 C4:1 E4:1 F4:1 G4:2 E4:2 C4:2 E4:2 D4:4
    z:1 E4:1 E4:1 D4:1 C4:3 C4:1 E4:2 G4:1 G4:1 F4:4 z:2 E4:1 F4:1 G4:2 E4:2 C4:2 D4:2 C4:4`,
    { key: "C major", pickup: 3 }),
};
