"""Runs programs in Python for the `pulumi` command, as `pulumi-language-python` does, which cannot be built from a Go
module: the Python of the tests executes the folder's `__main__.py`, with that folder first on its path."""

from __future__ import annotations

import os
import runpy
import sys
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2_grpc, plugin_pb2

SCRIPT = """#!/bin/sh
exec {python} -W ignore {here}
"""


class Host(LanguageServer):
    """The SDK's own server of inline programs, whose program is the one in the folder that the engine names."""

    def __init__(self) -> None:
        super().__init__(lambda: None)

    def Run(self, request: Any, context: Any) -> Any:
        folder = Path(request.info.program_directory)
        os.chdir(request.pwd)
        sys.path.insert(0, request.pwd)
        self.program = lambda: runpy.run_path(str(folder / request.info.entry_point), run_name="__main__")
        request.args[:] = [sys.argv[1]] if len(sys.argv) > 1 else request.args
        return super().Run(request, context)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="3.259.0")


def install(folder: Path) -> Path:
    """Put the command `pulumi-language-python` into a folder, for PATH."""
    folder.mkdir(exist_ok=True)
    command = folder / "pulumi-language-python"
    command.write_text(SCRIPT.format(python=sys.executable, here=f'{Path(__file__).resolve()} "$@"'))
    command.chmod(0o755)
    return folder


def main() -> None:
    """Serve on loopback; the first line says where."""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
