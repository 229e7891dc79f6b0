"""``negatoscope models``: which models are at hand, what their cards say, whether they run; adding and removing one's own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from viewer.cli import choose, model_trial, say
from viewer.core import digits
from viewer.core.errors import BadParameter
from viewer.core.model_card import ModelCard
from viewer.core.model_fit import ImageFacts, best_of, fit_of
from viewer.core.words import _
from viewer.io.gate import harmless
from viewer.session.models import check_file, facts_of, installed_model, is_built_in, list_models
from viewer.session.own_models import add_model, remove_model, write_card

JSON_KEY = "models"
_ACTS = ("show", "check", "add", "remove", "propose")


def add_parser(subparsers: Any) -> None:
    """Register the verb."""
    parser: argparse.ArgumentParser = subparsers.add_parser("models", help=_("list the models, look into one, add or remove one"))
    parser.add_argument("--json", action="store_true", help=_("print one JSON object"))
    parser.add_argument("--for", dest="image", type=Path, metavar="PATH", help=_("say which of them are for this image, and which fits best"))
    acts = parser.add_mutually_exclusive_group()
    acts.add_argument("--show", metavar="NAME", help=_("print the card of a model"))
    acts.add_argument("--check", metavar="NAME", help=_("load a model and run it once on an empty image"))
    acts.add_argument(
        "--add", type=Path, metavar="PATH", help=_("check a model (a folder, or an .onnx file and its card) and copy it to the added ones")
    )
    acts.add_argument("--remove", metavar="NAME", help=_("remove a model that was added"))
    acts.add_argument("--propose", type=Path, metavar="FILE", help=_("print a card for a bare .onnx file, as far as the file tells it"))
    parser.add_argument("--card", type=Path, metavar="FILE", help=_("with --add: the card, if it is not the card.toml beside the model"))
    parser.add_argument("--name", metavar="NAME", help=_("with --add: another name than the card's"))
    parser.add_argument("--device", default="auto", metavar="NAME", help=_("with --check and --add: auto, CPU, CUDA or what else is there"))
    choose.add_force(parser)


def run(args: argparse.Namespace) -> int:
    """0 when it was done; models that cannot be used stand in the list with the reason, and harm no other."""
    act = next((name for name in _ACTS if getattr(args, name) is not None), "")
    for option in ("card", "name"):
        if getattr(args, option) is not None and act != "add":
            raise BadParameter(_("--{option} goes with --add.").format(option=option))
    if act == "show":
        return _show(installed_model(args.show), args)
    if act == "check":
        return _check(installed_model(args.check), args)
    if act == "add":
        return _add(args)
    if act == "remove":
        return _remove(args.remove, args)
    if act == "propose":
        return _propose(args.propose, args)
    return _list(args)


def row_of(card: ModelCard) -> dict[str, Any]:
    """What ``--json`` says of a model."""
    applies, threshold = card.applies, card.card.get("threshold", {})
    return {
        "name": card.name, "title": card.title, "version": card.version, "task": card.task, "classes": list(card.classes),
        "threshold": card.threshold, "input": dict(card.card["input"]), "sha256": card.sha256, "modality": list(card.modalities),
        "benchmark": card.is_benchmark, "builtin": is_built_in(card), "licence": _licence(card),
        "applies": {
            "modality": list(applies.modality), "body_part": list(applies.body_part), "view": list(applies.view),
            "age_years": list(applies.age_years) if applies.age_years else None,
        },
        "sensitivity": threshold.get("sensitivity"), "specificity": threshold.get("specificity"), "folder": str(card.folder),
        "notes": list(card.notes),
    }  # fmt: skip


# --- listing -------------------------------------------------------------------------------------------------------


def _list(args: argparse.Namespace) -> int:
    cards, broken = list_models()
    entry = choose.choose(choose.find([args.image]), None) if args.image is not None else None
    facts = facts_of(entry) if entry is not None else None
    best, why = best_of(cards, facts) if facts is not None else (None, "")
    if args.json:
        rows = [row_of(card) | _fit(card, facts, best) for card in cards]
        unusable = [{"name": name, "reason": reason} for name, reason in broken]
        say.json_object({"models": rows, "unusable": unusable, **({"best": best.name if best else None, "reason": why} if facts else {})})
        return 0
    for card in cards:
        say.out(harmless(f"{card.name} {card.version}  {_(card.title)} ({_task(card)})"))
        say.out(harmless("    " + " · ".join(_about(card, facts, best))))
    for name, reason in broken:
        say.out(harmless(_("{name}  cannot be used").format(name=name)))
        say.out(harmless(f"    {reason}"))
    if not cards:
        say.out(_("No model is installed."))
    if why:
        say.err(why)
    return 0


def _task(card: ModelCard) -> str:
    return f"{card.task}: {', '.join(_(name) for name in card.classes)}" if card.classes else card.task


def _fit(card: ModelCard, facts: ImageFacts | None, best: ModelCard | None) -> dict[str, Any]:
    if facts is None:
        return {}
    return {"fits": not fit_of(card, facts).obstacle, "best": card is best}


def _about(card: ModelCard, facts: ImageFacts | None, best: ModelCard | None) -> list[str]:
    told = [_("built in") if is_built_in(card) else _("added"), *([_licence(card)] if _licence(card) else [])]
    if card.applies.modality or card.applies.body_part:
        told.append(_("for {listed}").format(listed=", ".join((*card.applies.modality, *card.applies.body_part))))
    if card.is_benchmark:
        told.append(_("for benchmarks only"))
    if facts is not None:
        told.append(_("fits best") if card is best else _("not for this image") if fit_of(card, facts).obstacle else _("fits"))
    return [str(word) for word in told]


def _licence(card: ModelCard) -> str:
    said = card.card.get("training", {}).get("licence") or card.card.get("licence") or ""
    return str(said)


# --- one model -----------------------------------------------------------------------------------------------------


def _tell_notes(card: ModelCard) -> None:
    for note in card.notes:
        say.err(note)


def _show(card: ModelCard, args: argparse.Namespace) -> int:
    if args.json:
        say.json_object({"models": [row_of(card) | {"card": card.card}]})
        return 0
    _tell_notes(card)
    for line in f"# {card.folder}\n{write_card(card.card)}".splitlines():
        say.out(harmless(line))
    return 0


def _check(card: ModelCard, args: argparse.Namespace) -> int:
    check_file(card)
    found = model_trial.check(card.model_path, card, args.device)
    if args.json:
        say.json_object({"models": [row_of(card) | {"check": found.plain()}]})
        return 0
    _tell_notes(card)
    _print_trial(card, found)
    return 0


def _print_trial(card: ModelCard, found: model_trial.Trial) -> None:
    say.out(harmless(f"{card.name} {card.version}  {card.title}"))
    for value in found.facts.inputs:
        say.out(harmless(_("  input: {value}").format(value=value.words)))
    for value in found.facts.outputs:
        say.out(harmless(_("  output: {value}").format(value=value.words)))
    say.out(
        harmless(
            _("  opset {opset}, {size}, {producer}").format(
                opset=found.facts.opset or "–", size=digits.file_size(found.facts.nbytes), producer=found.facts.producer or "–"
            )
        )
    )
    tried = found.tried
    say.out(_("  one run on an empty image: {time:.1f} ms on {device}").format(time=tried.milliseconds, device=tried.device))
    for name, score in tried.scores:
        say.out(harmless(f"    {name} {100 * score:.1f} %"))
    if tried.note:
        say.err(tried.note)


def _add(args: argparse.Namespace) -> int:
    text = model_trial.mapping_of(args.add, args.card)
    if args.name is not None:
        text["name"] = args.name
    found = model_trial.check_before(args.add, text, args.device)
    card = add_model(args.add, text, overwrite=args.force)
    if args.json:
        say.json_object({"models": [row_of(card) | {"check": found.plain()}]})
        return 0
    _tell_notes(card)
    _print_trial(card, found)
    say.out(harmless(_('"{name}" was added: {folder}').format(name=card.name, folder=str(card.folder))))
    return 0


def _remove(name: str, args: argparse.Namespace) -> int:
    remove_model(name)
    if args.json:
        say.json_object({"models": [row_of(card) for card in list_models()[0]], "removed": name})
    else:
        say.out(harmless(_('"{name}" was removed.').format(name=name)))
    return 0


def _propose(path: Path, args: argparse.Namespace) -> int:
    text, missing = model_trial.propose(path)
    if args.json:
        say.json_object({"models": [], "card": text, "reason": missing})
        return 0
    for line in write_card(text).splitlines():
        say.out(harmless(line))
    if missing:
        say.err(missing)
    return 0
