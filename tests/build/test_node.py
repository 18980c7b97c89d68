"""Real builds of Node.js apps, by npm, in the build jail."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deployer.build import platform_image
from deployer.build.build import build
from deployer.build.folders import cache_folder
from deployer.build.source import from_folder
from deployer.errors.build import StepFailed
from deployer.model.platforms import parse
from deployer.model.slug import Built
from tests.build.conftest import APPS, Builder, Told, digests, paths

pytestmark = pytest.mark.edge

SHARED = ("platforms", "tools", "published")


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What builds of the app `x` keep when the express app was built once: Node among it."""
    folder = tmp_path_factory.mktemp("installed")
    for name in SHARED:
        (cache_folder() / name).mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(cache_folder() / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEPLOYER_CACHE", str(folder))
        source = from_folder(APPS / "node_express")
        build(source, app="x", platform=parse("debian-13"), buildpacks=(), config={}, tell=Told())
    return folder


@pytest.fixture(autouse=True)
def with_node(cache: Path, installed: Path) -> None:
    """Every test has a copy of that."""
    for name in SHARED[1:]:
        (cache / name).symlink_to((installed / name).resolve())
    subprocess.run(["cp", "-a", "--reflink=auto", str(installed / "builds"), str(cache / "builds")], check=True)


@pytest.fixture
def express(tmp_path: Path) -> Path:
    return shutil.copytree(APPS / "node_express", tmp_path / "express")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """An app without packages."""
    (tmp_path / "bare").mkdir()
    return change(tmp_path / "bare", engines={"node": "24.x"})


def change(app: Path, **parts: Any) -> Path:
    """Set parts of package.json."""
    file = app / "package.json"
    before = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps({**before, **parts}))
    return app


def write(app: Path, path: str, text: str) -> None:
    (app / path).parent.mkdir(parents=True, exist_ok=True)
    (app / path).write_text(text)


def text(built: Built, path: str) -> str:
    """A file of the slug: the uppermost layer that has it counts."""
    found = [layer.root / "app" / path for layer in built.layers if (layer.root / "app" / path).exists()]
    return found[-1].read_text()


def test_an_app_becomes_node_its_packages_and_itself(express: Path, built: Builder, told: Told) -> None:
    result = built(express)
    assert list(digests(result)) == ["node", "node-modules", "app"]
    assert result.slug.process_types == {"web": "npm start"}
    assert paths(result, "node")[".heroku/node/bin/npm"] == "l"
    assert not [path for path in paths(result, "node") if "include" in path]
    assert "node_modules/express/package.json" in paths(result, "node-modules")
    assert "node_modules/semver/package.json" not in paths(result, "node-modules")
    assert "-----> Using Node.js 24." in told.text


def test_a_changed_line_installs_nothing_and_changes_only_the_app(express: Path, built: Builder, told: Told) -> None:
    first = digests(built(express))
    with (express / "server.js").open("a") as file:
        file.write("// changed\n")
    change(express, version="2.0.0")
    second = digests(built(express))
    assert {name for name in first if first[name] != second[name]} == {"app"}
    assert "-----> Using cached dependencies" in told.text
    assert "added" not in told.text


def test_another_dependency_is_installed_and_the_reasons_are_told(express: Path, built: Builder, told: Told) -> None:
    change(express, dependencies={})
    lock = json.loads((express / "package-lock.json").read_text())
    lock["packages"][""]["dependencies"] = {}
    kept = {path: entry for path, entry in lock["packages"].items() if not path or entry.get("dev")}
    write(express, "package-lock.json", json.dumps({**lock, "packages": kept}))
    result = built(express)
    assert "node_modules/express/package.json" not in paths(result, "node-modules")
    assert "Not from the cache: package-lock.json changed" in told.text
    assert "Not from the cache: the dependencies in package.json changed" in told.text
    assert "Not from the cache: layer node-packages changed" in told.text


def test_a_lock_file_that_does_not_fit_fails_the_build(express: Path, built: Builder, told: Told) -> None:
    change(express, dependencies={"express": "^4.0.0"})
    with pytest.raises(StepFailed, match="`npm ci` ended with status 1") as failure:
        built(express)
    assert "npm install --package-lock-only" in str(failure.value)
    assert "are in sync" in told.text


