// SPDX-License-Identifier: MIT

#pragma once

#include <sideman_client.hpp>  // before JUCE: it brings the system's socket headers

#include <juce_events/juce_events.h>

#include <functional>
#include <utility>
#include <variant>

/** Asks a Sideman server on a thread of its own and hands the outcome over on the message thread.

    Threads: every method, the constructor and the destructor belong to the message thread. The last question counts: a
    new one, cancel() or the destructor end the one before, whose callback is then never called.
*/
class OptionsLoader
{
public:
    using Outcome = std::variant<sideman::OptionsAnswer, sideman::Error>;
    using Callback = std::function<void (const Outcome&)>;

    explicit OptionsLoader (sideman::Client clientToUse)  : client (std::move (clientToUse)) {}

    /** Waits for the thread: some milliseconds, or where nobody answers at the address at most Timeouts::connect. */
    ~OptionsLoader()
    {
        cancel();
        pool.removeAllJobs (true, -1);
    }

    void ask (sideman::OptionsRequest request, Callback callback)
    {
        cancel();
        question = {};

        pool.addJob ([client = client, request = std::move (request), question = question, callback = std::move (callback)]
        {
            auto outcome = load (client, request, question);

            juce::MessageManager::callAsync ([outcome = std::move (outcome), question, callback]
            {
                if (! question.cancelled())
                    callback (outcome);
            });
        });
    }

    void cancel()  { question.cancel(); }

private:
    static Outcome load (const sideman::Client& client, const sideman::OptionsRequest& request, const sideman::Cancel& question)
    {
        try
        {
            return client.options (request, question);
        }
        catch (const sideman::Error& error)
        {
            return error;
        }
    }

    sideman::Client client;
    sideman::Cancel question;
    juce::ThreadPool pool { 1 };

    JUCE_DECLARE_NON_COPYABLE_WITH_LEAK_DETECTOR (OptionsLoader)
};
