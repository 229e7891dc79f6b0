"""Finding plugins: entry points name packages, manifests name what is in them. Nothing of a plugin is imported here."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import tomllib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from viewer.core.errors import BadParameter, JobFailed
from viewer.core.operation import OperationSpec, describe_all
from viewer.core.sentence import sentence_of
from viewer.core.words import _, add_folder
from viewer.jobs.pool import Pool

GROUP = "negatoscope.plugins"
_OWN_DISTRIBUTION = "negatoscope"


@dataclass(frozen=True, slots=True)
class OperationEntry:
    """An operation as its manifest names it."""

    name: str
    run: str
    plugin: str

    @property
    def menu(self) -> str:
        return self.name.partition("/")[0]

    @property
    def title(self) -> str:
        return self.name.partition("/")[2]


@dataclass(frozen=True, slots=True)
class ToolEntry:
    """A mouse tool as its manifest names it."""

    name: str
    run: str
    plugin: str
    title: str
    icon: str = ""
    key: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class PanelEntry:
    """A tab of the dock as its manifest names it."""

    name: str
    run: str
    plugin: str
    title: str
    icon: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """A function that the window asks for by name and has run in a worker, such as reading a model's file; no operation, no step."""

    name: str
    run: str
    plugin: str


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plugin: its manifest, whether it is on, and what is wrong with it."""

    name: str
    title: str
    version: str
    is_builtin: bool
    is_enabled: bool
    operations: tuple[OperationEntry, ...] = ()
    tools: tuple[ToolEntry, ...] = ()
    panels: tuple[PanelEntry, ...] = ()
    services: tuple[ServiceEntry, ...] = ()
    error: str = ""
    translations: Path | None = None
    """Folder of its own catalogues, if it has one."""


class Registry:
    """The plugins that were found, and the descriptions of their operations once a worker has read them."""

    def __init__(self, plugins: Iterable[Plugin]) -> None:
        self.plugins = tuple(plugins)
        self._specs: dict[str, OperationSpec] = {}
        self._broken: dict[str, str] = {}

    @property
    def active(self) -> tuple[Plugin, ...]:
        return tuple(p for p in self.plugins if p.is_enabled and not p.error)

    @property
    def operations(self) -> tuple[OperationEntry, ...]:
        return tuple(o for p in self.active for o in p.operations)

    @property
    def tools(self) -> tuple[ToolEntry, ...]:
        return tuple(t for p in self.active for t in p.tools)

    @property
    def panels(self) -> tuple[PanelEntry, ...]:
        return tuple(x for p in self.active for x in p.panels)

    def service(self, name: str) -> str:
        """``package.module:function`` of a service, of the first plugin that has it; "" if none has."""
        return next((s.run for p in self.active for s in p.services if s.name == name), "")

    def entry(self, name: str) -> OperationEntry:
        """An operation by its permanent name, in any case; raises BadParameter naming those that are near."""
        for operation in self.operations:
            if operation.name.lower() == name.strip().lower():
                return operation
        menu = name.partition("/")[0].lower()
        near = [o.name for o in self.operations if o.menu.lower() == menu] or [o.name for o in self.operations]
        raise BadParameter(_('There is no operation "{name}". There are: {names}.').format(name=name, names=", ".join(near)))

    def load_specs(self, pool: Pool, names: Collection[str] | None = None) -> tuple[OperationSpec, ...]:
        """Describe operations (all, or those named) in a worker; what is broken ends up in ``broken``."""
        for items in self.unread(names):
            job = pool.submit("viewer.core.operation:describe_all", {"items": items})
            try:
                self.take_specs(*job.result())
            except JobFailed as err:
                self.take_specs((), [(name, sentence_of(err)) for name, _, _ in items])
        return tuple(self._specs[o.name] for o in self.operations if o.name in self._specs and (names is None or o.name in names))

    def unread(self, names: Collection[str] | None = None) -> list[list[tuple[str, str, str]]]:
        """Items for ``describe_all``, a list for each job: one plugin that ends its worker must not take the others' operations with it."""
        groups: dict[str, list[tuple[str, str, str]]] = {}
        for plugin in self.active:
            for o in plugin.operations:
                if (names is None or o.name in names) and o.name not in self._specs:
                    groups.setdefault("" if plugin.is_builtin else plugin.name, []).append((o.name, o.run, o.plugin))
        return list(groups.values())

    def take_specs(self, specs: Iterable[OperationSpec], broken: Iterable[tuple[str, str]]) -> None:
        """Keep what ``describe_all`` gave."""
        self._specs.update({spec.name: spec for spec in specs})
        self._broken.update(broken)

    def spec(self, name: str, pool: Pool | None = None) -> OperationSpec:
        """The description of one operation; read in a worker at first use, or here if no pool is given."""
        entry = self.entry(name)
        if entry.name not in self._specs:
            if pool is not None:
                self.load_specs(pool, {entry.name})
            else:
                self.take_specs(*describe_all([(entry.name, entry.run, entry.plugin)]))
        if entry.name not in self._specs:
            reason = self._broken.get(entry.name, _("it could not be read"))
            raise BadParameter(
                _('The operation "{name}" of the plugin {plugin} cannot be used: {reason}.').format(
                    name=entry.name, plugin=entry.plugin, reason=reason
                )
            )
        return self._specs[entry.name]

    def known_spec(self, name: str) -> OperationSpec | None:
        return self._specs.get(name)

    @property
    def broken(self) -> dict[str, str]:
        """Operations that could not be read, and why."""
        return dict(self._broken)


