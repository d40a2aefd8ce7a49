// Asks a Sideman server from a JUCE program and writes the option chosen as a MIDI file.
//
//     options_to_midi http://127.0.0.1:8080 OUT.mid [RANK]
//
// Exit codes: 0 done; 2 the call is wrong; 1 anything else.
//
// SPDX-License-Identifier: MIT

#include "OptionsLoader.h"

#include "ChordMidi.h"

#include <iostream>

namespace
{
    // "Frère Jacques", four bars.
    sideman::Melody melody()
    {
        sideman::Melody melody;
        double onset = 0;

        for (auto [pitch, duration] : { std::pair { 60, 1.0 }, { 62, 1.0 }, { 64, 1.0 }, { 60, 1.0 },
                                        { 60, 1.0 }, { 62, 1.0 }, { 64, 1.0 }, { 60, 1.0 },
                                        { 64, 1.0 }, { 65, 1.0 }, { 67, 2.0 },
                                        { 64, 1.0 }, { 65, 1.0 }, { 67, 2.0 } })
        {
            melody.notes.push_back ({ onset, duration, pitch });
            onset += duration;
        }

        return melody;
    }

    bool write (const juce::MidiFile& midi, const juce::File& target)
    {
        const juce::TemporaryFile scratch (target);

        if (auto stream = scratch.getFile().createOutputStream())
            if (midi.writeTo (*stream))
            {
                stream.reset();
                return scratch.overwriteTargetFileWithTemporary();
            }

        return false;
    }

    struct Host
    {
        Host (sideman::Client client, juce::File targetFile, int rankToTake)
            : target (std::move (targetFile)), rank (rankToTake), loader (std::move (client))
        {
            asked.melody = melody();
            loader.ask (asked, [this] (const auto& outcome) { take (outcome); });
        }

        /** On the message thread. */
        void take (const OptionsLoader::Outcome& outcome)
        {
            if (const auto* error = std::get_if<sideman::Error> (&outcome))
                std::cerr << "options_to_midi: " << error->what() << " " << error->hint << "\n";
            else
                code = apply (std::get<sideman::OptionsAnswer> (outcome)) ? 0 : 1;

            juce::MessageManager::getInstance()->stopDispatchLoop();
        }

        bool apply (const sideman::OptionsAnswer& answer) const
        {
            for (const auto& option : answer.options)
                if (option.rank == rank)
                {
                    std::cout << "option " << rank << " of " << answer.options.size() << " -> " << target.getFullPathName() << "\n";
                    return write (midiFile (asked.melody, option), target);
                }

            std::cerr << "options_to_midi: there is no option " << rank << "\n";
            return false;
        }

        sideman::OptionsRequest asked;
        juce::File target;
        int rank;
        int code = 1;
        OptionsLoader loader;  // last: it is gone before what its callback touches
    };
}

int main (int count, char** words)
{
    if (count < 3 || count > 4)
    {
        std::cerr << "usage: options_to_midi http://127.0.0.1:8080 OUT.mid [RANK]\n";
        return 2;
    }

    try
    {
        const juce::ScopedJuceInitialiser_GUI juceLives;
        const auto target = juce::File::getCurrentWorkingDirectory().getChildFile (juce::String::fromUTF8 (words[2]));
        Host host (sideman::Client (words[1]), target, count == 4 ? juce::String (words[3]).getIntValue() : 1);
        juce::MessageManager::getInstance()->runDispatchLoop();
        return host.code;
    }
    catch (const std::invalid_argument& error)
    {
        std::cerr << "options_to_midi: " << error.what() << "\n";
        return 2;
    }
}