def test_development_packages_stay_where_a_config_var_says_so(express: Path, built: Builder) -> None:
    result = built(express, NPM_CONFIG_PRODUCTION="false")
    assert "node_modules/semver/package.json" in paths(result, "node-packages")


def test_builds_see_config_vars(express: Path, built: Builder) -> None:
    assert json.loads(text(built(express, GREETING='it\'s "$me"'), "dist/built.json"))["greeting"] == 'it\'s "$me"'


def test_a_failing_build_names_the_script(bare: Path, built: Builder, told: Told) -> None:
    change(bare, scripts={"build": "echo went wrong >&2; exit 7"})
    with pytest.raises(StepFailed, match="`npm run build` ended with status 7"):
        built(bare)
    assert "       went wrong" in told.text


def test_hooks_run_in_order_with_herokus_environment(bare: Path, built: Builder) -> None:
    say = "echo $npm_lifecycle_event $NODE_ENV $NODE_OPTIONS >> log.txt"
    names = ("heroku-prebuild", "build", "heroku-postbuild", "heroku-cleanup")
    change(bare, scripts=dict.fromkeys(names, say))
    assert text(built(bare), "log.txt").splitlines() == [
        f"{name} production --max_old_space_size=2560" for name in (names[0], *names[2:])
    ]
    assert " staging " in text(built(bare, NODE_ENV="staging"), "log.txt")


def test_scripts_of_the_installation_run_in_every_build_on_packages_as_they_were(
    express: Path, built: Builder, told: Told
) -> None:
    patch = "node -e \"require('fs').appendFileSync('node_modules/express/index.js', process.env.WORD)\""
    change(express, scripts={"postinstall": patch, "start": "node server.js"})
    first = text(built(express, WORD="//one"), "node_modules/express/index.js")
    second = text(built(express, WORD="//two"), "node_modules/express/index.js")
    assert (first[-5:], second[-5:]) == ("//one", "//two")
    assert "//one" not in second
    assert "-----> Using cached dependencies" in told.text
    assert json.loads(text(built(express, WORD=""), "package.json"))["scripts"]["postinstall"] == patch


def test_two_scripts_may_change_the_packages_one_after_the_other(express: Path, built: Builder) -> None:
    scripts = {
        "postinstall": "mkdir node_modules/.x; echo a > node_modules/.x/a",
        "build": "cat node_modules/.x/a > node_modules/.x/b",
    }
    change(express, scripts={**scripts, "heroku-cleanup": "rm node_modules/.x/a"})
    result = built(express)
    assert text(result, "node_modules/.x/b") == "a\n"
    assert "node_modules/.x/a" not in paths(result, "node-modules")


def test_what_build_tools_remember_stays_and_is_not_shipped(bare: Path, built: Builder) -> None:
    script = "cat .next/cache/n >> log.txt; mkdir -p .next/cache; echo again >> .next/cache/n; echo x > .next/page"
    change(bare, scripts={"build": f"touch log.txt; {script} || true"})
    built(bare)
    result = built(bare)
    assert text(result, "log.txt") == "again\n"
    assert ".next/page" in paths(result, "app")
    assert ".next/cache/n" not in paths(result, "app")


def test_cache_directories_stay_and_are_shipped(bare: Path, built: Builder, told: Told) -> None:
    change(bare, cacheDirectories=["bower"], scripts={"build": "mkdir -p bower; echo again >> bower/n"})
    built(bare)
    assert text(built(bare), "bower/n") == "again\nagain\n"
    assert "-----> Restoring bower of the last build" in told.text


def test_native_code_is_compiled_against_nodes_headers(bare: Path, built: Builder) -> None:
    """The app's own, as a package's would be."""
    write(bare, "binding.gyp", json.dumps({"targets": [{"target_name": "native", "sources": ["native.c"]}]}))
    write(bare, "native.c", "#include <node_api.h>\nNAPI_MODULE_INIT() { return exports; }\n")
    lock = {"name": "x", "lockfileVersion": 3, "packages": {"": {"name": "x", "hasInstallScript": True}}}
    write(bare, "package-lock.json", json.dumps(lock))
    assert paths(built(bare), "app")["build/Release/native.node"] == "x"


