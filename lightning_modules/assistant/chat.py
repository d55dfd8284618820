"""Conversations as tokens: a chat template over the project's special tokens, and which tokens are answers.

A message is ``<|start|>role``, a line break, its content, ``<|end|>`` and a line break: ChatML with the tokens that the
tokenizer has already, so that the ids of all other models stay what they are. Checkpoints from elsewhere keep theirs.
"""

from collections.abc import Sequence
from typing import TypedDict

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from lightning_modules.assistant.packing import IGNORED, Piece
from lightning_modules.tokenization.vocabulary import END, PAD, START, UNKNOWN

TEMPLATE = (
    "{% for message in messages %}"
    f"{{{{ '{START}' + message['role'] + '\\n' + message['content'] + '{END}\\n' }}}}"
    "{% endfor %}"
    f"{{% if add_generation_prompt %}}{{{{ '{START}assistant\\n' }}}}{{% endif %}}"
)


class Message(TypedDict):
    """One turn, in Hugging Face's form."""

    role: str
    content: str


class TemplateError(ValueError):
    """A tokenizer cannot tell which part of a conversation the answer is."""


def make_chat_tokenizer(tokenizer: Tokenizer, context: int) -> PreTrainedTokenizerFast:
    """The project's tokenizer as transformers load it, with the chat template; it neither frames nor pads by itself."""
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(tokenizer.to_str()),
        bos_token=START,
        eos_token=END,
        pad_token=PAD,
        unk_token=UNKNOWN,
        chat_template=TEMPLATE,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )


def encode_text(tokenizer: PreTrainedTokenizerBase, text: str) -> Piece:
    """A text between start and end, every token of it to be learned."""
    ids = tokenizer.encode(_plain(tokenizer, text), add_special_tokens=False)
    framed = [tokenizer.bos_token_id, *ids, tokenizer.eos_token_id]
    return Piece(framed, list(framed))


def encode_chat(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> Piece:
    """A conversation of which only what the assistant says is to be learned, the token that ends a turn included.

    Raises:
        TemplateError: the tokenizer's template says an answer differently once it is followed by another turn.
    """
    ids = _rendered(tokenizer, messages)
    labels = [IGNORED] * len(ids)
    for place, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = encode_prompt(tokenizer, messages[:place])
        until = _rendered(tokenizer, messages[: place + 1])
        if ids[: len(until)] != until or until[: len(before)] != before:
            raise TemplateError("the chat template does not say a conversation turn by turn")
        last = max(at for at, token in enumerate(until) if token == tokenizer.eos_token_id)
        labels[len(before) : last + 1] = until[len(before) : last + 1]
    return Piece(ids, labels)


def encode_prompt(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> list[int]:
    """A conversation up to where the assistant begins to speak."""
    return _rendered(tokenizer, messages, answer_next=True)


def truncate_text(tokenizer: PreTrainedTokenizerBase, text: str, limit: int) -> str:
    """The beginning of a text, at most ``limit`` tokens long and never ending within a character."""
    encoding = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    offsets = encoding["offset_mapping"]
    if len(offsets) <= limit:
        return text
    return text[: offsets[limit][0]]


def _rendered(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], answer_next: bool = False) -> list[int]:
    plain = [{"role": message["role"], "content": _plain(tokenizer, message["content"])} for message in messages]
    text = tokenizer.apply_chat_template(plain, tokenize=False, add_generation_prompt=answer_next)
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False)  # the template has said them
    return ids


def _plain(tokenizer: PreTrainedTokenizerBase, text: str) -> str:
    """The text without anything that would be read as a special token: nobody speaks for another one."""
    for token in tokenizer.added_tokens_decoder.values():
        if token.special:
            text = text.replace(token.content, " ")
    return text
