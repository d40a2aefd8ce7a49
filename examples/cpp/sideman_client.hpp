// A client for Sideman's HTTP interface: a melody in, chord progressions out.
//
// One header, C++17. Needs cpp-httplib (httplib.h) and nlohmann-json; for https define CPPHTTPLIB_OPENSSL_SUPPORT.
// Times are quarter-note beats from the start of the melody. What a field means and its bounds: GET /docs of a server.
//
// Threads: calls block; a Client has no state but its settings, so any number of threads may call it at once. Never
// call it on a message or audio thread. A Cancel may be triggered from any thread.
//
// SPDX-License-Identifier: MIT

#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <httplib.h>
#include <nlohmann/json.hpp>

#ifndef _WIN32
#include <csignal>
#endif

namespace sideman {

using Json = nlohmann::json;
using Milliseconds = std::chrono::milliseconds;

// ---------------------------------------------------------------------------------------------------- what is asked

struct Note {
    double onset = 0;
    double duration = 1;
    int pitch = 60;
    int velocity = 80;
};

struct Melody {
    std::vector<Note> notes;
    std::string meter = "4/4";
    double tempo = 120;
    double pickup = 0;               // beats before the first bar line
    std::optional<std::string> key;  // "Am"; found by the server if absent
};

// A chord by its name: one that every option must have, or one that is there already.
struct NamedChord {
    double onset = 0;
    double duration = 4;
    std::string symbol;
};

struct OptionsRequest {
    Melody melody;
    int n = 5;
    std::int64_t seed = 0;  // same seed, same answer
    double temperature = 1;
    std::vector<NamedChord> keep;
    std::optional<std::pair<double, double>> between;  // beats; only chords from the first to the second are made
    std::optional<double> density;                     // chords a bar, about
    std::optional<std::string> complexity;             // "triads", "sevenths" or "extensions"
    std::optional<double> bass;                        // 0 roots alone ... 1 a bass that steps
    std::optional<std::string> key;                    // "lock" or "free"
    std::optional<std::string> cadence;                // "authentic", "half", "plagal", "deceptive" or "open"
    std::optional<std::string> like;                   // a chart to resemble, such as "Dm9 | G13 | Cmaj9 . A7 . | %"
    std::optional<double> surprise;                    // 0 what one expects ... 1 what one does not
    std::optional<std::string> model;
};

// Other chords for one place of a progression.
struct AlternativesRequest {
    Melody melody;
    std::vector<NamedChord> chords;  // the progression
    double onset = 0;                // any beat within the chord in question
    int n = 8;
    std::optional<std::string> complexity, key, model;
};

// -------------------------------------------------------------------------------------------------- what is answered

struct Chord {
    double onset = 0;
    double duration = 0;
    std::string symbol;
    std::vector<int> pitches;  // MIDI numbers in close position, and
    int bass = 0;              // the bass below them
    std::vector<int> voicing;  // MIDI numbers to play, the bass first, led from the chord before
    std::string numeral;       // "V7/V": its place in the key
};

// The key from a beat on.
struct KeyFrom {
    double onset = 0;
    std::string key;
};

// A note of the melody that is none of its chord's.
struct Tension {
    double onset = 0;
    double duration = 0;
    int pitch = 0;
    std::string symbol;   // of the chord
    std::string tension;  // "9", "#11"
};

// What a musician wants to know about an option.
struct Explanation {
    std::string summary;  // a sentence
    std::string cadence;
    std::vector<KeyFrom> keys;
    std::vector<Tension> tensions;
};

struct Option {
    int rank = 0;
    double score = 0;
    std::map<std::string, double> scores;
    std::optional<double> note_in_chord;  // none where no chord meets a note
    double silence = 0;
    std::vector<Chord> chords;
    Explanation explanation;
};

struct OptionsAnswer {
    std::string model;
    std::int64_t seed = 0;
    double tempo = 0;
    std::string meter;
    double beats = 0;
    double elapsed_ms = 0;
    std::vector<Option> options;
    std::vector<std::string> remarks;
};

struct Alternative {
    int rank = 0;
    double score = 0;
    Chord chord;
    std::string reason;  // a sentence
};

struct AlternativesAnswer {
    std::string model;
    std::string key;
    double elapsed_ms = 0;
    Chord chord;  // the one in question
    std::vector<Alternative> alternatives;
};

struct Health {
    std::string status;
    std::string version;
    int waiting = 0;  // melodies in line
};

struct Model {
    std::string name;
    std::string kind;  // "offline" models answer options
    std::string part;
};

// ------------------------------------------------------------------------------------------------------- what can fail

// Everything a call throws, but for std::bad_alloc and std::system_error of a machine that is out of memory or threads.
struct Error : std::runtime_error {
    enum class Kind {
        server_down,  // nobody listens there, or the line broke before the answer was complete
        timed_out,    // Timeouts ran out
        refused,      // the server said no: `status`, `code` (for programs, stable), what() and `hint` (for people)
        malformed,    // an answer that is not what the interface promises: another server, or another version
        cancelled,    // Cancel::cancel was called
    };

