"""A program's syntax tree, asked for what tells how it trains. Nothing of the program is run."""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call in a program.

    Attributes:
        name: What is called, with its dots: ``loss.backward``.
        node: Its place in the tree.
        loops: The loops around it, the outermost first.
    """

    name: str
    node: ast.Call
    loops: tuple[ast.For | ast.While, ...]

    @property
    def method(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]

    @property
    def receiver(self) -> str:
        """What stands before the last dot; empty if nothing does."""
        return self.name.rpartition(".")[0]


@dataclass(slots=True)
class Program:
    """What a program imports, calls and assigns.

    Attributes:
        tree: Its syntax tree.
        modules: First parts of the modules that it imports.
        calls: Every call with a name, in the order of the text.
        assigned: Names that a call's value is given to, with that call.
    """

    tree: ast.Module
    modules: set[str] = field(default_factory=set[str])
    calls: list[Call] = field(default_factory=list[Call])
    assigned: list[tuple[str, ast.Call]] = field(default_factory=list[tuple[str, ast.Call]])

    @property
    def last_import(self) -> int:
        """The last line of the imports at the top level; 0 if there are none."""
        lines = [n.end_lineno or 0 for n in self.tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
        return max(lines, default=0)


def read_program(text: str | bytes) -> Program:
    r"""Return what a program holds; bytes may say their encoding as Python has it.

    Raises:
        SyntaxError: If it is no Python.
        RecursionError: If it is nested too deeply; so is ``MemoryError``.
        ValueError: If it holds a null byte.

    >>> [call.name for call in read_program("for x in xs:\n    loss(x).backward()\n    f.step()").calls]
    ['.backward', 'loss', 'f.step']
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of somebody else's escapes
        program = Program(ast.parse(text))
    for node, loops in _walked(program.tree, ()):
        if isinstance(node, ast.Import):
            program.modules |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            program.modules.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Call) and (name := dotted(node.func)):
            program.calls.append(Call(name=name, node=node, loops=loops))
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            program.assigned += [(name, node.value) for one in node.targets if (name := dotted(one))]
    return program


def dotted(node: ast.expr) -> str:
    """Return a name with its dots; of what is no name only the parts after it; empty if there are none.

    >>> [dotted(ast.parse(text, mode="eval").body) for text in ("self.model.loss", "f(x).step", "1")]
    ['self.model.loss', '.step', '']
    """
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def _walked(
    node: ast.AST, loops: tuple[ast.For | ast.While, ...]
) -> Iterator[tuple[ast.AST, tuple[ast.For | ast.While, ...]]]:
    """Yield every node below with the loops around it; a function's body has those of the function only."""
    for child in ast.iter_child_nodes(node):
        yield child, loops
        if isinstance(child, ast.For | ast.While):
            yield from _walked(child, (*loops, child))
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield from _walked(child, ())
        else:
            yield from _walked(child, loops)
