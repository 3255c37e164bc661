"""Text to token ids, the one way in which prompts are made and checked."""

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from paraspec.core.errors import UserError


@dataclass(frozen=True)
class Encoding:
    """Text to tokens, as a plain prompt or as a user's turn in a chat."""

    tokenizer: PreTrainedTokenizerBase
    chat: bool = False

    def framed(self, prompt: str) -> str:
        """Put a prompt into the chat template, which writes its own special tokens."""
        if not self.chat:
            return prompt
        if not self.tokenizer.chat_template:
            raise UserError(
                "chat",
                "the tokenizer has no chat template",
                "Set chat to false in the model table, or name an instruct model",
            )
        turn = [{"role": "user", "content": prompt}]
        written = self.tokenizer.apply_chat_template(
            turn, tokenize=False, add_generation_prompt=True
        )
        return str(written)

    def ids(self, text: str) -> list[int]:
        """Token ids without the EOS that some tokenizers append."""
        ids = list(self.tokenizer(text, add_special_tokens=not self.chat)["input_ids"])
        if not self.chat and len(ids) > 1 and ids[-1] == self.tokenizer.eos_token_id:
            ids.pop()
        return ids

    def added(self, prompt: str, more: str) -> tuple[int, ...] | None:
        """Tokens that ``more`` adds; None if it adds none or changes the prompt's."""
        prefix, ids = self.ids(prompt), self.ids(prompt + more)
        same = ids[: len(prefix)] == prefix and len(ids) > len(prefix)
        return tuple(ids[len(prefix) :]) if same else None

    def letters(
        self, prompt: str, letters: Sequence[str]
    ) -> dict[str, tuple[int, ...] | None]:
        """Tokens that each letter adds: after a blank, or without one if that is none.

        A chat's answer begins without a blank, so that is tried first there.
        """
        blanks = ("", " ") if self.chat else (" ", "")
        tried = [{x: self.added(prompt, b + x) for x in letters} for b in blanks]
        single = [t for t in tried if all(v and len(v) == 1 for v in t.values())]
        return (single or tried)[0]
