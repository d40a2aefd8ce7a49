// Asks a server for one thing and says in a line of JSON what came of it: for the tests of the client.
//
//     client_check URL WHAT [OPTION=NUMBER...]
//
// WHAT: options, midi, alternatives, health, models, bench. OPTION: n, pitch, notes (one a beat, closer where they are more than a
// request may be long), rounds, total and connect (timeouts, ms), cancel (ms after which another thread cancels).
//
// SPDX-License-Identifier: MIT

#include "sideman_client.hpp"

#include <iostream>

namespace {

using Clock = std::chrono::steady_clock;
using sideman::Json;

double milliseconds_since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

const char* name_of(sideman::Error::Kind kind) {
    using Kind = sideman::Error::Kind;
    switch (kind) {
        case Kind::server_down: return "server_down";
        case Kind::timed_out: return "timed_out";
        case Kind::refused: return "refused";
        case Kind::malformed: return "malformed";
        case Kind::cancelled: return "cancelled";
    }
    return "?";
}

sideman::OptionsRequest request_of(const std::map<std::string, int>& given) {
    const auto number = [&](const char* name, int otherwise) {
        const auto found = given.find(name);
        return found == given.end() ? otherwise : found->second;
    };
    const int steps[] = {60, 62, 64, 67, 65, 64, 62, 60, 59, 60, 64, 62, 67, 69, 67, 65};
    sideman::OptionsRequest request;
    request.n = number("n", 5);
    const int notes = number("notes", 16);
    const double step = std::min(1.0, 1000.0 / notes);
    for (int at = 0; at < notes; ++at)
        request.melody.notes.push_back({step * at, step, number("pitch", steps[(at / 4 + 3 * at) % 16])});
    return request;
}

Json options(const sideman::Client& client, const sideman::OptionsRequest& request, const sideman::Cancel& cancel) {
    const auto answer = client.options(request, cancel);
    Json symbols = Json::array();
    for (const auto& option : answer.options) {
        symbols.push_back(Json::array());
        for (const auto& chord : option.chords) symbols.back().push_back(chord.symbol);
    }
    Json summaries = Json::array();
    for (const auto& option : answer.options) summaries.push_back(option.explanation.summary);
    return {{"model", answer.model}, {"beats", answer.beats}, {"symbols", symbols}, {"summaries", summaries}};
}

Json alternatives(const sideman::Client& client, const sideman::OptionsRequest& request, const sideman::Cancel& cancel) {
    sideman::AlternativesRequest place;
    place.melody = request.melody;
    place.chords = {{0, 4, "C"}, {4, 4, "F"}};
    place.onset = 4;
    const auto answer = client.alternatives(place, cancel);
    Json symbols = Json::array();
    for (const auto& other : answer.alternatives) symbols.push_back(other.chord.symbol);
    return {{"instead_of", answer.chord.symbol}, {"symbols", symbols}};
}

// Milliseconds of one request after the other; another seed each time, so that nothing can be remembered.
Json bench(const sideman::Client& client, sideman::OptionsRequest request, int rounds) {
    Json times = Json::array();
    for (; request.seed < rounds; ++request.seed) {
        const auto start = Clock::now();
        client.options(request);
        times.push_back(milliseconds_since(start));
    }
    return {{"times", times}};
}

Json ask(const std::string& url, const std::string& what, std::map<std::string, int> given) {
    sideman::Timeouts timeouts;
    if (given.count("total")) timeouts.total = sideman::Milliseconds(given["total"]);
    if (given.count("connect")) timeouts.connect = sideman::Milliseconds(given["connect"]);
    const sideman::Client client(url, "", timeouts);
    const sideman::Cancel cancel;
    std::thread other;
    if (given.count("cancel"))
        other = std::thread([&] {
            std::this_thread::sleep_for(sideman::Milliseconds(given["cancel"]));
            cancel.cancel();
        });
    const auto start = Clock::now();
    Json found;
    try {
        if (what == "options") found = options(client, request_of(given), cancel);
        else if (what == "midi") found = {{"bytes", client.options_midi(request_of(given), cancel).size()}};
        else if (what == "alternatives") found = alternatives(client, request_of(given), cancel);
        else if (what == "health") found = {{"status", client.health(cancel).status}};
        else if (what == "models") found = {{"count", client.models(cancel).size()}};
        else if (what == "bench") found = bench(client, request_of(given), given["rounds"]);
        else found = {{"kind", "no such thing to ask"}};
    } catch (const sideman::Error& error) {
        found = {{"kind", name_of(error.kind)}, {"status", error.status},           {"code", error.code},
                 {"message", error.what()},     {"retry_after", error.retry_after}, {"hint", error.hint}};
    }
    found["ms"] = milliseconds_since(start);
    if (other.joinable()) other.join();
    return found;
}

}  // namespace

int main(int count, char** words) {
    if (count < 3) return 2;
    std::map<std::string, int> given;
    for (int at = 3; at < count; ++at) {
        const std::string word = words[at];
        const auto equals = word.find('=');
        given[word.substr(0, equals)] = std::stoi(word.substr(equals + 1));
    }
    try {
        std::cout << ask(words[1], words[2], given).dump() << "\n";
    } catch (const std::invalid_argument& error) {
        std::cout << Json{{"kind", "invalid_argument"}, {"message", error.what()}}.dump() << "\n";
    }
    return 0;
}