    Error(Kind kind, const std::string& message) : std::runtime_error(message), kind(kind) {}

    Kind kind;
    int status = 0;
    std::string code;
    std::string hint;
    int retry_after = 0;  // seconds after which a busy server wants to be asked again; 0: it did not say
};

// Ends the calls it was given to, from any thread and without waiting for them. Copies share one state; it stays
// cancelled.
class Cancel {
public:
    void cancel() const {
        {
            std::lock_guard<std::mutex> lock(state_->mutex);
            state_->cancelled = true;
        }
        state_->changed.notify_all();
    }

    bool cancelled() const {
        std::lock_guard<std::mutex> lock(state_->mutex);
        return state_->cancelled;
    }

private:
    friend class Client;
    struct State {
        std::mutex mutex;
        std::condition_variable changed;
        bool cancelled = false;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

// `connect`: until somebody answers at the address. `total`: of a whole call, whatever it is spent on.
struct Timeouts {
    Milliseconds connect{2000};
    Milliseconds total{30000};
};

// ---------------------------------------------------------------------------------------------------------- the client

class Client {
public:
    // `base_url`: "http://127.0.0.1:8080", or behind a proxy "https://music.example/sideman". `token`: what the server
    // was started with. Throws std::invalid_argument for an address that is none.
    explicit Client(const std::string& base_url, std::string token = {}, Timeouts timeouts = {})
        : token_(std::move(token)), timeouts_(timeouts) {
        const auto scheme = base_url.find("://");
        const auto host = scheme == std::string::npos ? 0 : scheme + 3;
        const auto path = std::min(base_url.find('/', host), base_url.size());
        origin_ = base_url.substr(0, path);
        prefix_ = base_url.substr(path);
        prefix_.erase(prefix_.find_last_not_of('/') + 1);
        const bool known = base_url.rfind("http://", 0) == 0 || base_url.rfind("https://", 0) == 0;
        if (!known || path == host || !valid(origin_))
            throw std::invalid_argument("'" + base_url + "' is no address; give one like http://127.0.0.1:8080");
    }

    // Chord progressions for a melody, best first. Throws Error.
    OptionsAnswer options(const OptionsRequest& request, const Cancel& cancel = {}) const {
        return read<OptionsAnswer>(post("/v1/options", body_of(request), "application/json", cancel), options_of);
    }

    // The same as a MIDI file: the melody, and one track an option. Throws Error.
    std::string options_midi(const OptionsRequest& request, const Cancel& cancel = {}) const {
        auto file = post("/v1/options", body_of(request), "audio/midi", cancel);
        if (file.rfind("MThd", 0) != 0) throw Error(Error::Kind::malformed, "The answer is no MIDI file.");
        return file;
    }

