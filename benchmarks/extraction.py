"""How long extraction takes: all questions of the factbook, once through a model.

Activations are what every model needs, statistics what control masks need beside them
(two more passes, and gradients at nine gates). Run it while nothing else runs:

    python -m benchmarks.extraction --case 7b
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.cases import CASES, TOKENIZER_VOCAB, random_llama
from benchmarks.meter import synchronise
from benchmarks.paper import CONCEPTS, SMALLEST_MODEL, sizes
from benchmarks.work import SEED, factbook_tokenizer
from paraspec.core.config import Asking
from paraspec.core.errors import UserError
from paraspec.data.sets import set_table
from paraspec.data.study import prompt_table
from paraspec.data.validate import read_concepts
from paraspec.measure.extract import extract, membership
from paraspec.measure.method import packing_holds
from paraspec.measure.prompts import tokenise
from paraspec.measure.statistics import extract_statistics
from paraspec.measure.wording import other_format

GENERAL_ITEMS = 30
N_ASKED = 10 * CONCEPTS
"""Questions of the paper-scale study."""


def main() -> int:
    """Time both, and say what the paper's models would take."""
    given = arguments()
    case = CASES[given.case]
    case = replace(case, device=given.device or case.device)
    device = torch.device(case.device)
    concepts = read_concepts(given.concepts_file)[: given.concepts]
    tokenizer = factbook_tokenizer(concepts, TOKENIZER_VOCAB)
    try:
        loaded = random_llama(case, device, tokenizer)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    table = prompt_table(concepts, SEED)
    members = membership(set_table(concepts, [], GENERAL_ITEMS, SEED))
    asked, reworded = (
        list(tokenise(table, how, tokenizer).values())
        for how in (Asking(), other_format(Asking()))
    )
    packed = packing_holds(loaded, asked)
    n, parameters = len(asked), loaded.model.num_parameters()
    passes = {
        "activations": lambda: extract(
            loaded, asked, members, given.batch_rows, lambda _: None
        ),
        "statistics": lambda: extract_statistics(
            *(loaded, asked, reworded, members, [], given.gradient_rows),
            lambda _: None,
            packed=packed,
        ),
    }
    print(f"{given.case}: {n} questions, {parameters:,} parameters, {device}")
    for name, read in passes.items():
        seconds = timed(read, device)
        print(f"{name}: {seconds:.1f} s, {n / seconds:.0f} questions/s")
        if parameters >= SMALLEST_MODEL:
            paper = seconds / n * N_ASKED / parameters * sum(sizes().values()) / 3600
            print(f"  as fast per parameter, the paper's models take {paper:.2f} hours")
    return 0


def timed(read: Callable[[], object], device: torch.device) -> float:
    """Seconds of the second of two runs."""
    for _ in range(2):
        synchronise(device)
        started = time.perf_counter()
        read()
        synchronise(device)
        seconds = time.perf_counter() - started
    return seconds


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", choices=CASES, default="zoo", help="(%(default)s)")
    parser.add_argument("--device", help="another device than the case's")
    parser.add_argument("--concepts", type=int, default=525, help="(%(default)s)")
    parser.add_argument("--batch-rows", type=int, default=512, help="(%(default)s)")
    parser.add_argument(
        "--gradient-rows", type=int, default=64, help="with gradients (%(default)s)"
    )
    parser.add_argument(
        "--concepts-file", type=Path, default=Path("data/factbook.jsonl"),
        help="concept file (%(default)s)",
    )  # fmt: skip
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