@pytest.fixture
def host(cache: Path) -> list[str]:
    """The words that run a program with what hosts have, without any network; the slug lies in `merged`."""
    image = platform_image.ensure(parse("debian-13"), "host", print)
    words = ["bwrap", "--unshare-net", "--unshare-pid", "--die-with-parent", "--proc", "/proc", "--dev", "/dev"]
    words += [word for name in ("usr", "etc") for word in ("--ro-bind", str(image / name), f"/{name}")]
    words += [word for name in ("bin", "lib", "lib64") for word in ("--symlink", f"usr/{name}", f"/{name}")]
    words += ["--tmpfs", "/tmp", "--bind", str(cache / "merged"), "/app", "--chdir", "/app", "--clearenv"]
    return [*words, "--setenv", "HOME", "/app", "--setenv", "PATH", "/usr/bin:/bin"]


def merge(result: Built, folder: Path) -> None:
    for layer in result.layers:
        subprocess.run(["cp", "-a", f"{layer.root}/app/.", str(folder)], check=True)


def answers(host: list[str], command: str, *asked: str) -> str:
    """What a web process answers on these paths."""
    asking = "\n".join(
        f"curl -sf --retry 40 --retry-connrefused --retry-delay 1 127.0.0.1:5000{path}" for path in asked
    )
    script = f"for f in .profile.d/*.sh; do . $f; done; export PORT=5000\n({command}) >&2 &\n{asking}"
    done = subprocess.run([*host, "bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_was_built_answers(express: Path, built: Builder, cache: Path, host: list[str]) -> None:
    merge(built(express, GREETING="hi"), cache / "merged")
    answer = json.loads(answers(host, "npm start", "/"))
    assert (answer["node"][:3], answer["mode"]) == ("24.", "production")
    assert answer["built"] == {"major": 24, "greeting": "hi"}


def test_node_26_brings_the_library_that_hosts_lack(
    express: Path, built: Builder, cache: Path, host: list[str]
) -> None:
    """traps.md A 13."""
    change(express, engines={"node": "26.x"})
    lock = (express / "package-lock.json").read_text().replace('"node": "24.x"', '"node": "26.x"')
    write(express, "package-lock.json", lock)
    merge(built(express), cache / "merged")
    assert json.loads(answers(host, "npm start", "/"))["node"].startswith("26.")


def test_django_serves_what_node_has_built_and_runs_node_itself(
    tmp_path: Path, built: Builder, told: Told, cache: Path, host: list[str]
) -> None:
    app = shutil.copytree(APPS / "node_then_python", tmp_path / "both")
    result = built(app)
    assert result.slug.buildpacks == ("heroku/nodejs", "heroku/python")
    assert list(digests(result)) == ["node", "node-modules", "dependencies", "static", "app"]
    assert result.slug.process_types == {"web": "gunicorn config.wsgi"}
    assert "       2. heroku/python" in told.text
    merge(result, cache / "merged")
    page, rendered = answers(host, "gunicorn -b 127.0.0.1:$PORT config.wsgi", "/", "/rendered/").split("</script>\n")
    stylesheet = page.split('href="/')[1].split('"')[0].replace("static/", "staticfiles/")
    assert (cache / "merged" / stylesheet).read_text().startswith("body{font-family:sans-serif")
    assert rendered == "<p>Rendered by <strong>Node</strong> for <em>Django</em></p>\n"


def test_assets_that_node_builds_otherwise_are_collected_anew(tmp_path: Path, built: Builder, told: Told) -> None:
    app = shutil.copytree(APPS / "node_then_python", tmp_path / "both")
    first = digests(built(app))
    write(app, "assets/site.css", "body { color: red }\n")
    second = digests(built(app))
    assert {name for name in first if first[name] != second[name]} == {"static", "app"}
    assert "Not from the cache: built/site.css changed" in told.text