    // Other chords for one place, best first. Throws Error.
    AlternativesAnswer alternatives(const AlternativesRequest& request, const Cancel& cancel = {}) const {
        const auto body = post("/v1/alternatives", body_of(request), "application/json", cancel);
        return read<AlternativesAnswer>(body, alternatives_of);
    }

    // Whether the server is up. Throws Error.
    Health health(const Cancel& cancel = {}) const {
        return read<Health>(get("/v1/health", cancel), [](const Json& json) {
            return Health{json.at("status"), json.at("version"), json.at("waiting")};
        });
    }

    // The models that can be asked for by name. Throws Error.
    std::vector<Model> models(const Cancel& cancel = {}) const {
        return read<std::vector<Model>>(get("/v1/models", cancel), [](const Json& json) {
            std::vector<Model> models;
            for (const auto& model : json.at("models"))
                models.push_back({model.at("name"), model.at("kind"), model.at("part")});
            return models;
        });
    }

private:
    using Clock = std::chrono::steady_clock;
    using State = Cancel::State;
    // An answer of 16 options for the longest melody is some 5 MB.
    static constexpr std::size_t most_bytes = 64'000'000;

    // Ends a request at its deadline or when it is cancelled. httplib counts its timeouts from byte to byte, so that a
    // slow sender could hold a caller for ever.
    class Watch {
    public:
        Watch(httplib::Client& line, Clock::time_point deadline, State& state)
            : line_(line), deadline_(deadline), state_(state), thread_([this] { run(); }) {}

        ~Watch() {
            {
                std::lock_guard<std::mutex> lock(state_.mutex);
                done_ = true;
            }
            state_.changed.notify_all();
            thread_.join();
        }

    private:
        void run() {
            std::unique_lock<std::mutex> lock(state_.mutex);
            state_.changed.wait_until(lock, deadline_, [this] { return done_ || state_.cancelled; });
            while (!done_) {  // again and again: stopping a line that is not open yet does nothing
                lock.unlock();
                line_.stop();
                lock.lock();
                state_.changed.wait_for(lock, Milliseconds(10), [this] { return done_; });
            }
        }

        httplib::Client& line_;
        Clock::time_point deadline_;
        State& state_;
        bool done_ = false;
        std::thread thread_;
    };

    // Writing to a server that has hung up must not end the host: its SIGPIPE is kept from this thread.
    class PipeShield {
#ifdef __linux__
    public:
        PipeShield() {
            sigemptyset(&pipe_);
            sigaddset(&pipe_, SIGPIPE);
            sigset_t pending;
            sigpending(&pending);
            was_pending_ = sigismember(&pending, SIGPIPE) == 1;
            pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
        }

        ~PipeShield() {
            const timespec now{0, 0};
            if (!was_pending_) sigtimedwait(&pipe_, nullptr, &now);
            pthread_sigmask(SIG_SETMASK, &before_, nullptr);
        }

    private:
        sigset_t pipe_, before_;
        bool was_pending_ = false;
#endif
    };

    static bool valid(const std::string& origin) {
        try {
            return httplib::Client(origin).is_valid();
        } catch (const std::exception&) {
            return false;  // a port that is no number, or https without OpenSSL
        }
    }

    std::string get(const std::string& path, const Cancel& cancel) const {
        httplib::Request request;
        request.method = "GET";
        request.path = prefix_ + path;
        request.set_header("Accept", "application/json");
        return answer(request, cancel);
    }

    std::string post(const std::string& path, const Json& body, const char* accept, const Cancel& cancel) const {
        httplib::Request request;
        request.method = "POST";
        request.path = prefix_ + path;
        request.set_header("Accept", accept);
        request.set_header("Content-Type", "application/json");
        // A text that is not UTF-8 is the server's to refuse, not a reason to throw something else here.
        request.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
        return answer(request, cancel);
    }

