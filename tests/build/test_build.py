"""Whole builds of small apps, as the jail, uv and Django do them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deployer.build import client, tools
from deployer.build.build import purge
from deployer.errors.build import LibrariesMissing, NoLanguage, SourceRefused, StepFailed
from deployer.errors.procfile import ProcfileBroken
from deployer.model.manifest import decode, digest
from tests.build.conftest import Builder, Told, digests, paths

pytestmark = pytest.mark.edge


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A Python app that needs one package."""
    return write(
        tmp_path / "app",
        {"requirements.txt": "six==1.17.0\n", "app.py": "import six\n", "Procfile": "web: python app.py\n"},
    )


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_an_app_becomes_a_slug_of_layers_that_the_manifests_describe(app: Path, built: Builder, told: Told) -> None:
    result = built(app)
    assert [layer.name for layer in result.slug.layers] == ["dependencies", "app"]
    assert result.slug.process_types == {"web": "python app.py"}
    assert (result.slug.platform[:10], result.slug.buildpacks) == ("debian-13-", ("heroku/python",))
    for layer in result.layers:
        assert digest(layer.manifest) == layer.layer.digest
        assert len(decode(layer.manifest)) == layer.layer.files
        assert all((layer.root / entry.path.decode()).lstat() for entry in decode(layer.manifest))
    assert ".heroku/python/lib/python3.13/site-packages/six.py" in paths(result, "dependencies")
    assert paths(result, "dependencies")[".heroku/python/bin/python"] == "l"
    assert set(paths(result, "app")) == {
        ".profile.d/python-web-concurrency.sh",
        ".profile.d/python.sh",
        "Procfile",
        "__pycache__/app.cpython-313.pyc",
        "app.py",
        "requirements.txt",
    }
    assert "-----> Python app detected" in told.text
    assert "       Procfile declares types     -> web" in told.text


def test_the_same_source_gives_the_same_slug_also_without_any_cache(app: Path, built: Builder) -> None:
    first = built(app)
    assert built(app).slug == first.slug
    assert built(app, no_cache=True).slug == first.slug


def test_a_changed_line_makes_the_app_layer_anew_and_nothing_else(app: Path, built: Builder, told: Told) -> None:
    first = digests(built(app))
    (app / "app.py").write_text("import six  # changed\n")
    second = digests(built(app))
    assert second["dependencies"] == first["dependencies"]
    assert second["app"] != first["app"]
    assert "-----> Using cached dependencies" in told.text


def test_every_reason_for_a_new_installation_is_told(app: Path, built: Builder, told: Told) -> None:
    write(app, {"requirements.txt": "-r base.txt\n", "base.txt": "six==1.17.0\n"})
    built(app)
    write(app, {"base.txt": "six==1.16.0\n", "bin/post_compile": "true\n"})
    built(app)
    assert "Not from the cache: base.txt changed" in told.text
    assert "Not from the cache: pip changed from false to true" in told.text


def test_going_back_to_what_was_installed_before_installs_nothing(app: Path, built: Builder, told: Told) -> None:
    first = built(app)
    (app / "requirements.txt").write_text("")
    built(app)
    (app / "requirements.txt").write_text("six==1.17.0\n")
    assert built(app).slug == first.slug
    assert "-----> Using cached dependencies" in told.text


def test_a_purged_cache_is_empty(app: Path, built: Builder, told: Told) -> None:
    built(app)
    purge("x")
    built(app)
    assert "Using cached" not in told.text


def test_a_hook_that_changes_the_dependencies_never_changes_the_cached_layer(app: Path, built: Builder) -> None:
    """traps.md A 18."""
    plain = digests(built(app))
    site = ".heroku/python/lib/python3.13/site-packages"
    write(app, {"bin/post_compile": f'#!/bin/bash\nset -e\necho "$WORD" > /app/{site}/six.py\necho made > made.txt\n'})
    hooked = built(app, WORD="hooked")
    assert "made.txt" in paths(hooked, "app")
    assert content(hooked.layers[0].root, f"app/{site}/six.py") == "hooked\n"
    again = built(app, WORD="otherwise")
    assert content(again.layers[0].root, f"app/{site}/six.py") == "otherwise\n"
    (app / "bin/post_compile").unlink()
    (app / "bin").rmdir()
    assert digests(built(app)) == plain


def content(root: Path, path: str) -> str:
    return (root / path).read_text()


def test_a_hook_can_use_pip_and_what_it_installs_is_shipped(app: Path, built: Builder) -> None:
    write(app, {"bin/post_compile": "#!/bin/bash\npip install -q iniconfig\n"})
    assert ".heroku/python/lib/python3.13/site-packages/iniconfig/__init__.py" in paths(built(app), "dependencies")


def test_a_failing_hook_fails_the_build_with_its_output(app: Path, built: Builder, told: Told) -> None:
    write(app, {"bin/pre_compile": "#!/bin/bash\necho went wrong >&2\nexit 3\n"})
    with pytest.raises(StepFailed, match="ended with status 3"):
        built(app)
    assert "       went wrong" in told.text


def test_a_package_that_does_not_exist_fails_the_build_and_the_next_one_works(app: Path, built: Builder) -> None:
    (app / "requirements.txt").write_text("six==99.99\n")
    with pytest.raises(StepFailed, match="failed to compile Python app"):
        built(app)
    (app / "requirements.txt").write_text("six==1.17.0\n")
    assert built(app).slug.layers


