#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trains a small byte-level BPE of Qwen's kind for the tiny model and writes its folder.

  make_tokenizer.py OUT     (wants the packages of requirements.txt)

Normalizer, pre-tokenizer and special tokens are Qwen's; merges are learned from the prompts below,
several hundred of them.
"""

import json
import pathlib
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
from tokenizers import pre_tokenizers, processors, trainers

PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
           r"|\s*[\r\n]+|\s+(?!\S)|\s+")
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
THINK = ["<think>", "</think>"]
VOCABULARY = 1024  # with the special ones, the embedding's rows

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
    "{% endif %}")

LEARNED_FROM = """
user
assistant
Convert to oil painting style with thick, visible brush strokes and a warm evening light.
Turn this photograph into a watercolour on rough paper; keep the face as it is.
A pencil drawing, hatched, in the manner of an old engraving. No colours at all.
Make it look like a stained glass window: leaded panes of ruby, cobalt and amber glass.
Paint the sky darker and the mountains blue, don't touch the people, they're fine.
We've seen it's better when the artist isn't named; I'll say what I'd like instead.
Everything made of polished gold, silver, bronze or marble, on a dark wooden table.
as if it were snowing in winter, at night, under street lamps and neon signs
change the style of this picture to a comic book with halftone dots and bold outlines
for (int i = 0; i < count; i++) { total += values[i] * 2; } // the sum of all values
def convert(picture, style="oil painting"):  return [stroke for stroke in picture]
2024 1024x768 3.14159 100% #ff8800 (c) [a, b] {x: y} a_b-c/d\\e <tag attr="v"> && || != ==
Verwandle das Foto in ein Ölgemälde mit kräftigen Pinselstrichen über der Straße, größer!
Transforme cette photo en peinture à l'huile, très détaillée, déjà vue à Noël.
Преврати эту фотографию в картину маслом, пожалуйста.
把这张照片变成油画风格，保留人物的脸。 写真を油絵のスタイルに変えてください。 사진을 유화 스타일로 바꿔 주세요.
حول هذه الصورة إلى لوحة زيتية من فضلك
🎨 🖼️ 👩‍🎨 😀😀 ❤️ 🇩🇪
"""


def trained():
    tokenizer = Tokenizer(models.BPE(continuing_subword_prefix="", end_of_word_suffix=""))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PATTERN), "isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)])
    tokenizer.post_processor = processors.ByteLevel(add_prefix_space=False, trim_offsets=False,
                                                    use_regex=False)
    tokenizer.decoder = decoders.ByteLevel(add_prefix_space=False, trim_offsets=False,
                                           use_regex=False)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(SPECIAL) - len(THINK), show_progress=False, min_frequency=2,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(LEARNED_FROM.splitlines(keepends=True), trainer)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL])
    tokenizer.add_tokens([AddedToken(t, special=False, normalized=False) for t in THINK])
    return tokenizer


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = trained()
    assert tokenizer.get_vocab_size() <= VOCABULARY
    tokenizer.save(str(out / "tokenizer.json"))
    tokenizer.model.save(str(out))
    added = {tokenizer.token_to_id(t): t for t in SPECIAL + THINK}
    (out / "tokenizer_config.json").write_text(json.dumps({
        "add_bos_token": False, "add_prefix_space": False,
        "added_tokens_decoder": {
            str(i): {"content": t, "lstrip": False, "normalized": False, "rstrip": False,
                     "single_word": False, "special": t in SPECIAL} for i, t in added.items()},
        "bos_token": None, "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>",
        "unk_token": None, "errors": "replace", "model_max_length": 131072,
        "tokenizer_class": "Qwen2Tokenizer"}, indent=2) + "\n")
    (out / "chat_template.jinja").write_text(TEMPLATE)


if __name__ == "__main__":
    main()
