"""Builds: from a source that is none to a slug that would not run."""

from __future__ import annotations

from deployer.errors.base import Failure


class SourceMissing(Failure):
    """There is no such folder."""

    folder: str

    headline = "There is no folder {folder}."
    advice = "Name the folder of the app: `deployer deploy FOLDER`."


class CommitUnreadable(Failure):
    """git could not give the tree of a commit. `said` is what git said."""

    commit: str
    said: str

    headline = "git could not read the commit {commit}."
    seen = "{said}"
    advice = "A shallow clone may lack it: `git fetch --unshallow`, then push again."


class TooManyFiles(Failure):
    """`where` is what is counted; `most` the limit; `folders` those that hold most of them, a line each."""

    where: str
    most: int
    folders: str

    headline = "{where} has more than {most} files."
    seen = "{folders}"
    advice = "Leave out what the app does not need when it runs: name it in .slugignore, or have the build delete it."


class JailUnavailable(Failure):
    """Builds cannot be fenced in on this machine. `fix` is the line to type."""

    reason: str
    fix: str

    headline = "This machine cannot run builds: {reason}."
    advice = """
        Builds run fenced in by bubblewrap. To make that possible type
            {fix}
        """


class NoLanguage(Failure):
    """No buildpack fits. `seen_files` is what lies in the root."""

    seen_files: str

    headline = "No default language could be detected for this app."
    seen = "The root of the source holds: {seen_files}"
    advice = """
        A Python app has a requirements.txt, a Node.js app a package.json, in the root of what is deployed.
        `deployer buildpacks:set NAME` chooses a buildpack by hand.
        """


class BuildpackUnknown(Failure):
    """A buildpack that there is not. `known` lists those that there are."""

    name: str
    known: str

    headline = "There is no buildpack `{name}`."
    advice = "There are: {known}."


class BuildpackMismatch(Failure):
    """A buildpack was chosen by hand that does not fit the source."""

    name: str
    seen_files: str

    headline = "The buildpack {name} does not fit this app."
    seen = "The root of the source holds: {seen_files}"
    advice = "`deployer buildpacks:clear` lets deployer find out by itself."


class SourceRefused(Failure):
    """A buildpack does not plan this source. `reason` and `remedy` are the buildpack's own words."""

    language: str
    reason: str
    remedy: str

    headline = "Push rejected, failed to compile {language} app."
    seen = "{reason}"
    advice = "{remedy}"


class StepFailed(Failure):
    """A program of the build failed; its output was shown. `remedy` is the buildpack's advice."""

    language: str
    command: str
    status: int
    remedy: str

    headline = "Push rejected, failed to compile {language} app."
    seen = "`{command}` ended with status {status}; its output stands above."
    advice = "{remedy}"


class BuildTimedOut(Failure):
    """The build took too long."""

    language: str
    minutes: int

    headline = "Timed out compiling {language} app ({minutes} minutes)."
    advice = "What took so long stands above. What was finished is kept for the next build."


class LibrariesMissing(Failure):
    """Files of the slug need libraries that only the build had. `missing` has a line each."""

    platform: str
    missing: str

    headline = "The app needs libraries that hosts do not have."
    seen = "{missing}"
    advice = """
        They were there during the build, with the compilers, but no host of {platform} has them.
        Most packages come ready-made with their libraries: `psycopg[binary]` instead of `psycopg2`.
        """


class SlugTooLarge(Failure):
    """More than a slug may weigh. `size` and `limit` as people read them, `largest` has a line for each big folder."""

    size: str
    limit: str
    largest: str

    headline = "Compiled slug size: {size} is too large (max is {limit})."
    seen = "{largest}"
    advice = "`.slugignore` leaves files out that the app does not need when it runs."


class CacheUnusable(Failure):
    """The folder of builds cannot be written."""

    folder: str
    reason: str

    headline = "The cache folder {folder} cannot be used."
    seen = "{reason}"
    advice = "`DEPLOYER_CACHE=FOLDER` puts it elsewhere."


class NpmUnavailable(Failure):
    """npm, which asks its registry and fetches Node.js, could not be had itself. `said` is what uv said."""

    package: str
    said: str

    headline = "npm could not be installed for builds of Node.js apps."
    seen = "{said}"
    advice = "It comes with the Python package {package}: this machine must reach its Python package index."


class RegistryUnreachable(Failure):
    """npm's registry did not tell the versions of a package. `said` is what npm said."""

    package: str
    said: str

    headline = "npm could not ask its registry for the versions of {package}."
    seen = "{said}"
    advice = "`npm_config_registry=ADDRESS`, or the line `registry=ADDRESS` in ~/.npmrc, names another registry."