def discover(enabled: Collection[str] = (), *, safe_mode: bool = False) -> Registry:
    """All installed plugins; what those that are on translate is known from then on.

    Built-in ones are on; others only if ``enabled`` names them as ``name==version``; none of those in safe mode.
    """
    found: dict[str, Plugin] = {}
    for point in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda p: p.name):
        own = point.dist is not None and point.dist.name == _OWN_DISTRIBUTION
        plugin = read_manifest(point.name, point.value, is_builtin=own)
        switched_on = own or (f"{plugin.name}=={plugin.version}" in enabled and not safe_mode)
        if plugin.name not in found or own:
            found[plugin.name] = replace(plugin, is_enabled=switched_on)
    order = {"enhance": 0, "segment": 1, "measure": 2, "classify": 3}
    registry = Registry(_without_doubles(sorted(found.values(), key=lambda p: (not p.is_builtin, order.get(p.name, 99), p.name))))
    for plugin in registry.active:
        if plugin.translations is not None:
            add_folder(plugin.translations)
    return registry


def _without_doubles(plugins: Iterable[Plugin]) -> Iterator[Plugin]:
    """A plugin that brings a name which another one has already is no longer used: a name means one thing."""
    taken: dict[str, str] = {}
    for plugin in plugins:
        entries: tuple[OperationEntry | ToolEntry, ...] = (*plugin.operations, *plugin.tools)
        names = [x.name.lower() for x in entries] if plugin.is_enabled else []
        double = next((n for n in names if n in taken or names.count(n) > 1), None)
        if double is None:
            taken.update(dict.fromkeys(names, plugin.name))
            yield plugin
        else:
            other = taken.get(double, plugin.name)
            yield replace(
                plugin,
                error=_('The plugin {plugin} cannot be used: "{name}" is in the plugin {other} already.').format(
                    plugin=plugin.name, name=double, other=other
                ),
            )


def read_manifest(name: str, package: str, *, is_builtin: bool) -> Plugin:
    """Read ``plugin.toml`` of a package without importing it; what is wrong becomes the plugin's ``error``."""
    try:
        folder = find_folder(package)
        with (folder / "plugin.toml").open("rb") as file:
            manifest = tomllib.load(file)
        return Plugin(
            name=str(manifest.get("name", name)),
            title=str(manifest.get("title", name)),
            version=str(manifest.get("version", "")),
            is_builtin=is_builtin,
            is_enabled=False,
            operations=tuple(_operation(x, name) for x in manifest.get("operation", [])),
            tools=tuple(ToolEntry(plugin=name, **_texts(x)) for x in manifest.get("tool", [])),
            panels=tuple(PanelEntry(plugin=name, **_texts(x)) for x in manifest.get("panel", [])),
            services=tuple(ServiceEntry(plugin=name, **_texts(x)) for x in manifest.get("service", [])),
            translations=folder / "translations" if (folder / "translations").is_dir() else None,
        )
    except KeyError as err:
        return Plugin(
            name,
            name,
            "",
            is_builtin,
            False,
            error=_("The plugin {name} cannot be read: an entry of its plugin.toml has no {reason}.").format(name=name, reason=err),
        )
    except (OSError, tomllib.TOMLDecodeError, TypeError, ValueError, ImportError, AttributeError) as err:
        return Plugin(name, name, "", is_builtin, False, error=_("The plugin {name} cannot be read: {reason}.").format(name=name, reason=err))


def find_folder(package: str) -> Path:
    """Folder of a package, found part by part so that not even the parent's ``__init__`` runs."""
    top, *parts = package.split(".")
    spec = importlib.util.find_spec(top)
    for location in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(location).joinpath(*parts)
        if folder.is_dir():
            return folder
    raise ImportError(f"no package {package}")


def _operation(entry: dict[str, Any], plugin: str) -> OperationEntry:
    operation = OperationEntry(str(entry["name"]), str(entry["run"]), plugin)
    if not operation.menu or not operation.title or ":" not in operation.run:
        raise ValueError(f"an operation needs name = Menu/Operation and run = module:function, found {entry}")
    return operation


def _texts(entry: dict[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in entry.items()}
