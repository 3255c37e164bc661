"""Batched per-row masking against the loop that anyone would write first.

Both answer the same questions under the same masks of the same model:

- *batched*: ``paraspec.measure.score.answer_rows``; masks differ per row of a batch,
  and the options of a question continue from one pass over its prompt.
- *loop*: one concept at a time, one mask, one question, one option; hooks zero the
  masked coefficients, the whole sequence runs each time.

Passes this small may lose by a second thread, so each way gets the number of threads
that suits it better, tried on some of the rows. Run it while nothing else runs.

    python benchmarks/masking.py --results results/miniature --model llama-64-s0
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from paraspec.core.config import read_study
from paraspec.core.definitions import primary_ratio
from paraspec.core.errors import UserError
from paraspec.core.files import write_text
from paraspec.core.layout import StudyFiles
from paraspec.core.table import read_table
from paraspec.core.tables.planned import CONCEPTS, PROMPTS, SETS
from paraspec.measure.activation_files import load_activations
from paraspec.measure.plan import Grid, Rankings, masks_of, swap_donors
from paraspec.measure.prompts import Prompt, tokenise
from paraspec.measure.score import Applied, Row, answer_rows, asked_items, rows_of
from paraspec.measure.scoring import Answer
from paraspec.models.load import LoadedModel
from paraspec.models.manifest import load_measured
from paraspec.models.taps import masked

LARGEST_DIFFERENCE = 1e-4
"""Margins may differ by rounding only, in nats (float32 sums of log-likelihoods)."""

GOAL = 8
"""Times faster, on two cores."""

HOW_TO_MAKE = (
    "Make one with `make reproduce`, or with a small study by hand: paraspec plan, "
    "tokenizer, train and extract, all with --results and --help to explain them"
)


@dataclass(frozen=True)
class Work:
    """What both ways have to do."""

    loaded: LoadedModel
    rows: Sequence[Row]
    """Every pair of an acting mask and an item, once."""
    prompts: Mapping[str, Prompt]
    rankings: Rankings


@dataclass(frozen=True)
class Result:
    """What came out."""

    model: str
    threads: int
    loop_threads: int
    concepts: int
    answers: int
    seconds_batched: float
    seconds_loop: float
    times_faster: float
    different_predictions: int
    largest_margin_difference_nats: float


def main() -> int:
    """Run both ways, compare their answers, print seconds and their ratio."""
    given = arguments()
    try:
        work = prepared(given.results, given.model, given.config, given.concepts)
    except UserError as error:
        print(f"error: {error}\n{HOW_TO_MAKE}.", file=sys.stderr)
        return 1
    batch_rows = read_study(given.config).measure.batch_rows
    some = replace(work, rows=work.rows[:1000])
    threads = best_threads(lambda: batched(some, batch_rows), given.threads)
    fast, seconds_fast = timed(lambda: batched(work, batch_rows))
    few = replace(work, rows=work.rows[:100])
    loop_threads = best_threads(lambda: loop(few), given.threads)
    slow, seconds_slow = timed(lambda: loop(work))
    result = Result(
        model=given.model,
        threads=threads,
        loop_threads=loop_threads,
        concepts=given.concepts,
        answers=len(work.rows),
        seconds_batched=round(seconds_fast, 3),
        seconds_loop=round(seconds_slow, 3),
        times_faster=round(seconds_slow / seconds_fast, 1),
        **differences(fast, slow),
    )
    tell(result)
    if given.out:
        write_text(given.out, json.dumps(asdict(result), indent=1) + "\n")
    same = result.different_predictions == 0
    return int(not same or result.largest_margin_difference_nats > LARGEST_DIFFERENCE)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, required=True, help="study's folder")
    parser.add_argument("--model", required=True, help="trained and extracted model")
    parser.add_argument(
        "--concepts", type=int, default=3, help="how many (%(default)s)"
    )
    parser.add_argument("--threads", type=int, default=2, help="at most (%(default)s)")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    config = Path("config/miniature.yaml")
    parser.add_argument("--config", type=Path, default=config, help="masks' ratios")
    return parser.parse_args()


def prepared(results: Path, model: str, config: Path, n_concepts: int) -> Work:
    """Load the model, word its questions and list the masks of some concepts."""
    study, files = read_study(config), StudyFiles(results)
    loaded, manifest = load_measured(files, model, "float32")
    activations = load_activations(files.measure(model, "activations.safetensors"))
    table = read_table(files.data("prompts.parquet"), PROMPTS)
    asked = asked_items(read_table(files.data("sets.parquet"), SETS))
    concepts = read_table(files.data("concepts.parquet"), CONCEPTS)
    categories = dict(zip(concepts["concept"], concepts["category"], strict=True))
    donors = swap_donors(categories, study.seed)
    grid = Grid.of(study.measure, primary_ratio(manifest.parameters_total))
    every = [
        row
        for concept in list(asked)[:n_concepts]
        for row in rows_of(
            masks_of(concept, donors.get(concept), grid),
            asked[concept],
            activations.sizes,
        )
    ]
    distinct = {(row.applied, row.asked.item): row for row in every}
    prompts = tokenise(table, "cloze", loaded.tokenizer)
    return Work(loaded, list(distinct.values()), prompts, Rankings(model, activations))


def timed(run: Callable[[], list[Answer]]) -> tuple[list[Answer], float]:
    """Run once and take the time."""
    started = time.perf_counter()
    return run(), time.perf_counter() - started


def best_threads(run: Callable[[], list[Answer]], threads: int) -> int:
    """Set and return the number of threads with which something runs faster."""
    seconds = {}
    for n in (1, threads):
        torch.set_num_threads(n)
        seconds[n] = min(timed(run)[1] for _ in range(2))
    best = min(seconds, key=lambda n: seconds[n])
    torch.set_num_threads(best)
    return best


def batched(work: Work, batch_rows: int) -> list[Answer]:
    """Answer as the study does."""
    return answer_rows(
        work.loaded, work.rows, work.prompts, work.rankings, batch_rows, lambda _: None
    )


def loop(work: Work) -> list[Answer]:
    """Answer one concept, mask, question and option at a time."""
    answers: dict[int, Answer] = {}
    of_mask: dict[Applied, list[int]] = {}
    for i, row in enumerate(work.rows):
        of_mask.setdefault(row.applied, []).append(i)
    for applied, positions in of_mask.items():
        ranking = work.rankings.get(applied.ranking)
        keep = [
            (place >= k) != applied.keep
            for place, k in zip(ranking, applied.k, strict=True)
        ]
        with torch.inference_mode(), hooks(work.loaded, keep):
            for i in positions:
                prompt = work.prompts[work.rows[i].asked.item]
                scores = [score(work.loaded, prompt, o) for o in prompt.options]
                answers[i] = Answer(tuple(scores), prompt.gold)
    return [answers[i] for i in range(len(work.rows))]


def score(loaded: LoadedModel, prompt: Prompt, option: Sequence[int]) -> float:
    """Log-likelihood of one option, from one pass over prompt and option."""
    ids = torch.tensor([[*prompt.prefix, *option]])
    logits = loaded.model(input_ids=ids, use_cache=False).logits[0]
    start = len(prompt.prefix) - 1
    logprobs = logits[start : start + len(option)].log_softmax(-1)
    return float(logprobs.gather(1, torch.tensor(option)[:, None]).sum())


@contextmanager
def hooks(loaded: LoadedModel, keep: Sequence[torch.Tensor]) -> Iterator[None]:
    """Zero the coefficients that are not kept, with plain hooks where these can."""
    with ExitStack() as stack:
        if any(site.routed for site in loaded.sites):
            stack.enter_context(masked(loaded.sites, [k[None] for k in keep]))
        else:
            for site, kept in zip(loaded.sites, keep, strict=True):
                hook = site.module.register_forward_pre_hook(zeroing(kept))
                stack.callback(hook.remove)
        yield


def zeroing(kept: torch.Tensor) -> Callable[[nn.Module, Any], Any]:
    """Hook that multiplies a module's input by a mask."""
    return lambda _module, args: (args[0] * kept, *args[1:])


def differences(one: Sequence[Answer], other: Sequence[Answer]) -> dict[str, Any]:
    """How far two lists of answers disagree."""
    pairs = list(zip(one, other, strict=True))
    return {
        "different_predictions": sum(a.predicted != b.predicted for a, b in pairs),
        "largest_margin_difference_nats": max(
            abs(a.margin - b.margin) for a, b in pairs
        ),
    }


def tell(result: Result) -> None:
    """Print the result."""
    n = result.answers
    print(f"{result.model}, {result.concepts} concepts, {n} answers")
    for way, seconds, threads in (
        ("batched", result.seconds_batched, result.threads),
        ("loop", result.seconds_loop, result.loop_threads),
    ):
        print(f"{way:8} {seconds:8.2f} s, {n / seconds:5.0f}/s, {threads} threads")
    print(f"batched is {result.times_faster} times faster (goal: {GOAL})")
    print(f"different predictions: {result.different_predictions}; largest difference "
          f"of margins: {result.largest_margin_difference_nats:.1e} nats")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
