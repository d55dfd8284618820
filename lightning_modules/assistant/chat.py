"""Conversations as tokens: the chat template, and labels for the tokens of the answers.

A message is ``<|start|>role``, a line break, its content, ``<|end|>`` and a line break. This is ChatML with special
tokens that the project's tokenizer already has. Pretrained checkpoints keep their own templates.
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
    """One turn of a conversation, in the format of Hugging Face."""

    role: str
    content: str


class TemplateError(ValueError):
    """The chat template does not allow locating the answers in the tokens of a conversation."""


def make_chat_tokenizer(tokenizer: Tokenizer, context: int) -> PreTrainedTokenizerFast:
    """Wrap the project's tokenizer for transformers, with the chat template and without automatic special tokens."""
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
    """Encode a text between start and end token; every token has a label."""
    ids = tokenizer.encode(_remove_special_tokens(tokenizer, text), add_special_tokens=False)
    tokens = [tokenizer.bos_token_id, *ids, tokenizer.eos_token_id]
    return Piece(tokens, list(tokens))


def encode_chat(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> Piece:
    """Encode a conversation with labels for the assistant's answers only, including the token that ends a turn.

    Raises:
        TemplateError: the template renders an answer differently when another turn follows.
    """
    ids = _render(tokenizer, messages)
    labels = [IGNORED] * len(ids)
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = encode_prompt(tokenizer, messages[:index])
        until = _render(tokenizer, messages[: index + 1])
        if ids[: len(until)] != until or until[: len(before)] != before:
            raise TemplateError("the chat template does not render a conversation turn by turn; use another checkpoint")
        last = max(position for position, token in enumerate(until) if token == tokenizer.eos_token_id)
        labels[len(before) : last + 1] = until[len(before) : last + 1]
    return Piece(ids, labels)


def encode_prompt(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> list[int]:
    """Encode a conversation followed by the start of the assistant's turn."""
    return _render(tokenizer, messages, answer_next=True)


def truncate_text(tokenizer: PreTrainedTokenizerBase, text: str, limit: int) -> str:
    """Truncate a text to at most ``limit`` tokens, at a character boundary."""
    encoding = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    offsets = encoding["offset_mapping"]
    if len(offsets) <= limit:
        return text
    return text[: offsets[limit][0]]


def _render(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], answer_next: bool = False) -> list[int]:
    plain = [
        {"role": message["role"], "content": _remove_special_tokens(tokenizer, message["content"])}
        for message in messages
    ]
    text = tokenizer.apply_chat_template(plain, tokenize=False, add_generation_prompt=answer_next)
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False)  # the template contains them
    return ids


def _remove_special_tokens(tokenizer: PreTrainedTokenizerBase, text: str) -> str:
    """Replace special tokens by spaces, so that no text can fake the turn of another role."""
    for token in tokenizer.added_tokens_decoder.values():
        if token.special:
            text = text.replace(token.content, " ")
    return text
