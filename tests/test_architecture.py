"""The map names what is there: docs/architecture.md against the files, their functions, the flags and the imports."""

import ast
import functools
import itertools
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "tfwarpgan"
PAGE = (ROOT / "docs" / "architecture.md").read_text()
DRAWING = re.search(r"```mermaid\n(.*?)```", PAGE, re.DOTALL).group(1)
NAMES = set(re.findall(r"`([^`\n]+)`", PAGE.replace(DRAWING, "")))
SINGLE_MODULES = (
    "command_line",
    "command_help",
    "flagfiles",
    "flags",
    "options",
    "compat",
    "typing",
    "errors",
)  # the others are commands


def exists(name):
    """Whether a path, `path.function` or `path.Class.method` is there, in the package, the tests or the root."""
    bases = [ROOT / "tests" if pathlib.PurePath(name).name.startswith("test_") else PACKAGE, ROOT]
    if any((base / name).exists() for base in bases):
        return True
    module, _, rest = name.rpartition("/")
    stem, *attributes = rest.split(".")
    files = [base / module / f"{stem}.py" for base in bases]
    return bool(attributes) and any(path.exists() and defines(parsed(path).body, attributes) for path in files)


@functools.cache
def parsed(path):
    return ast.parse(path.read_text())


def defines(statements, attributes):
    """Whether statements define the first name, and its body the names after it."""
    for statement in statements:
        targets = getattr(statement, "targets", [getattr(statement, "target", None)])
        defined = {getattr(statement, "name", None), *(getattr(target, "id", None) for target in targets)}
        if attributes[0] in defined:
            return len(attributes) == 1 or defines(getattr(statement, "body", ()), attributes[1:])
    return False


def flags():
    """Names of all flags: the fields of the dataclasses of options, of runs and of commands."""
    fields = itertools.chain.from_iterable(
        cls.body
        for path in PACKAGE.rglob("*.py")
        for cls in parsed(path).body
        if isinstance(cls, ast.ClassDef) and cls.name.endswith("Options")
    )
    return {field.target.id for field in fields if isinstance(field, ast.AnnAssign)}


def test_every_file_and_function_is_there():
    paths = {name for name in NAMES if re.fullmatch(r"[\w/]+(/|(\.\w+)+)", name)}
    assert len(paths) > 100
    assert sorted(name for name in paths if not exists(name)) == []


@pytest.mark.parametrize(
    "name",
    ["layers/warps.py", "layers/warping.sample_nothing", "layers/warping.SoftGatedWarpingBlock.fly", "layers/walls/",
     "test_nothing.py", "layers/test_warping.test_equation_9"],
)  # fmt: skip
def test_what_is_not_there_is_found_out(name):
    assert not exists(name)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_equation_stands_on_its_function(number):
    module, function = re.search(rf"\*\*equation {number}\*\* \| `([\w/]+)\.(\w+)`", PAGE).groups()
    (found,) = [node for node in parsed(PACKAGE / f"{module}.py").body if getattr(node, "name", None) == function]
    assert f"equation {number}" in ast.get_docstring(found)


def test_every_flag_is_there():
    named = {match for name in NAMES for match in re.findall(r"--(\w+)", name)}
    assert len(named) > 40
    assert named - flags() == {"flagfile", "help"}  # of every command


def test_every_link_leads_to_a_page():
    links = re.findall(r"\]\(([^)#:]+)\)", PAGE)
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []


def test_every_room_is_on_the_map():
    rooms = {path.parent.relative_to(PACKAGE).as_posix() + "/" for path in PACKAGE.glob("**/__init__.py")}
    rooms -= {"./", "serving/", "serving/service/grpc/", "serving/service/rest/"}  # their rooms stand for them
    assert sorted(rooms - NAMES) == []


def drawn():
    """The arrows of the drawing: room -> the rooms below it."""
    arrows = re.findall(r"^ *(\w+) --> ([\w &]+)$", DRAWING, re.MULTILINE)
    return {source: set(targets.split(" & ")) for source, targets in arrows}


def room(module):
    """The room of a module, given as the parts of its path in the package."""
    if module[0] == "serving":
        return module[1]
    return module[0] if (PACKAGE / module[0]).is_dir() or module[0] in SINGLE_MODULES else "commands"


def at_run_time(tree):
    """The nodes of a tree, without what only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield node
            yield from at_run_time(node)


def imports():
    """Pairs of rooms of which the first imports the second."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        importer = room(path.relative_to(PACKAGE).with_suffix("").parts)
        for node in at_run_time(parsed(path)):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("tfwarpgan."):
                packages = node.module.split(".")[1:]
                found |= {(importer, room([*packages, alias.name])) for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module == "tfwarpgan":
                found |= {(importer, room([alias.name])) for alias in node.names if alias.name != "__version__"}
    return {(importer, imported) for importer, imported in found if importer != imported}


def below(source):
    """All rooms that arrows lead to from one."""
    reached, arrows = set(), drawn()
    todo = [source]
    while todo:
        new = arrows.get(todo.pop(), set()) - reached
        reached |= new
        todo += new
    return reached


def test_the_drawing_shows_the_imports():
    actual = imports()
    assert sorted((source, target) for source, target in actual if target not in below(source)) == []
    arrows = {(source, target) for source, targets in drawn().items() for target in targets}
    assert sorted(arrows - actual) == []
    assert all(source not in below(source) for source in drawn())
