// Asks a Sideman server for five progressions under a built-in melody and prints them as a chart.
//
//     sideman_demo http://127.0.0.1:8080 [TOKEN]
//
// Exit codes: 0 done; 2 the call is wrong or the server refused it; 1 anything else.
//
// SPDX-License-Identifier: MIT

#include "sideman_client.hpp"

#include <cmath>
#include <iomanip>
#include <iostream>
#include <sstream>

namespace {

constexpr int bar_beats = 4;

// "Ode to Joy", eight bars.
sideman::Melody melody() {
    const std::vector<std::pair<int, double>> steps = {
        {64, 1}, {64, 1}, {65, 1}, {67, 1}, {67, 1}, {65, 1}, {64, 1}, {62, 1}, {60, 1}, {60, 1},
        {62, 1}, {64, 1}, {64, 1.5}, {62, 0.5}, {62, 2}, {64, 1}, {64, 1}, {65, 1}, {67, 1}, {67, 1},
        {65, 1}, {64, 1}, {62, 1}, {60, 1}, {60, 1}, {62, 1}, {64, 1}, {62, 1.5}, {60, 0.5}, {60, 2}};
    sideman::Melody melody;
    double onset = 0;
    for (const auto& [pitch, duration] : steps) {
        melody.notes.push_back({onset, duration, pitch});
        onset += duration;
    }
    return melody;
}

// One bar: the chords that begin in it; % where the one before goes on.
std::string bar(const sideman::Option& option, int number) {
    std::ostringstream text;
    for (const auto& chord : option.chords)
        if (static_cast<int>(std::floor(chord.onset / bar_beats)) == number)
            text << (text.tellp() > 0 ? " " : "") << chord.symbol;
    return text.tellp() > 0 ? text.str() : "%";
}

void print(const sideman::OptionsAnswer& answer) {
    const int bars = static_cast<int>(std::ceil(answer.beats / bar_beats));
    std::cout << answer.options.size() << " options by " << answer.model << " in " << std::lround(answer.elapsed_ms)
              << " ms, " << answer.meter << ", " << answer.tempo << " bpm\n";
    for (const auto& option : answer.options) {
        std::cout << "\nOption " << option.rank << ", score " << std::fixed << std::setprecision(2) << option.score;
        if (option.note_in_chord) std::cout << ", " << std::lround(100 * *option.note_in_chord) << " % of notes in chord";
        for (int number = 0; number < bars; ++number)
            std::cout << (number % 4 ? " " : "\n| ") << std::left << std::setw(13) << bar(option, number) << "|";
        std::cout << "\n" << option.explanation.summary << (option.explanation.summary.empty() ? "" : "\n");
    }
}

}  // namespace

int main(int count, char** words) {
    if (count < 2 || count > 3) {
        std::cerr << "usage: " << words[0] << " http://127.0.0.1:8080 [TOKEN]\n";
        return 2;
    }
    try {
        const sideman::Client client(words[1], count == 3 ? words[2] : "");
        sideman::OptionsRequest request;
        request.melody = melody();
        print(client.options(request));
        return 0;
    } catch (const sideman::Error& error) {
        std::cerr << "sideman_demo: " << error.what() << (error.hint.empty() ? "" : " " + error.hint) << "\n";
        return error.kind == sideman::Error::Kind::refused && error.status < 500 ? 2 : 1;
    } catch (const std::invalid_argument& error) {
        std::cerr << "sideman_demo: " << error.what() << "\n";
        return 2;
    }
}
