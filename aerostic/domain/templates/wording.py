"""Rules about words and variables that hold for every text of a template."""

import re
from collections.abc import Iterator, Mapping

from aerostic.domain.templates.gaps import VARIABLE
from aerostic.domain.templates.notation import variables

MOST_EMOJI = 10
_NAMED = re.compile(r"[a-z][a-z0-9_]*")
_EMOJI = re.compile("[\U0001f300-\U0001faff\U00002600-\U000027bf\U0001f1e6-\U0001f1ff]")
_AT_EDGE = re.compile(rf"^\s*{VARIABLE.pattern}|{VARIABLE.pattern}\s*$")
_ADJACENT = re.compile(VARIABLE.pattern + r"\s*" + VARIABLE.pattern)


def check_words(text: str) -> Iterator[str]:
    """A text of several lines."""
    if re.search(r"\n\s*\n\s*\n", text):
        yield "At most one empty line may stand between two lines."
    if re.search(r" {5,}|\t", text):
        yield "No tabs, and at most four spaces in a row."
    if len(_EMOJI.findall(text)) > MOST_EMOJI:
        yield f"At most {MOST_EMOJI} emoji."


def check_plain(text: str, what: str) -> Iterator[str]:
    """A short text of one line without decoration."""
    if "\n" in text:
        yield f"A {what} is one line."
    if _EMOJI.search(text):
        yield f"A {what} can not hold emoji."
    if re.search(r"[*_~`]", VARIABLE.sub("", text)):
        yield f"A {what} can not be formatted: leave out *, _, ~ and `."


def check_variables(text: str, is_named: bool) -> Iterator[str]:
    """How they are written, their names and their order."""
    names = variables(text)
    if re.search(r"[{}]", VARIABLE.sub("", text)):
        example = "{{first_name}}" if is_named else "{{1}}"
        yield f"A variable is written {example}: two braces on either side, one word between them."
        return
    if not names:
        return
    if is_named:
        yield from _check_names(names)
    elif names != [str(number) for number in range(1, len(names) + 1)]:
        yield "Number the variables {{1}}, {{2}} and so on, in the order in which they stand."


def _check_names(names: list[str]) -> Iterator[str]:
    for name in names:
        if not _NAMED.fullmatch(name):
            yield (
                f"“{name}” is no name for a variable: begin with a small letter, then small letters, "
                "digits and underscores."
            )


def check_surroundings(text: str) -> Iterator[str]:
    """The words around the variables of a body (2388299); at least 2n + 1 of them (2388293)."""
    count = len(VARIABLE.findall(text))
    if not count:
        return
    if _AT_EDGE.search(text):
        yield "A variable can not stand at the very beginning or end: put words around it."
    if _ADJACENT.search(text):
        yield "Two variables can not stand next to each other: put a word between them."
    words = len(VARIABLE.sub(" ", text).split())
    needed = 2 * count + 1
    if words < needed:
        variables_ = "1 variable needs" if count == 1 else f"{count} variables need"
        yield f"The text is too short for its variables: {variables_} at least {needed} other words."


def check_examples(text: str, examples: Mapping[str, str], place: str) -> Iterator[tuple[str, str]]:
    """Meta's reviewers see the text with these in place of its variables."""
    for name in variables(text):
        example = examples.get(name, "")
        if not example.strip():
            yield (
                f"{place}.{name}",
                f"Give an example for {{{{{name}}}}}: Meta reviews the text with it.",
            )
        elif "\n" in example or VARIABLE.search(example):
            yield f"{place}.{name}", "An example is one line of real words, without variables."
