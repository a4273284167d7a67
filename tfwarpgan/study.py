"""Asks people which of two pictures looks more natural: makes the study, serves it, analyzes the answers.

    python -m tfwarpgan.study make --study=DIR --a=ours=DIR --b=pg2=DIR --contact=ADDRESS
    python -m tfwarpgan.study serve --study=DIR
    python -m tfwarpgan.study analyze --study=DIR

`import` adds results of Mechanical Turk, or files that raters saved; `delete` removes a rater. See docs/study.md.
"""

import dataclasses
import os
import signal
import threading

from tfwarpgan import __version__
from tfwarpgan.command_line import run_actions
from tfwarpgan.errors import InputError
from tfwarpgan.human_study.making import MakeOptions
from tfwarpgan.options import option


@dataclasses.dataclass(frozen=True)
class StudyOptions:
    """The study."""

    study: str = option("", "Folder of the study.")

    def __post_init__(self) -> None:
        if not self.study:
            raise InputError("--study is missing; give the folder of the study.")

    @property
    def folder(self) -> str:
        """The folder, without ~."""
        return os.path.expanduser(self.study)


@dataclasses.dataclass(frozen=True)
class ServeOptions:
    """serve: where raters reach it."""

    address: str = option("127.0.0.1", "Address to listen on; leave it, and put a proxy with TLS in front.")
    port: int = option(8080, "Port to listen on; 0: any that is free.", minimum=0, maximum=65535)
    allowed_hosts: str = option("", "More names by which raters reach it, such as study.example.org, with commas.")


@dataclasses.dataclass(frozen=True)
class ImportOptions:
    """import: answers that came in another way."""

    results: str = option(
        "", "Mechanical Turk's table of results (.csv), a file that a rater saved (.json), or a folder."
    )

    def __post_init__(self) -> None:
        if not self.results:
            raise InputError("--results is missing; give the file or folder of the results.")


@dataclasses.dataclass(frozen=True)
class AnalyzeOptions:
    """analyze: whose answers count."""

    most_failed_checks: int = option(1, "The most checks that a rater may fail; others are dropped.", minimum=0)
    simulated: bool = option(False, "Analyze simulated raters, to try the study out.")


@dataclasses.dataclass(frozen=True)
class DeleteOptions:
    """delete: who is removed, with all answers."""

    rater: str = option("", "The rater's number, which stands on their page.")


def make(where: StudyOptions, options: MakeOptions) -> None:
    """Makes a study."""
    from tfwarpgan.human_study.making import make

    study = make(options, where.folder, __version__)
    print(
        f"Study {study.id}: {len(study.pairs)} pairs, {len(study.comparisons)} comparisons, {len(study.slots)} raters"
    )
    print(f"Each rater: {max(map(len, study.slots))} trials. Folder: {where.folder}")


def serve(where: StudyOptions, options: ServeOptions) -> None:
    """Serves a study until SIGTERM or Ctrl-C."""
    from tfwarpgan.human_study.answers import of_study
    from tfwarpgan.human_study.document import PUBLIC, load
    from tfwarpgan.human_study.server import StudyServer

    study = load(where.folder)
    answers = of_study(where.folder, study)
    public = os.path.join(where.folder, PUBLIC)
    with StudyServer(study, public, answers, options.address, options.port, options.allowed_hosts) as server:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
        print(f"Study {study.id} at http://{options.address}:{server.port}/", flush=True)
        server.serve_forever()
    print("Stopped.", flush=True)


def import_results(where: StudyOptions, options: ImportOptions) -> None:
    """Imports results; all of them, or none where one is wrong."""
    from tfwarpgan.human_study.answers import of_study
    from tfwarpgan.human_study.document import load
    from tfwarpgan.human_study.importing import read_results

    study, path = load(where.folder), os.path.expanduser(options.results)
    names = sorted(os.listdir(path)) if os.path.isdir(path) else []
    files = [os.path.join(path, name) for name in names if name.lower().endswith((".csv", ".json"))] or [path]
    raters = [rater for file in files for rater in read_results(file, study, where.folder)]
    added, known = of_study(where.folder, study).add(raters)
    print(f"{added} raters added, {known} left out: they had taken part already.")


def analyze(where: StudyOptions, options: AnalyzeOptions) -> None:
    """Prints the table, and writes it as results.json, results.md and results.tex."""
    from tfwarpgan.human_study import analysis, tables
    from tfwarpgan.human_study.answers import of_study
    from tfwarpgan.human_study.document import load
    from tfwarpgan.storage.writing import write_atomically

    study = load(where.folder)
    raters = of_study(where.folder, study, must_exist=True).read()
    results = analysis.analyze(study, raters, options.most_failed_checks, options.simulated)
    if not results["raters"]["counted"]:
        told = "{began} began, {unfinished} did not finish, {failed_checks} failed checks".format(**results["raters"])
        raise InputError(f"{where.study} has no rater to count: {told}; wait for answers.")
    texts = {"json": tables.to_json(results), "md": tables.to_markdown(results), "tex": tables.to_latex(results)}
    for suffix, text in texts.items():
        write_atomically(os.path.join(where.folder, f"results.{suffix}"), text)
    print(texts["md"], end="")


def delete(where: StudyOptions, options: DeleteOptions) -> None:
    """Deletes a rater."""
    from tfwarpgan.human_study.answers import of_study
    from tfwarpgan.human_study.document import load

    if not of_study(where.folder, load(where.folder), must_exist=True).delete(options.rater):
        raise InputError(f"--rater={options.rater} is no rater of {where.study}; the number stands on their page.")
    print(f"Rater {options.rater} and all their answers are deleted.")


ACTIONS = {
    "make": (make, StudyOptions, MakeOptions),
    "serve": (serve, StudyOptions, ServeOptions),
    "import": (import_results, StudyOptions, ImportOptions),
    "analyze": (analyze, StudyOptions, AnalyzeOptions),
    "delete": (delete, StudyOptions, DeleteOptions),
}


def cli() -> None:
    """The command."""
    run_actions(ACTIONS)


if __name__ == "__main__":
    cli()