def test_only_hooks_and_collectstatic_see_config_vars(app: Path, built: Builder, told: Told) -> None:
    write(app, {"bin/pre_compile": '#!/bin/bash\necho "hook sees $TOKEN, PATH ${PATH%%:*}"\n'})
    built(app, TOKEN="a b'c", PATH="/nowhere", LD_PRELOAD="/nowhere.so")
    assert "hook sees a b'c, PATH /app/.heroku/python/bin" in told.text


def compiled_with(*options: str) -> dict[str, str]:
    """A hook that makes native.so, which needs the libraries that the options name."""
    words = " ".join(("gcc", "-shared", "-fPIC", "-Wl,--no-as-needed", "-x c -", *options, "-o native.so"))
    return {"bin/post_compile": f"#!/bin/bash\necho 'int f(void) {{ return 1; }}' | {words}\n"}


def test_libraries_that_only_builds_have_fail_the_build(app: Path, built: Builder) -> None:
    """traps.md A 13."""
    write(app, compiled_with("-latomic"))
    with pytest.raises(LibrariesMissing) as missing:
        built(app)
    assert missing.value.missing == "app/native.so: libatomic.so.1 of the package libatomic1"


def test_libraries_that_hosts_have_are_fine(app: Path, built: Builder, told: Told) -> None:
    write(app, compiled_with("-lpq"))
    assert paths(built(app), "app")["native.so"] == "x"
    assert " !  " not in told.text


def test_a_library_that_nobody_has_is_only_told(app: Path, built: Builder, told: Told) -> None:
    script = "echo 'int g(void){return 1;}' | gcc -shared -fPIC -x c - -Wl,-soname,libgone.so.7 -o /tmp/libgone.so\n"
    hook = compiled_with("-x none", "/tmp/libgone.so")["bin/post_compile"]
    write(app, {"bin/post_compile": hook.replace("\n", f"\n{script}", 1)})
    built(app)
    assert " !     app/native.so: libgone.so.7, which no host has" in told.text


def test_a_broken_procfile_fails_the_build(app: Path, built: Builder) -> None:
    (app / "Procfile").write_text("web\n")
    with pytest.raises(ProcfileBroken):
        built(app)


def test_an_app_without_a_language_is_told_what_was_seen(tmp_path: Path, built: Builder) -> None:
    write(tmp_path / "app", {"README": "", "src/x.c": ""})
    with pytest.raises(NoLanguage, match="README, src/"):
        built(tmp_path / "app")


def test_a_buildpacks_refusal_is_told_in_its_own_words(tmp_path: Path, built: Builder) -> None:
    write(tmp_path / "app", {"app.py": ""})
    with pytest.raises(SourceRefused, match="No list of Python packages was found"):
        built(tmp_path / "app")


def test_links_that_lead_out_of_the_app_are_shipped_as_links_and_never_followed(app: Path, built: Builder) -> None:
    (app / "secrets").symlink_to("/etc")
    (app / "config.py").symlink_to("/etc/shadow")
    assert paths(built(app), "app")["secrets"] == "l"


def test_a_hook_cannot_make_us_write_elsewhere(app: Path, built: Builder, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    write(app, {"bin/post_compile": f"#!/bin/bash\nln -s {victim} .profile.d; ln -s {victim} __pycache__\n"})
    found = paths(built(app), "app")
    assert not list(victim.iterdir())
    assert ".profile.d/python.sh" in found
    assert "__pycache__/app.cpython-313.pyc" in found


def test_a_project_of_uv_is_installed_as_it_is_locked(tmp_path: Path, built: Builder) -> None:
    text = '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["six"]\n'
    app = write(tmp_path / "app", {"pyproject.toml": text + '[dependency-groups]\ndev = ["iniconfig"]\n'})
    env = {**client.environment(os.environ), "HOME": str(tmp_path), "SSL_CERT_FILE": client.CA}
    uv = str(tools.mount("uv").origin)
    subprocess.run([uv, "lock", "-q", "--python", sys.executable], cwd=app, check=True, env=env)
    found = paths(built(app), "dependencies")
    assert ".heroku/python/lib/python3.13/site-packages/six.py" in found
    assert ".heroku/python/lib/python3.13/site-packages/iniconfig/__init__.py" not in found


def test_a_source_that_cannot_be_compiled_is_shipped_as_it_is(app: Path, built: Builder) -> None:
    write(app, {"template.py": "class {{ name }}:\n"})
    found = paths(built(app), "app")
    assert "template.py" in found
    assert "__pycache__/template.cpython-313.pyc" not in found


def test_what_was_built_runs_from_its_layers(app: Path, built: Builder, tmp_path: Path) -> None:
    """The layers over each other at /app, in a platform image, as on a host."""
    write(app, {"app.py": "import six, sys\nprint(six.__version__, sys.prefix)\n"})
    result = built(app)
    merged = tmp_path / "merged"
    for layer in result.layers:
        subprocess.run(["cp", "-a", f"{layer.root}/app/.", str(merged)], check=True)
    image = next((tmp_path / "cache/platforms").resolve().glob("debian-13-*-build-*[0-9a-f]"))
    words = [
        "bwrap",
        "--ro-bind",
        str(image),
        "/",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--ro-bind",
        str(merged),
        "/app",
    ]
    script = "HOME=/app; for f in /app/.profile.d/*.sh; do . $f; done; cd /app && exec python app.py"
    done = subprocess.run([*words, "bash", "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout == "1.17.0 /app/.heroku/python\n"
