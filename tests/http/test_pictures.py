# SPDX-License-Identifier: MIT
"""Pictures of every format, whole and broken: a stranger's bytes end as a picture or as a clear
error, and the service goes on."""

import io
import random
import struct

import pytest
from PIL import Image

from support.contract import check_task
from support.pictures import drawing, encoded, jpeg, opened, png, png_bomb, webp
from support.server import ROOT

pytestmark = pytest.mark.sanitized

SEED = 20240607


def painted(server, origin, data):
    """The finished job of these bytes."""
    return check_task(server.run(origin.serve("/picture", data), "oil painting --seed 1"))


def animation(kind, **options):
    frames = [drawing(120, 90), Image.new("RGB", (120, 90), (0, 0, 255))]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, **options)


def sixteen_bit():
    return encoded(Image.effect_noise((64, 64), 30).convert("I"), "PNG")


@pytest.mark.parametrize("data", [
    pytest.param(jpeg(), id="jpeg"),
    pytest.param(jpeg(progressive=True), id="progressive jpeg"),
    pytest.param(jpeg(mode="L"), id="grey jpeg"),
    pytest.param(jpeg(mode="CMYK"), id="cmyk jpeg"),
    pytest.param(jpeg(subsampling=2), id="4:2:0 jpeg"),
    pytest.param(png(), id="png"),
    pytest.param(png(mode="P"), id="palette png"),
    pytest.param(png(mode="L"), id="grey png"),
    pytest.param(png(mode="1"), id="bilevel png"),
    pytest.param(png(mode="RGBA"), id="png with alpha"),
    pytest.param(png(mode="LA"), id="grey png with alpha"),
    pytest.param(sixteen_bit(), id="16-bit png"),
    pytest.param(webp(), id="webp"),
    pytest.param(webp(lossless=True), id="lossless webp"),
    pytest.param(webp(mode="RGBA"), id="webp with alpha"),
    pytest.param(animation("PNG"), id="animated png"),
    pytest.param(animation("WEBP"), id="animated webp"),
    pytest.param(jpeg(1, 1), id="one pixel"),
    pytest.param(jpeg(3000, 101), id="almost 30 to 1"),
])
def test_every_format_is_painted(server, origin, data):
    task = painted(server, origin, data)
    assert task["status"] == "completed", task["error"]
    assert opened(server.get(task["output"]["image_urls"][0]).content).size == \
        (task["detail"]["width"], task["detail"]["height"])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_honoured(server, origin, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    task = painted(server, origin, jpeg(400, 200, exif=exif.tobytes()))
    width, height = task["detail"]["width"], task["detail"]["height"]
    assert (width > height) == (orientation <= 4)


def test_an_animation_is_painted_from_its_first_frame_with_a_warning(server, origin):
    task = painted(server, origin, animation("WEBP"))
    assert any("frame" in w["message"] or "anim" in w["message"]
               for w in task["detail"]["warnings"]), task["detail"]["warnings"]


def test_alpha_is_kept_in_png_and_webp_and_white_in_jpeg(server, origin):
    im = drawing(200, 200).convert("RGBA")
    im.paste((0, 0, 0, 0), (0, 0, 100, 200))
    url = painted(server, origin, encoded(im, "PNG"))["output"]["image_urls"][0]
    for extension in ("png", "webp"):
        found = opened(server.get(url.replace(".png", "." + extension)).content)
        assert found.mode == "RGBA"
        assert found.getpixel((2, found.height // 2))[3] < 16
    white = opened(server.get(url.replace(".png", ".jpg")).content).convert("RGB")
    assert min(white.getpixel((2, white.height // 2))) > 235


@pytest.mark.parametrize("data, code", [
    pytest.param(b"plain text in a file called .jpg", 415, id="text"),
    pytest.param(b"<html><body>404</body></html>", 415, id="html"),
    pytest.param(b"", 415, id="nothing"),
    pytest.param(b"GIF89a\x01\0\x01\0\0\0\0;", 415, id="gif"),
    pytest.param(b"BM" + b"\0" * 60, 415, id="bmp"),
    pytest.param(b"\0\0\0\x18ftypheic" + b"\0" * 64, 415, id="heic"),
    pytest.param(b"\0\0\0\x1cftypavif" + b"\0" * 64, 415, id="avif"),
    pytest.param(b"%PDF-1.7\n", 415, id="pdf"),
    pytest.param(b"\xff\xd8\xff", 422, id="jpeg of three bytes"),
    pytest.param(b"\x89PNG\r\n\x1a\n", 422, id="png of eight bytes"),
    pytest.param(b"RIFF\x10\0\0\0WEBPVP8 ", 422, id="webp of sixteen bytes"),
])
def test_what_is_no_picture_is_told(server, origin, data, code):
    task = painted(server, origin, data)
    assert task["status"] == "failed" and task["error"]["code"] == code, task["error"]


def test_heic_is_named_and_the_way_out_too(server, origin):
    message = painted(server, origin, b"\0\0\0\x18ftypheic" + b"\0" * 64)["error"]["message"]
    assert "HEIC" in message and "JPEG" in message


@pytest.mark.parametrize("data, limit", [
    pytest.param(png_bomb(16384, 3800), None, id="62 megapixels of nothing"),
    pytest.param(png_bomb(8192, 7813), "pixels", id="just over 64 megapixels"),
    pytest.param(png_bomb(16385, 600), "side", id="a side too long"),
    pytest.param(png_bomb(9300, 300), "ratio", id="31 to 1"),
])
def test_bombs_are_measured_before_they_are_inflated(server, origin, data, limit):
    assert len(data) < 400_000
    task = painted(server, origin, data)
    if limit:
        assert task["error"]["code"] == 413 and task["error"]["detail"]["limit"] == limit, task
    else:
        assert task["status"] == "completed" or task["error"]["code"] == 413


def whole_files():
    return {"jpeg": jpeg(160, 120), "progressive": jpeg(160, 120, progressive=True),
            "png": png(160, 120), "palette": png(160, 120, "P"), "webp": webp(160, 120),
            "lossless": webp(160, 120, lossless=True)}


@pytest.mark.parametrize("kind", whole_files())
def test_truncated_files_are_422(server, origin, kind):
    data = whole_files()[kind]
    for part in (.1, .5, .9):
        task = painted(server, origin, data[:int(len(data) * part)])
        assert task["status"] == "failed" and task["error"]["code"] == 422, (part, task["error"])


@pytest.mark.parametrize("kind", whole_files())
def test_flipped_bits_end_as_a_picture_or_an_error(server, origin, kind):
    rng = random.Random(SEED)
    jobs = []
    for i in range(12):
        data = bytearray(whole_files()[kind])
        for _ in range(rng.randint(1, 12)):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        url = origin.serve(f"/flip-{kind}-{i}", bytes(data))
        jobs.append(server.submit(url, "oil painting")["job_id"])
    for job in jobs:
        task = check_task(server.finished(job))
        assert task["status"] == "completed" or task["error"]["code"] in (413, 415, 422), \
            task["error"]


def test_lies_about_the_size_are_survived(server, origin):
    # A PNG that says it is larger than its data, and a JPEG whose header says 65535 x 65535.
    data = bytearray(png(100, 100))
    data[16:24] = struct.pack(">II", 4000, 4000)
    assert painted(server, origin, bytes(data))["error"]["code"] == 422  # its CRC is wrong too
    data = bytearray(jpeg(100, 100))
    at = data.index(b"\xff\xc0")
    data[at + 5:at + 9] = b"\xff\xff\xff\xff"
    assert painted(server, origin, bytes(data))["error"]["code"] == 413


def test_stray_bytes_between_jpeg_markers_are_tolerated(server, origin):
    data = jpeg()
    at = data.index(b"\xff\xdb")
    assert painted(server, origin, data[:at] + b"\0\x11\x22" + data[at:])["status"] == "completed"


def test_the_sample_picture_is_painted(server, origin):
    assert painted(server, origin, (ROOT / "samples/still-life.jpg").read_bytes())["status"] == \
        "completed"


def test_a_wide_gamut_profile_is_converted(server, origin):
    out = io.BytesIO()
    from PIL import ImageCms
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    drawing().save(out, "JPEG", icc_profile=profile)
    task = painted(server, origin, out.getvalue())
    assert task["status"] == "completed"
    out = io.BytesIO()
    drawing().save(out, "JPEG", icc_profile=b"\0" * 400)  # nonsense instead of a profile
    assert painted(server, origin, out.getvalue())["status"] == "completed"
