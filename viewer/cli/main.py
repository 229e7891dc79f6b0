"""The command ``negatoscope``: finds the verb, runs it, and turns its end into an exit code.

0: anything usable was done. 2: bad input, said in a sentence on stderr. 1: a bug. Results go to stdout, all else to stderr.
A verb's module is imported only when the verb is used.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import re
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NoReturn

from viewer.cli import language, say
from viewer.core.errors import BadParameter, JobFailed, NegatoscopeError, OperationCancelled
from viewer.core.sentence import sentence_of
from viewer.core.words import _, mark

# Verb: module, help. Each module offers add_parser(subparsers) and run(args) -> int, and, where it knows --json, JSON_KEY:
# the name of the list in its object.
VERBS: dict[str, tuple[str, str]] = {
    "open": ("viewer.cli.open", mark("open the window, with files or folders if any are named (this is also what happens without a verb)")),
    "info": ("viewer.cli.info", mark("list the series in files and folders")),
    "tags": ("viewer.cli.tags", mark("list the elements (tags) of a DICOM file")),
    "text": ("viewer.cli.text", mark("print a DICOM report, presentation state or list of key images")),
    "convert": ("viewer.cli.convert", mark("write a series as .nii.gz, .nii, .nrrd or .mha")),
    "register": ("viewer.cli.register", mark("find where one series lies in another (rigid)")),
    "render": ("viewer.cli.render", mark("write a picture of one plane as .png")),
    "key-images": ("viewer.cli.key_images", mark("write pictures of the images that a DICOM key object selection names")),
    "operations": ("viewer.cli.operations", mark("list the operations and their parameters")),
    "plugins": ("viewer.cli.plugins", mark("list the plugins")),
    "models": ("viewer.cli.models", mark("list the classifier models")),
    "apply": ("viewer.cli.apply", mark("run one operation and write its result")),
    "classify": ("viewer.cli.classify", mark("classify images with a model")),
    "run": ("viewer.cli.run", mark("run a recipe over files and folders")),
    "demo": ("viewer.cli.demo", mark("do the main job on the sample study, without a window")),
}
BUG, BAD_INPUT, INTERRUPTED = 1, 2, 130
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # names of files need not be valid text
    debug = "--debug" in words
    words = joined([word for word in words if word != "--debug"])
    try:
        words, spoken = language.take(words)
        language.speak(spoken)
    except BadParameter as error:
        return _refuse(sentence_of(error), "")
    if _is_answered(words):
        return 0
    verb = words.pop(0) if words and words[0] in VERBS else "open"
    key = ""
    try:
        if "" in words:
            raise _Usage(_('One of the words is empty (""). If it comes from a variable of a script, that variable is not set.'))
        module = _module(verb)
        key = getattr(module, "JSON_KEY", "") if "--json" in words else ""
        args = _parse(module, verb, words)
        args.language = spoken
        code = int(module.run(args))
        say.flush()
        return code
    except BrokenPipeError:
        # The reader of our output has gone (head, less): no one to tell. Python would complain once more at exit.
        _mute()
        return 0
    except (KeyboardInterrupt, OperationCancelled):
        say.err(_("Cancelled."))
        return INTERRUPTED
    except NegatoscopeError as error:
        if debug:
            _show_traceback(error)
        return _refuse(sentence_of(error), key)
    except OSError as error:
        if error.errno not in _FULL:
            return _bug(error, debug)
        _mute()
        return _refuse(_("The output could not be written: {reason}.").format(reason=error.strerror), "")
    except MemoryError:
        return _refuse(_("There is not enough memory for this."), key)
    except Exception as error:  # noqa: BLE001  the last resort: a bug must not show a traceback unasked
        return _bug(error, debug)


def _is_answered(words: Sequence[str]) -> bool:
    """Print what ``--help`` and ``--version`` ask for."""
    if words[:1] in (["-h"], ["--help"]):
        say.out(overview())
        return True
    if words[:1] == ["--version"]:
        from importlib.metadata import version

        say.out(f"negatoscope {version('negatoscope')}")
        return True
    return False


def overview() -> str:
    """The text of ``--help``."""
    lines = [
        _("usage: negatoscope [VERB] ... [--language NAME] [--debug]"),
        "",
        _("A viewer for medical images. Verbs (negatoscope VERB --help tells more):"),
        "",
    ]
    lines += [f"  {verb:<11} {_(text)}" for verb, (__, text) in VERBS.items()]
    lines += ["", _("Exit codes: 0 done, 2 bad input, 1 a bug.")]
    return "\n".join(lines)


def joined(words: Sequence[str]) -> list[str]:
    """``--window -600,1500`` as ``--window=-600,1500``: argparse takes a value that starts with a minus for an option."""
    result: list[str] = []
    for word in words:
        follows = bool(result) and re.fullmatch(r"--[a-z][a-z-]*", result[-1]) is not None
        if follows and re.match(r"-[\d.]", word):
            result[-1] += "=" + word
        else:
            result.append(word)
    return result


class _Parser(argparse.ArgumentParser):
    """argparse's parser, whose complaint is an error like all others (and so a JSON object where that is wanted)."""

    def __init__(self, **words: Any) -> None:
        super().__init__(**{**words, "allow_abbrev": False})  # those of the verbs are made without our asking

    def error(self, message: str) -> NoReturn:
        raise _Usage(f"{message}\n{self.format_usage().strip()}")


class _Usage(NegatoscopeError):
    """The words of the command line make no sense."""


def _module(verb: str) -> ModuleType:
    name, _text = VERBS[verb]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise _Usage(_("The verb {verb} is not part of this version.").format(verb=verb)) from error


def _parse(module: ModuleType, verb: str, words: list[str]) -> argparse.Namespace:
    parser = _Parser(prog="negatoscope")
    subparsers = parser.add_subparsers(parser_class=_Parser)
    module.add_parser(subparsers)
    return parser.parse_args([verb, *words])


def _refuse(sentence: str, key: str) -> int:
    say.err(sentence)
    if key:
        say.json_object({key: [], "refused": [{"path": "", "reason": sentence}]})
    return BAD_INPUT


def _bug(error: Exception, debug: bool) -> int:
    if debug:
        _show_traceback(error)
    say.err(_("A bug in negatoscope: {kind}: {text} (run again with --debug for details).").format(kind=type(error).__name__, text=error))
    return BUG


def _mute() -> None:
    """What is still unsent to stdout goes nowhere: Python would try once more at exit, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show_traceback(error: Exception) -> None:
    import traceback

    traceback.print_exception(error)
    if isinstance(error, JobFailed) and error.details:
        say.err(error.details)


if __name__ == "__main__":
    sys.exit(main())