    // The body of a 200. Throws Error.
    std::string answer(httplib::Request& request, const Cancel& cancel) const {
        if (cancel.cancelled()) throw Error(Error::Kind::cancelled, "The call was cancelled.");
        if (!token_.empty()) request.set_header("Authorization", "Bearer " + token_);
        std::string body;
        bool too_long = false;
        request.content_receiver = [&](const char* data, auto length, auto, auto) {
            too_long = body.size() + length > most_bytes;
            if (!too_long) body.append(data, length);
            return !too_long;
        };
        httplib::Response response;
        auto failure = httplib::Error::Success;
        const auto deadline = Clock::now() + timeouts_.total;
        const bool complete = exchange(request, response, failure, deadline, *cancel.state_);
        if (cancel.cancelled()) throw Error(Error::Kind::cancelled, "The call was cancelled.");
        if (too_long) throw Error(Error::Kind::malformed, "The answer is longer than any of Sideman's.");
        if (!complete) throw broken(failure, Clock::now() >= deadline);
        if (response.status != 200) throw refusal(response, body);
        return body;
    }

    bool exchange(httplib::Request& request, httplib::Response& response, httplib::Error& failure,
                  Clock::time_point deadline, State& state) const {
        httplib::Client line(origin_);
        line.set_connection_timeout(std::min(timeouts_.connect, timeouts_.total));
        line.set_read_timeout(timeouts_.total);
        line.set_write_timeout(timeouts_.total);
        line.set_tcp_nodelay(true);
        PipeShield shield;
        Watch watch(line, deadline, state);
        return line.send(request, response, failure);
    }

    Error broken(httplib::Error failure, bool late) const {
        if (late || failure == httplib::Error::ConnectionTimeout)
            return Error(Error::Kind::timed_out, origin_ + " did not answer in time.");
        if (failure == httplib::Error::Read || failure == httplib::Error::Write)
            return Error(Error::Kind::server_down, "The line to " + origin_ + " broke before the answer was complete.");
        Error error(Error::Kind::server_down, origin_ + " cannot be reached (" + httplib::to_string(failure) + ").");
        error.hint = "Start it with `sideman serve`, or give the address where it runs.";
        return error;
    }

    static Error refusal(const httplib::Response& response, const std::string& body) {
        const auto status = std::to_string(response.status);
        Error error(Error::Kind::refused, "The server answered " + status + ".");
        error.code = "http_" + status;
        const auto json = Json::parse(body, nullptr, false);
        const auto said = json.is_object() ? json.value("error", Json()) : Json();
        if (said.is_object() && said.value("message", Json()).is_string()) {
            error = Error(Error::Kind::refused, said["message"]);
            error.code = text(said, "code");
            error.hint = text(said, "hint");
        }
        error.status = response.status;
        error.retry_after = std::atoi(response.get_header_value("Retry-After").c_str());
        return error;
    }

    static std::string text(const Json& json, const char* name) {
        const auto found = json.find(name);
        return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
    }

    template <class Answer, class Reader>
    static Answer read(const std::string& body, Reader reader) {
        try {
            return reader(Json::parse(body));
        } catch (const Json::exception& error) {
            throw Error(Error::Kind::malformed, std::string("The answer is not as agreed: ") + error.what());
        }
    }

    static Json body_of(const OptionsRequest& asked) {
        Json body{{"melody", melody_of(asked.melody)}, {"n", asked.n}, {"seed", asked.seed}, {"temperature", asked.temperature}};
        body["keep"] = chords_of(asked.keep);
        if (asked.between) body["between"] = Json::array({asked.between->first, asked.between->second});
        set(body, "density", asked.density);
        set(body, "complexity", asked.complexity);
        set(body, "bass", asked.bass);
        set(body, "key", asked.key);
        set(body, "cadence", asked.cadence);
        set(body, "like", asked.like);
        set(body, "surprise", asked.surprise);
        set(body, "model", asked.model);
        return body;
    }

