#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make gallery: paints the pictures of docs/looks.md and README.md from the project's samples.

Every picture is a sheet of `patina looks`; names are looks, what stands after "prompt:" is one.
"""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PATINA = ROOT / "build/patina"

# Picture under docs/, sample, columns, what is on it.
SHEETS = [
    ("sample.jpg", "bust", 4, [
        "prompt:oil painting", "prompt:watercolour", "prompt:charcoal", "prompt:woodcut",
        "prompt:comic book", "prompt:mosaic", "prompt:stained glass", "prompt:cast in gold",
        "prompt:bronze with verdigris", "prompt:carved from marble", "prompt:carved from walnut"]),
    ("looks/oil.jpg", "still-life", 3, [
        "oil painting", "impasto", "impressionist", "expressionist", "palette knife"]),
    ("looks/watercolour.jpg", "street", 2, ["watercolour"]),
    ("looks/drawing.jpg", "bust", 4, ["pencil", "coloured pencil", "charcoal"]),
    ("looks/print.jpg", "bust", 5, ["engraving", "etching", "woodcut", "linocut"]),
    ("looks/comic.jpg", "street", 3, ["comic", "cel"]),
    ("looks/mosaic.jpg", "still-life", 2, ["mosaic"]),
    ("looks/stained-glass.jpg", "street", 2, ["stained glass"]),
    ("looks/metal.jpg", "bust", 4, ["gold", "silver", "bronze", "copper", "chrome", "rust"]),
    ("looks/stone.jpg", "bust", 5, ["marble", "black marble", "green marble", "jade"]),
    ("looks/wood.jpg", "bust", 4, ["oak", "walnut", "ebony"]),
    ("looks/light.jpg", "street", 3, [
        "prompt:oil painting at sunset", "prompt:oil painting in moonlight",
        "prompt:watercolour, foggy", "prompt:watercolour in autumn", "prompt:comic, noir",
        "prompt:oil painting, golden hour", "prompt:watercolour in winter",
        "prompt:cel, neon"]),
    ("looks/palette.jpg", "still-life", 3, [
        "prompt:oil painting, sepia", "prompt:oil painting, pastel",
        "prompt:stained glass in emerald and gold", "prompt:oil painting in teal and orange",
        "prompt:watercolour --no red"]),
    ("looks/words.jpg", "bust", 4, [
        "prompt:polished bronze", "prompt:aged bronze", "prompt:rough marble",
        "prompt:black marble with gold veins",
        "prompt:delicate pencil drawing", "prompt:bold pencil drawing",
        "prompt:minimal watercolour", "prompt:an oil painting of a bronze statue"]),
    ("looks/quality.webp", "bust", 3, ["prompt:linocut --q 0.25", "prompt:linocut --q 4"]),
    ("looks/chaos.webp", "still-life", 5, [
        "prompt:cel --seed 1", "prompt:cel --seed 2", "prompt:cel --chaos 100 --seed 1",
        "prompt:cel --chaos 100 --seed 2"]),
    ("looks/shape.webp", "street", 4, [
        "prompt:cel --ar 1:1", "prompt:cel --ar 9:16", "prompt:cel --ar 21:9"]),
    ("looks/without.webp", "still-life", 4, [
        "prompt:cel --no orange", "prompt:cel --style raw", "prompt:cel::1 jade::1"]),
    ("looks/parameters.jpg", "still-life", 4, [
        "prompt:oil painting --s 0", "prompt:oil painting", "prompt:oil painting --s 1000",
        "prompt:oil painting --iw 0", "prompt:oil painting --iw 3",
        "prompt:oil painting --style raw", "prompt:watercolour::2 pencil::1"]),
]


def main():
    (ROOT / "docs/looks").mkdir(exist_ok=True)
    for name, sample, columns, items in SHEETS:
        flags = []
        for item in items:
            _, found, text = item.rpartition("prompt:")
            flags += ["--prompt", text] if found else ["--look", item]
        subprocess.run([PATINA, "looks", "--sheet", ROOT / "docs" / name,
                        ROOT / f"samples/{sample}.jpg", "--columns", str(columns), *flags],
                       check=True)
        print(f"docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
