"""Requests made up from our own description, right and wrong ones, and whether every answer is one that it names.

python benchmarks/fuzz_http.py [--cases 1000] [--seed 0] [--url http://127.0.0.1:8080]

Needs `pip install schemathesis`. Without --url a server is started for it. Exit code 1 where anything failed.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
    response_schema_conformance,
)

from sideman.serve.server import open_socket

# Pieces are told as they grow, for minutes if one lets them.
COMPOSE_SECONDS = 0.2
# What a description cannot say (a hold of nothing, an unknown chord) is refused although it is described.
LEFT_OUT = [positive_data_acceptance]
# Its tuples (`prefixItems`) are said to be no schema, though they are.
TUPLES = "/play"
TOO_LARGE = 413
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


def fuzz(url: str, cases: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Answers counted by operation and status, and what is wrong with some."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    # Without a body there is hardly more than one request to make.
    wide = [one for one in operations if one.body]
    each = max(1, (cases - len(operations)) // (len(MODES) * len(wide)))
    answers: Counter[str] = Counter()
    wrong = []
    for operation in operations:
        for mode in MODES if operation in wide else MODES[:1]:
            try:
                _ask(operation, mode, each if operation in wide else 1, seed, answers)
            except* Exception as found:
                wrong += [f"{operation.label}: {error}" for error in _leaves(found)]
    return answers, wrong


def _ask(
    operation: schemathesis.APIOperation, mode: GenerationMode, cases: int, seed: int, answers: Counter[str]
) -> None:
    @seeded(seed)
    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=True,
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        if case.path == "/v1/compose" and isinstance(case.body, dict):
            case.body = case.body | {"seconds": min(_number(case.body.get("seconds")), COMPOSE_SECONDS)}
        answer = case.call(timeout=120)
        answers[f"{operation.label} {answer.status_code}"] += 1
        left_out = [*LEFT_OUT, response_schema_conformance] if case.path == TUPLES else [*LEFT_OUT]
        if answer.status_code == TOO_LARGE:  # said before it is read, and no acceptance
            left_out.append(negative_data_rejection)
        case.validate_response(answer, excluded_checks=left_out)

    ask()


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else COMPOSE_SECONDS


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup) and not isinstance(error, FailureGroup):
            yield from _leaves(error)
        else:
            yield error


@contextmanager
def server() -> Iterator[str]:
    """The address of a server of our own."""
    with open_socket("127.0.0.1", 0) as free:
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "sideman", "serve", "--port", port]
    running = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        assert running.stderr is not None
        running.stderr.readline()  # it listens
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--url")
    chosen = parser.parse_args()
    if chosen.url:
        answers, wrong = fuzz(chosen.url, chosen.cases, chosen.seed)
    else:
        with server() as url:
            answers, wrong = fuzz(url, chosen.cases, chosen.seed)
    print(json.dumps(dict(sorted(answers.items())), indent=1))
    for failure in wrong:
        print(failure, file=sys.stderr)
    print(f"{answers.total()} requests, {len(wrong)} kinds of wrong answers")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