    static Json body_of(const AlternativesRequest& asked) {
        Json body{{"melody", melody_of(asked.melody)}, {"chords", chords_of(asked.chords)}, {"onset", asked.onset}, {"n", asked.n}};
        set(body, "complexity", asked.complexity);
        set(body, "key", asked.key);
        set(body, "model", asked.model);
        return body;
    }

    static Json melody_of(const Melody& melody) {
        auto notes = Json::array();
        for (const auto& note : melody.notes)
            notes.push_back({{"onset", note.onset},
                             {"duration", note.duration},
                             {"pitch", note.pitch},
                             {"velocity", note.velocity}});
        Json json{{"notes", std::move(notes)}, {"meter", melody.meter}, {"tempo", melody.tempo}, {"pickup", melody.pickup}};
        set(json, "key", melody.key);
        return json;
    }

    static Json chords_of(const std::vector<NamedChord>& chords) {
        auto json = Json::array();
        for (const auto& chord : chords)
            json.push_back({{"onset", chord.onset}, {"duration", chord.duration}, {"symbol", chord.symbol}});
        return json;
    }

    // Nothing is sent of what was left to the server.
    template <class Value>
    static void set(Json& json, const char* name, const std::optional<Value>& value) {
        if (value) json[name] = *value;
    }

    static OptionsAnswer options_of(const Json& json) {
        OptionsAnswer answer;
        answer.model = json.at("model");
        answer.seed = json.at("seed");
        answer.tempo = json.at("tempo");
        answer.meter = json.at("meter");
        answer.beats = json.at("beats");
        answer.elapsed_ms = json.at("elapsed_ms");
        for (const auto& option : json.at("options")) answer.options.push_back(option_of(option));
        for (const auto& remark : json.value("remarks", Json::array())) answer.remarks.push_back(remark);
        return answer;
    }

    static Option option_of(const Json& json) {
        Option option;
        option.rank = json.at("rank");
        option.score = json.at("score");
        option.scores = json.at("scores").get<std::map<std::string, double>>();
        option.silence = json.at("silence");
        if (const auto& share = json.at("note_in_chord"); !share.is_null()) option.note_in_chord = share.get<double>();
        for (const auto& chord : json.at("chords")) option.chords.push_back(chord_of(chord));
        if (json.contains("explanation")) option.explanation = explanation_of(json["explanation"]);
        return option;
    }

    static Chord chord_of(const Json& json) {
        Chord chord;
        chord.onset = json.at("onset");
        chord.duration = json.at("duration");
        chord.symbol = json.at("symbol");
        chord.pitches = json.at("pitches").get<std::vector<int>>();
        chord.bass = json.at("bass");
        chord.voicing = json.value("voicing", std::vector<int>());
        chord.numeral = json.value("numeral", std::string());
        return chord;
    }

    static Explanation explanation_of(const Json& json) {
        Explanation explanation;
        explanation.summary = json.at("summary");
        explanation.cadence = json.at("cadence");
        for (const auto& from : json.at("keys")) explanation.keys.push_back({from.at("onset"), from.at("key")});
        for (const auto& note : json.at("tensions"))
            explanation.tensions.push_back({note.at("onset"), note.at("duration"), note.at("pitch"), note.at("symbol"),
                                            note.at("tension")});
        return explanation;
    }

    static AlternativesAnswer alternatives_of(const Json& json) {
        AlternativesAnswer answer;
        answer.model = json.at("model");
        answer.key = json.at("key");
        answer.elapsed_ms = json.at("elapsed_ms");
        answer.chord = chord_of(json.at("chord"));
        for (const auto& other : json.at("alternatives"))
            answer.alternatives.push_back({other.at("rank"), other.at("score"), chord_of(other), other.at("reason")});
        return answer;
    }

    std::string origin_, prefix_, token_;
    Timeouts timeouts_;
};

}  // namespace sideman
