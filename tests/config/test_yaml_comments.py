"""Comments are found where they are comments, with what they stand before."""

import pytest

from rolecall.config.yaml_comments import Comment, comments, moved_along

FOUND = {
    "none": ("a: b\n", []),
    "beside a value": ("a: b  # c \n", [Comment(1, 6, "# c", None)]),
    "before a key": ("# c\na: b\n", [Comment(1, 0, "# c", 0)]),
    "before an item": ("a:\n# c\n\n  - b\n", [Comment(2, 0, "# c", 2)]),
    "before nothing": ("a: b\n  # c\n", [Comment(2, 2, "# c", None)]),
    "several": (
        "# c\n# d\na: b # e\n",
        [Comment(1, 0, "# c", 0), Comment(2, 0, "# d", 0), Comment(3, 5, "# e", None)],
    ),
    "within a word": ("a: b#c\n", []),
    "within quotes": ("a: 'b # c'\nd: \"e # f\" # g\n", [Comment(2, 11, "# g", None)]),
    "within a block": ("a: |\n  # c\n  d\n# e\nf: g\n", [Comment(4, 0, "# e", 0)]),
    "within a list": ("a: [b, # c\n  d]\n", [Comment(1, 7, "# c", None)]),
}


@pytest.mark.parametrize(("text", "found"), FOUND.values(), ids=FOUND)
def test_comments_are_found(text, found):
    assert comments(text) == found


def test_a_comment_moves_with_what_it_stands_before():
    former = "a:\n# c\n- b\n# d\n# e\n- f\n"
    laid_out = "a:\n# c\n  - b\n# d\n# e\n  - f\n"
    moved = moved_along(laid_out, comments(former), comments(laid_out))
    assert moved == "a:\n  # c\n  - b\n  # d\n  # e\n  - f\n"


def test_a_comment_that_stood_apart_stays_there():
    former = "a:\n    # c\n- b\n"
    laid_out = "a:\n    # c\n  - b\n"
    assert moved_along(laid_out, comments(former), comments(laid_out)) == laid_out
