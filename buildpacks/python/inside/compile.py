"""Runs in the build jail: makes byte code, for pairs `SOURCE NUL RESULT NUL` on standard input, or for a folder."""

from __future__ import annotations

import compileall
import py_compile
import sys
from pathlib import Path


def compile_pairs(pairs: list[str]) -> None:
    """Byte code that stays right when a file is edited on a dyno (`checked`), and that names no time."""
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    for source, result in zip(pairs[::2], pairs[1::2], strict=True):
        try:
            py_compile.compile(source, cfile=result, doraise=True, invalidation_mode=mode)
        except (py_compile.PyCompileError, OSError, ValueError):
            continue  # a template, a test's broken example: Python would not import it either


def compile_folder(folder: str) -> None:
    """Byte code of installed packages, which nobody edits (`unchecked`)."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(folder, maxlevels=30, quiet=2, workers=0, invalidation_mode=mode)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--folder"]:
        compile_folder(str(Path(sys.argv[2])))
    else:
        compile_pairs(sys.stdin.buffer.read().decode("utf-8", "surrogateescape").split("\0")[:-1])
