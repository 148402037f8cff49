#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes a model of random weights in the published layout of FLUX.2 [klein].

  make_model.py tiny OUT --tokenizer FOLDER        the model of the tests, 11 megabytes
  make_model.py medium OUT --tokenizer FOLDER      120 megabytes, for `patina bench curves`
  make_model.py klein-4b OUT --tokenizer FOLDER    the shapes of the published one, 16 GB

Weights are bfloat16 and the same bytes everywhere: integers made of a fixed seed (splitmix64), one
rounded multiplication and one rounded addition each. The tiny model's widths are small, but heads,
rotary axes, groups and latent channels are the real ones. The large one's tensors all begin with
the same numbers, of one block: speed does not depend on what the weights are. The tokenizer's folder
is copied: random weights do not mind what a token means.
"""

import argparse
import hashlib
import json
import math
import pathlib
import shutil
import struct
import sys

import numpy as np

SEED = 6  # with it the effect of each parameter is clear of the accidents of random weights
BLOCK = 1 << 22  # weights made at once

TINY = {
    "transformer": {
        "_class_name": "Flux2Transformer2DModel", "attention_head_dim": 128,
        "axes_dims_rope": [32, 32, 32, 32], "eps": 1e-6, "guidance_embeds": False,
        "in_channels": 128, "joint_attention_dim": 192, "mlp_ratio": 0.75,
        "num_attention_heads": 2, "num_layers": 2, "num_single_layers": 2, "out_channels": None,
        "patch_size": 1, "rope_theta": 2000, "timestep_guidance_channels": 256},
    "text_encoder": {
        "architectures": ["Qwen3ForCausalLM"], "attention_bias": False, "attention_dropout": 0.0,
        "head_dim": 128, "hidden_act": "silu", "hidden_size": 64, "initializer_range": 0.02,
        "intermediate_size": 160, "max_position_embeddings": 40960, "model_type": "qwen3",
        "num_attention_heads": 2, "num_hidden_layers": 8, "num_key_value_heads": 1,
        "rms_norm_eps": 1e-6, "rope_scaling": None, "rope_theta": 1000000,
        "tie_word_embeddings": True, "torch_dtype": "bfloat16", "use_cache": True,
        "vocab_size": 1024},
    "vae": {
        "_class_name": "AutoencoderKLFlux2", "act_fn": "silu", "batch_norm_eps": 1e-4,
        "batch_norm_momentum": 0.1, "block_out_channels": [32, 32, 64, 64],
        "down_block_types": ["DownEncoderBlock2D"] * 4, "force_upcast": True, "in_channels": 3,
        "latent_channels": 32, "layers_per_block": 2, "mid_block_add_attention": True,
        "norm_num_groups": 32, "out_channels": 3, "patch_size": [2, 2], "sample_size": 1024,
        "up_block_types": ["UpDecoderBlock2D"] * 4, "use_post_quant_conv": True,
        "use_quant_conv": True},
}

KLEIN_4B = {
    "transformer": TINY["transformer"] | {
        "joint_attention_dim": 7680, "mlp_ratio": 3.0, "num_attention_heads": 24,
        "num_layers": 5, "num_single_layers": 20},
    "text_encoder": TINY["text_encoder"] | {
        "hidden_size": 2560, "intermediate_size": 9728, "num_attention_heads": 32,
        "num_hidden_layers": 36, "num_key_value_heads": 8, "vocab_size": 151936},
    "vae": TINY["vae"] | {"block_out_channels": [128, 256, 512, 512]},
}

# Wide and deep enough that one weight's accidents do not show, and quick.
MEDIUM = {
    "transformer": TINY["transformer"] | {
        "joint_attention_dim": 768, "mlp_ratio": 3.0, "num_attention_heads": 4, "num_layers": 2,
        "num_single_layers": 4},
    "text_encoder": TINY["text_encoder"] | {
        "hidden_size": 256, "intermediate_size": 1024, "num_attention_heads": 4,
        "num_hidden_layers": 12, "num_key_value_heads": 2},
    "vae": TINY["vae"] | {"block_out_channels": [64, 128, 256, 256]},
}

SHAPES = {"tiny": TINY, "medium": MEDIUM, "klein-4b": KLEIN_4B}


# Tensors: (name, shape, middle, spread) of normally distributed numbers.

def linear(name, out, into, gain=1.0):
    return (name + ".weight", (out, into), 0.0, gain / math.sqrt(into))


def scale(name, width):
    return (name + ".weight", (width,), 1.0, 0.15)


def transformer(c):
    width = c["num_attention_heads"] * c["attention_head_dim"]
    head, mlp = c["attention_head_dim"], int(width * c["mlp_ratio"])
    channels = c["in_channels"]
    embedder = "time_guidance_embed.timestep_embedder."
    yield linear("x_embedder", width, channels)
    yield linear("context_embedder", width, c["joint_attention_dim"])
    yield linear(embedder + "linear_1", width, c["timestep_guidance_channels"], 2.0)
    yield linear(embedder + "linear_2", width, width, 1.5)
    for name, parts in (("double_stream_modulation_img", 6), ("double_stream_modulation_txt", 6),
                        ("single_stream_modulation", 3)):
        yield linear(name + ".linear", parts * width, width, 0.5)
    for i in range(c["num_layers"]):
        block = f"transformer_blocks.{i}."
        for name in ("to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj",
                     "to_add_out"):
            yield linear(block + "attn." + name, width, width)
        for name in ("norm_q", "norm_k", "norm_added_q", "norm_added_k"):
            yield scale(block + "attn." + name, head)
        for name in ("ff", "ff_context"):
            yield linear(block + name + ".linear_in", 2 * mlp, width)
            yield linear(block + name + ".linear_out", width, mlp)
    for i in range(c["num_single_layers"]):
        block = f"single_transformer_blocks.{i}.attn."
        yield linear(block + "to_qkv_mlp_proj", 3 * width + 2 * mlp, width)
        yield linear(block + "to_out", width, width + mlp)
        yield scale(block + "norm_q", head)
        yield scale(block + "norm_k", head)
    yield linear("norm_out.linear", 2 * width, width, 0.5)
    yield linear("proj_out", channels, width)


def text_encoder(c):
    width, head = c["hidden_size"], c["head_dim"]
    queries, keys = c["num_attention_heads"] * head, c["num_key_value_heads"] * head
    yield ("model.embed_tokens.weight", (c["vocab_size"], width), 0.0, 0.5)
    for i in range(c["num_hidden_layers"]):
        layer = f"model.layers.{i}."
        yield scale(layer + "input_layernorm", width)
        yield linear(layer + "self_attn.q_proj", queries, width)
        yield linear(layer + "self_attn.k_proj", keys, width)
        yield linear(layer + "self_attn.v_proj", keys, width)
        yield linear(layer + "self_attn.o_proj", width, queries, 0.5)
        yield scale(layer + "self_attn.q_norm", head)
        yield scale(layer + "self_attn.k_norm", head)
        yield scale(layer + "post_attention_layernorm", width)
        yield linear(layer + "mlp.gate_proj", c["intermediate_size"], width)
        yield linear(layer + "mlp.up_proj", c["intermediate_size"], width)
        yield linear(layer + "mlp.down_proj", width, c["intermediate_size"], 0.5)
    yield scale("model.norm", width)


def with_bias(name, shape, gain=1.0):
    yield (name + ".weight", shape, 0.0, gain / math.sqrt(math.prod(shape[1:])))
    yield (name + ".bias", shape[:1], 0.0, 0.05)


def norm(name, width):
    yield scale(name, width)
    yield (name + ".bias", (width,), 0.0, 0.1)


def resnet(name, into, out):
    yield from norm(name + ".norm1", into)
    yield from with_bias(name + ".conv1", (out, into, 3, 3))
    yield from norm(name + ".norm2", out)
    yield from with_bias(name + ".conv2", (out, out, 3, 3), 0.7)
    if into != out:
        yield from with_bias(name + ".conv_shortcut", (out, into, 1, 1))


def middle(name, width):
    yield from norm(name + ".attentions.0.group_norm", width)
    for part in ("to_q", "to_k", "to_v", "to_out.0"):
        yield from with_bias(f"{name}.attentions.0.{part}", (width, width))
    for i in range(2):
        yield from resnet(f"{name}.resnets.{i}", width, width)


def vae(c):
    down, latent, each = c["block_out_channels"], c["latent_channels"], c["layers_per_block"]
    up = list(reversed(c.get("decoder_block_out_channels") or down))
    yield from with_bias("encoder.conv_in", (down[0], c["in_channels"], 3, 3))
    into = down[0]
    for i, width in enumerate(down):
        for j in range(each):
            yield from resnet(f"encoder.down_blocks.{i}.resnets.{j}", into, width)
            into = width
        if i < len(down) - 1:
            yield from with_bias(f"encoder.down_blocks.{i}.downsamplers.0.conv", (width, width, 3, 3))
    yield from middle("encoder.mid_block", down[-1])
    yield from norm("encoder.conv_norm_out", down[-1])
    yield from with_bias("encoder.conv_out", (2 * latent, down[-1], 3, 3))
    yield from with_bias("quant_conv", (2 * latent, 2 * latent, 1, 1))
    yield from with_bias("post_quant_conv", (latent, latent, 1, 1))
    yield from with_bias("decoder.conv_in", (up[0], latent, 3, 3))
    yield from middle("decoder.mid_block", up[0])
    into = up[0]
    for i, width in enumerate(up):
        for j in range(each + 1):
            yield from resnet(f"decoder.up_blocks.{i}.resnets.{j}", into, width)
            into = width
        if i < len(up) - 1:
            yield from with_bias(f"decoder.up_blocks.{i}.upsamplers.0.conv", (width, width, 3, 3))
    yield from norm("decoder.conv_norm_out", up[-1])
    yield from with_bias("decoder.conv_out", (c["out_channels"], up[-1], 3, 3))
    packed = math.prod(c["patch_size"]) * latent
    yield ("bn.running_mean", (packed,), 0.1, 0.3)
    yield ("bn.running_var", (packed,), 1.0, 0.15)
    yield ("bn.num_batches_tracked", (), None, None)


PARTS = {"transformer": transformer, "text_encoder": text_encoder, "vae": vae}


def bf16(values):
    """The upper halves of floats, rounded to nearest, ties away from zero."""
    return ((values.view("<u4") + np.uint32(0x8000)) >> np.uint32(16)).astype("<u2")


def splitmix64(first, count):
    """Numbers `first` and following of the sequence of SEED."""
    z = np.arange(SEED + first + 1, SEED + first + 1 + count, dtype=np.uint64)
    z *= np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


# Of a sum of four numbers that are uniform in 0..65535: twelve are one deviation squared.
MIDDLE, DEVIATION = 2 * 65535, 65536 * math.sqrt(4 / 12)


def bells(first, count):
    """Integers around 0 in the shape of a bell: sums of the four quarters of random numbers."""
    quarters = splitmix64(first, count).view("<u2").reshape(-1, 4)
    return (quarters.sum(axis=1, dtype=np.int32) - MIDDLE).astype("<f4")


class Writer:
    def __init__(self, large):
        self.made = 0
        self.block = bells(0, BLOCK) if large else None

    def next(self, count):
        if self.block is not None:
            return self.block[:count]
        self.made += count
        return bells(self.made - count, count)

    def values(self, file, shape, mean, spread):
        scale, left = np.float32(spread / DEVIATION), math.prod(shape)
        while left:
            count = min(left, BLOCK)
            file.write(bf16(np.float32(mean) + scale * self.next(count)).tobytes())
            left -= count

    def file(self, path, tensors):
        header, at = {"__metadata__": {"format": "pt"}}, 0
        for name, shape, mean, _ in tensors:
            size = math.prod(shape) * (8 if mean is None else 2)
            header[name] = {"dtype": "I64" if mean is None else "BF16", "shape": list(shape),
                            "data_offsets": [at, at + size]}
            at += size
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        with open(path, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for _, shape, mean, spread in tensors:
                if mean is None:
                    file.write(struct.pack("<q", 1000))
                else:
                    self.values(file, shape, mean, spread)
        return at

    def shards(self, folder, tensors):
        """The text encoder is published in two files and an index."""
        sizes = np.cumsum([math.prod(shape) for _, shape, _, _ in tensors])
        cut = int(np.searchsorted(sizes, sizes[-1] * 0.6))
        names = [f"model-{i}-of-00002.safetensors" for i in ("00001", "00002")]
        total = sum(self.file(folder / name, part)
                    for name, part in zip(names, (tensors[:cut], tensors[cut:])))
        put(folder / "model.safetensors.index.json", {
            "metadata": {"total_size": total},
            "weight_map": {t[0]: names[i >= cut] for i, t in enumerate(tensors)}})


def put(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n")


def checksums(folder):
    """Lines as sha256sum's, of every file there."""
    return "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(folder)}\n"
                   for p in sorted(folder.rglob("*")) if p.is_file())


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--tokenizer", type=pathlib.Path, required=True)
    parser.add_argument("--part", choices=PARTS, help="this part's weights alone")
    parser.add_argument("--expect", type=pathlib.Path, metavar="FILE",
                        help="fail unless the files have these checksums")
    parser.add_argument("--sums", type=pathlib.Path, metavar="FILE",
                        help="write the checksums of the files")
    args = parser.parse_args()
    writer = Writer(args.shape == "klein-4b")
    for part, tensors_of in PARTS.items():
        folder = args.out / part
        folder.mkdir(parents=True, exist_ok=True)
        config = SHAPES[args.shape][part]
        put(folder / "config.json", config)
        if args.part not in (None, part):
            continue
        # Alignment: eight-byte integers first, as writers of the format do.
        tensors = sorted(tensors_of(config), key=lambda t: t[2] is not None)
        if part == "text_encoder":
            writer.shards(folder, tensors)
        else:
            writer.file(folder / "diffusion_pytorch_model.safetensors", tensors)
    shutil.copytree(args.tokenizer, args.out / "tokenizer", dirs_exist_ok=True)
    (args.out / "scheduler").mkdir(exist_ok=True)
    put(args.out / "scheduler/scheduler_config.json", {
        "_class_name": "FlowMatchEulerDiscreteScheduler", "base_image_seq_len": 256,
        "base_shift": 0.5, "max_image_seq_len": 4096, "max_shift": 1.15,
        "num_train_timesteps": 1000, "shift": 3.0, "time_shift_type": "exponential",
        "use_dynamic_shifting": True})
    put(args.out / "model_index.json", {
        "_class_name": "Flux2KleinPipeline", "is_distilled": True,
        "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
        "text_encoder": ["transformers", "Qwen3ForCausalLM"],
        "tokenizer": ["transformers", "Qwen2TokenizerFast"],
        "transformer": ["diffusers", "Flux2Transformer2DModel"],
        "vae": ["diffusers", "AutoencoderKLFlux2"]})
    if args.expect and (wrong := set(checksums(args.out).splitlines()) ^
                        set(args.expect.read_text().splitlines())):
        names = ", ".join(sorted({line.split()[1] for line in wrong}))
        sys.exit(f"make_model.py: this is not the model that the goldens were recorded from (by "
                 f"{args.expect}): {names}. If it was changed, record them anew: "
                 f"tests/golden/flux2/README.md")
    if args.sums:
        args.sums.write_text(checksums(args.out))


if __name__ == "__main__":
    main()
