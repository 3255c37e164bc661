"""Trying a tokenizer: round trip, BOS, option letters."""

from collections.abc import Iterator, Sequence

from transformers import PreTrainedTokenizerBase

from paraspec.models.encoding import Encoding
from paraspec.models.preflight.report import Finding, Letters, TextFacts

SAMPLES = (
    "The capital of France is Paris.",
    'Well, who knew that 3 + 4 = 7? "Nobody!" said O\'Neill (not I); a well-known one.',
    "São Tomé, Zürich, Ångström and Kraków: naïve façades, déjà vu.",
    "In 1984 some 12,345.67 km were left, 50% of them by 2 p.m.",
    "Question: why?\nAnswer: because.",
)
"""Spaces, punctuation, accents, digits, a new line."""

LETTERS = "ABCD"
EXAMPLE = (
    "Question: What is the capital of France?\n"
    "A. Berlin\nB. Paris\nC. Rome\nD. Madrid\nAnswer:"
)


def describe(tokenizer: PreTrainedTokenizerBase) -> TextFacts:
    """Describe how a tokenizer begins, ends and continues a text."""
    ids = list(tokenizer(SAMPLES[0])["input_ids"])
    text, bos = Encoding(tokenizer), tokenizer.bos_token_id
    written = text.ids(f"{tokenizer.bos_token or ''}{SAMPLES[0]}")
    return TextFacts(
        tokenizer_class=type(tokenizer).__name__,
        vocabulary=len(tokenizer),
        bos_added=_begins_with(ids, [bos]),
        bos_doubled=_begins_with(ids, [bos, bos]),
        written_bos_doubled=_begins_with(written, [bos, bos]),
        eos_appended=ids[-1] == tokenizer.eos_token_id,
        chat_template=bool(tokenizer.chat_template),
        letters=Letters(EXAMPLE, {x: text.added(EXAMPLE, f" {x}") for x in LETTERS}),
    )


def try_text(
    facts: TextFacts,
    tokenizer: PreTrainedTokenizerBase,
    n_embeddings: int,
    *,
    needs_letters: bool,
) -> Iterator[Finding]:
    """Try what scoring will rely on.

    Parameters
    ----------
    facts
        Description of the tokenizer.
    tokenizer
        The tokenizer.
    n_embeddings
        Tokens that the model knows.
    needs_letters
        Whether the scorer answers by letters: otherwise their lack is a warning.
    """
    yield _round_trip(tokenizer)
    ids = Encoding(tokenizer).ids
    largest = max(max(ids(sample)) for sample in (*SAMPLES, EXAMPLE))
    yield Finding(
        "token ids fit the model",
        "pass" if largest < n_embeddings else "fail",
        f"largest id of the samples {largest}, model knows {n_embeddings}",
    )
    yield Finding(
        "BOS is not doubled",
        "fail" if facts.bos_doubled else "pass",
        "a text begins with two BOS" if facts.bos_doubled else _bos(facts),
    )
    fault = _letters_fault(facts.letters)
    yield Finding(
        "letters are distinct single tokens",
        "pass" if fault is None else "fail" if needs_letters else "warning",
        fault or "A to D add one token each to the example prompt",
    )


def _round_trip(tokenizer: PreTrainedTokenizerBase) -> Finding:
    name = "text survives the tokenizer"
    special = set(tokenizer.all_special_ids)
    for text in SAMPLES:
        ids = Encoding(tokenizer).ids(text)
        while ids and ids[0] in special - {tokenizer.unk_token_id}:
            ids.pop(0)
        back = tokenizer.decode(ids, clean_up_tokenization_spaces=False)
        if back != text:
            return Finding(name, "fail", f"{text!r} comes back as {back!r}")
    return Finding(name, "pass", f"{len(SAMPLES)} samples decode to themselves")


def _letters_fault(letters: Letters) -> str | None:
    for letter, tokens in letters.tokens.items():
        if tokens is None:
            return f"{letter!r} changes the tokens of the prompt before it"
        if len(tokens) != 1:
            return f"{letter!r} adds {len(tokens)} tokens, 1 expected"
    found = [tokens[0] for tokens in letters.tokens.values() if tokens]
    return None if len(set(found)) == len(found) else "two letters are the same token"


def _bos(facts: TextFacts) -> str:
    added = "added" if facts.bos_added else "not added"
    doubled = (
        ", doubled where a text spells it out" if facts.written_bos_doubled else ""
    )
    return f"BOS is {added}{doubled}"


def _begins_with(ids: Sequence[int], start: Sequence[int | None]) -> bool:
    return None not in start and list(ids[: len(start)]) == list(start)
