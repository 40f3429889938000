import pytest

PNG = "iVBORw0KGgoAAAANSUhEUg=="
PDF = "JVBERi0xLjcK"


def user(*parts):
    return {"messages": [{"role": "user", "content": list(parts)}]}


def image(url, **more):
    return {"type": "image_url", "image_url": {"url": url, **more}}


def inline(media_type):
    source = {"type": "base64", "media_type": media_type, "data": PNG}
    return {"type": "image", "source": source}


PARTS = {
    "text": ({"type": "text", "text": "hi"}, {"type": "text", "text": "hi"}),
    "a PNG inline": (image(f"data:image/png;base64,{PNG}", detail="low"), inline("image/png")),
    "a JPEG by its wrong name": (image(f"data:image/jpg;base64,{PNG}"), inline("image/jpeg")),
    "a media type in capitals": (image(f"DATA:Image/WebP;BASE64,{PNG}"), inline("image/webp")),
    "a media type with a parameter": (
        image(f"data:image/gif;a=b;base64,{PNG}"),
        inline("image/gif"),
    ),
    "an image on the web": (
        image("https://a.example/b.png"),
        {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}},
    ),
    "a PDF": (
        {
            "type": "file",
            "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
        },
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
            "title": "a.pdf",
        },
    ),
    "a cache mark": (
        {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    ),
    "null for a cache mark": (
        {"type": "text", "text": "hi", "cache_control": None},
        {"type": "text", "text": "hi"},
    ),
}


@pytest.mark.parametrize(("part", "block"), PARTS.values(), ids=PARTS)
def test_a_part_becomes_a_block(translated, part, block):
    assert translated(user(part))["messages"] == [{"role": "user", "content": [block]}]


def test_empty_text_is_left_out(translated):
    request = translated(user({"type": "text", "text": ""}, {"type": "text", "text": "a"}))
    assert request["messages"][0]["content"] == [{"type": "text", "text": "a"}]


REFUSED = {
    "no object": ("hi", ""),
    "no type": ({"text": "hi"}, ".type"),
    "a type that is no string": ({"type": ["text"]}, ".type"),
    "an unknown type": ({"type": "video"}, ".type"),
    "audio": ({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}, ".type"),
    "a refusal of the user": ({"type": "refusal", "refusal": "no"}, ".type"),
    "text that is no string": ({"type": "text", "text": 1}, ".text"),
    "an image without an object": ({"type": "image_url", "image_url": "https://a/b"}, ".image_url"),
    "an image without a URL": ({"type": "image_url", "image_url": {}}, ".image_url.url"),
    "a URL of another scheme": (image("file:///etc/passwd"), ".image_url.url"),
    "a URL without a host": (image("https:///b.png"), ".image_url.url"),
    "a data URL that is not base64": (image("data:image/png,abc"), ".image_url.url"),
    "base64 with a fault": (image("data:image/png;base64,a"), ".image_url.url"),
    "base64 with white space": (image("data:image/png;base64,aG k="), ".image_url.url"),
    "base64 of the URL alphabet": (image("data:image/png;base64,-_-_"), ".image_url.url"),
    "base64 beyond ASCII": (image("data:image/png;base64,é"), ".image_url.url"),
    "no base64 at all": (image("data:image/png;base64,"), ".image_url.url"),
    "an SVG": (image(f"data:image/svg+xml;base64,{PNG}"), ".image_url.url"),
    "no media type": (image(f"data:;base64,{PNG}"), ".image_url.url"),
    "a stored file": ({"type": "file", "file": {"file_id": "file-1"}}, ".file.file_id"),
    "a file without data": ({"type": "file", "file": {"filename": "a"}}, ".file.file_data"),
    "a file that is no PDF": (
        {"type": "file", "file": {"file_data": "data:text/plain;base64,aGk="}},
        ".file.file_data",
    ),
    "a file name that is no string": (
        {
            "type": "file",
            "file": {"file_data": f"data:application/pdf;base64,{PDF}", "filename": 1},
        },
        ".file.filename",
    ),
    "a cache mark that is no object": (
        {"type": "text", "text": "hi", "cache_control": True},
        ".cache_control",
    ),
}


@pytest.mark.parametrize(("part", "path"), REFUSED.values(), ids=REFUSED)
def test_a_part_that_cannot_be_sent_is_refused_by_its_path(refused, part, path):
    assert refused(user({"type": "text", "text": "see"}, part)) == f"messages[0].content[1]{path}"
