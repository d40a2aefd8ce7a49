// SPDX-License-Identifier: MIT

#pragma once

#include <sideman_client.hpp>

#include <juce_audio_basics/juce_audio_basics.h>

/** Sideman's beats are quarter notes, so a beat is this many ticks. */
constexpr int ticksPerBeat = 960;

inline void addNote (juce::MidiMessageSequence& sequence, int channel, int pitch, double onset, double duration, int velocity)
{
    sequence.addEvent (juce::MidiMessage::noteOn (channel, pitch, (juce::uint8) velocity), onset * ticksPerBeat);
    sequence.addEvent (juce::MidiMessage::noteOff (channel, pitch), (onset + duration) * ticksPerBeat);
}

/** The pitches to play: led from the chord before where the server does that, else in close position over the bass. */
inline std::vector<int> voicing (const sideman::Chord& chord)
{
    if (! chord.voicing.empty())
        return chord.voicing;

    auto pitches = chord.pitches;
    if (std::find (pitches.begin(), pitches.end(), chord.bass) == pitches.end())
        pitches.insert (pitches.begin(), chord.bass);

    return pitches;
}

/** The chords of an option, each with its bass, and its symbol as a text event; timestamps in ticks. */
inline juce::MidiMessageSequence chordSequence (const sideman::Option& option, int channel = 2, int velocity = 72)
{
    juce::MidiMessageSequence sequence;

    for (const auto& chord : option.chords)
    {
        sequence.addEvent (juce::MidiMessage::textMetaEvent (1, chord.symbol), chord.onset * ticksPerBeat);

        for (auto pitch : voicing (chord))
            addNote (sequence, channel, pitch, chord.onset, chord.duration, velocity);
    }

    sequence.updateMatchedPairs();
    return sequence;
}

inline juce::MidiMessageSequence melodySequence (const sideman::Melody& melody, int channel = 1)
{
    juce::MidiMessageSequence sequence;

    for (const auto& note : melody.notes)
        addNote (sequence, channel, note.pitch, note.onset, note.duration, note.velocity);

    sequence.updateMatchedPairs();
    return sequence;
}

/** Tempo and metre, the melody, and the chords, a track each. */
inline juce::MidiFile midiFile (const sideman::Melody& melody, const sideman::Option& option)
{
    const auto parts = juce::StringArray::fromTokens (juce::String (melody.meter), "/", {});
    juce::MidiMessageSequence time;
    time.addEvent (juce::MidiMessage::tempoMetaEvent (juce::roundToInt (60.0e6 / melody.tempo)));
    time.addEvent (juce::MidiMessage::timeSignatureMetaEvent (parts[0].getIntValue(), parts[1].getIntValue()));

    juce::MidiFile file;
    file.setTicksPerQuarterNote (ticksPerBeat);
    file.addTrack (time);
    file.addTrack (melodySequence (melody));
    file.addTrack (chordSequence (option));
    return file;
}
