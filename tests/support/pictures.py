# SPDX-License-Identifier: MIT
"""Pictures for tests, made on the spot: small, with shapes and colours to paint."""

import io
import struct
import zlib

from PIL import Image, ImageDraw


def drawing(width=320, height=240, mode="RGB"):
    """Sky, ground, a disc and a box."""
    im = Image.new("RGB", (width, height), (120, 160, 220))
    draw = ImageDraw.Draw(im)
    draw.rectangle([0, height * 2 // 3, width, height], fill=(90, 140, 60))
    draw.ellipse([width // 8, height // 4, width // 2, height * 3 // 4], fill=(220, 70, 40))
    draw.rectangle([width * 5 // 8, height // 3, width * 7 // 8, height * 5 // 6], fill=(60, 50, 90))
    for y in range(0, height, max(1, height // 12)):
        draw.line([0, y, width, y + height // 10], fill=(200, 190, 120), width=2)
    return im.convert(mode)


def encoded(im, kind, **options):
    out = io.BytesIO()
    im.save(out, kind, **options)
    return out.getvalue()


def jpeg(width=320, height=240, mode="RGB", **options):
    return encoded(drawing(width, height, mode), "JPEG", quality=90, **options)


def png(width=320, height=240, mode="RGB", **options):
    return encoded(drawing(width, height, mode), "PNG", **options)


def webp(width=320, height=240, mode="RGB", **options):
    return encoded(drawing(width, height, mode), "WEBP", **options)


def opened(data):
    im = Image.open(io.BytesIO(data))
    im.load()
    return im


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width, height, depth=8, colour=2):
    return b"\x89PNG\r\n\x1a\n" + png_chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def png_of_size(width, height):
    """A header, and no pixels behind it."""
    return png_header(width, height) + png_chunk(b"IDAT", b"") + png_chunk(b"IEND", b"")


def png_bomb(width, height):
    """A file of a few hundred kilobytes at most that inflates to width * height grey pixels."""
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(b"\0" * (width + 1)) for _ in range(height)) + packer.flush()
    return png_header(width, height, 8, 0) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")
