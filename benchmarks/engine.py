"""The measuring engine against a plain hook loop, nnsight and pyvene.

All answer the same questions under the same masks of the same random Llama; their
answers are compared before and after they are timed. Each batched way runs with the
threads and batch size that suit it. Run it while nothing else runs:

    python -m benchmarks.engine --case 100m --json 100m.json

Cases: zoo (64 wide, 2 layers, CPU), 100m (110 million parameters, float32, CPU), 7b
(Llama-2-7B's shape, bfloat16, one GPU; the loop answers some of the rows). See
benchmarks/peers.py for what the peers are given, benchmarks/flops.py for the share.
"""

import argparse
import json
import platform
import sys
from contextlib import suppress
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from benchmarks.cases import (
    CASES,
    TOKENIZER_VOCAB,
    Case,
    grid_of,
    random_llama,
)
from benchmarks.compare import OURS, Comparison, compare
from benchmarks.flops import Shape, tokens_fed, useful_flops
from benchmarks.meter import matmul_rate, threads
from benchmarks.paper import Estimate, Measured, estimates, in_words, sizes
from benchmarks.peers import PEERS
from benchmarks.report import Facts, as_json, judged, show
from benchmarks.work import (
    Work,
    answers_per_concept,
    factbook_tokenizer,
    prepare,
    some_masks,
)
from paraspec.core.config import read_study
from paraspec.core.definitions import PRIMARY_RATIO
from paraspec.core.errors import UserError
from paraspec.core.files import write_text
from paraspec.data.study import select_concepts
from paraspec.data.validate import read_concepts
from paraspec.measure.plan import Grid

MATMULS = 15
"""Timed matrix products; the median counts."""


def main() -> int:
    """Compare the ways in one case, print a table, write JSON."""
    given = arguments()
    case = chosen_case(given)
    try:
        work, per_concept = prepared(given, case)
        size = work.loaded.model.num_parameters()
        say(f"{len(work.rows)} answers, {size:,} parameters")
        comparison = compare(work, case, say)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    facts = measured_facts(work, case, comparison)
    lines = judged(comparison, facts)
    print(f"{given.case}: {len(work.rows)} answers, {device_name(work)}")
    show(lines, comparison, case, facts)
    study = paper_study(work, comparison, facts, per_concept)
    print(in_words(study))
    if given.json:
        found = {
            "software": software(),
            "device": device_name(work),
            **as_json(lines, comparison, case, facts),
            "paper": [asdict(model) for model in study],
        }
        write_text(given.json, json.dumps(found, indent=1) + "\n")
    return 0


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", choices=CASES, default="zoo", help="(%(default)s)")
    parser.add_argument("--json", type=Path, help="JSON file to write")
    parser.add_argument(
        "--concepts-file", type=Path, default=Path("data/factbook.jsonl"),
        help="concept file (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--config", type=Path, default=Path("config/miniature.yaml"),
        help="ratios and draws (%(default)s)",
    )  # fmt: skip
    try_out = parser.add_argument_group("to try the script out, not to report")
    try_out.add_argument("--shrink", type=int, default=1, help="divide the sizes by")
    try_out.add_argument("--device", help="another device than the case's")
    try_out.add_argument("--rows", type=int, help="at most so many answers")
    return parser.parse_args()


def say(what: str) -> None:
    """Tell what happens, beside the results."""
    print(what, file=sys.stderr, flush=True)


def chosen_case(given: argparse.Namespace) -> Case:
    """The case, changed as the command line says."""
    case = CASES[given.case]
    return replace(
        case,
        d_model=case.d_model // given.shrink,
        d_ff=case.d_ff // given.shrink,
        n_layers=max(1, case.n_layers // given.shrink),
        n_heads=max(1, case.n_heads // given.shrink),
        device=given.device or case.device,
    )


def prepared(given: argparse.Namespace, case: Case) -> tuple[Work, int]:
    """Make the model and its work; count a concept's answers in the whole study."""
    study = read_study(given.config)
    every = read_concepts(given.concepts_file)
    where = str(given.concepts_file)
    concepts, _ = select_concepts(every, case.per_cell, study.seed, where)
    tokenizer = factbook_tokenizer(concepts, TOKENIZER_VOCAB)
    loaded = random_llama(case, torch.device(case.device), tokenizer)
    general = study.measure.general_items
    grid = grid_of(case, loaded, study.measure)
    work = prepare(loaded, concepts, grid, general, case.n_concepts, case.batch_rows[0])
    if given.rows:
        work = work.only(some_masks(work.rows, given.rows))
    whole = Grid.of(study.measure, PRIMARY_RATIO)
    return work, answers_per_concept(concepts, whole, general)


def measured_facts(work: Work, case: Case, comparison: Comparison) -> Facts:
    """Count the work's operations and measure the device's rate."""
    device, dtype = work.loaded.model.device, work.loaded.model.dtype
    rates = {}
    for n in {outcome.setting.threads for outcome in comparison.outcomes}:
        with threads(n):
            rates[n] = matmul_rate(device, dtype, case.matmul_size, MATMULS)
    shape = Shape.of(work.loaded.model)
    asked = [work.prompts[row.asked.item] for row in work.rows]
    return Facts(len(work.rows), useful_flops(shape, asked), rates)


def paper_study(
    work: Work, comparison: Comparison, facts: Facts, per_concept: int
) -> list[Estimate]:
    """Estimate the paper-scale study from what ours did here."""
    model = work.loaded.model
    (mine,) = (o for o in comparison.outcomes if o.way == OURS)
    asked = [work.prompts[row.asked.item] for row in work.rows]
    found = Measured(
        flops_per_second=facts.flops / mine.seconds,
        working_bytes=mine.working_bytes,
        parameters=model.num_parameters(),
        answers_per_concept=per_concept,
        tokens_per_answer=sum(map(tokens_fed, asked)) / len(asked),
        bytes_per_weight=model.dtype.itemsize,
    )
    return estimates(found, sizes())


def device_name(work: Work) -> str:
    """The device's name; a CPU's with its architecture."""
    device = work.loaded.model.device
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU {platform.machine()}, {torch.backends.cpu.get_cpu_capability()}"


def software() -> dict[str, str]:
    """Versions of what was compared."""
    found = {"python": platform.python_version()}
    for name in ("torch", "transformers", *PEERS):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


if __name__ == "__main__":
    sys.exit(main())
