"""The pages of a study: for its own server, for any web server or a folder on the disk, and for Mechanical Turk."""

import importlib.resources
import json
import math
import os
import string
from typing import Any

from tfwarpgan.human_study.design import PRACTICE
from tfwarpgan.human_study.document import QUESTION, Study
from tfwarpgan.storage.writing import write_atomically

INDEX = "index.html"
SERVER, DOWNLOAD, TURK = "server", "download", "turk"  # where the answers go
SECONDS_PER_TRIAL = 6
SLOT_VARIABLE = "${slot}"  # Mechanical Turk puts the column of that name there
_NO_ADDRESS = "https://REPLACE-WITH-THE-ADDRESS-OF-THE-PUBLIC-FOLDER/"
_TURK_FORM = (
    '<form id="own_form" method="post"><input type="hidden" name="assignmentId">'
    '<input type="hidden" name="answers" id="answers"></form>\n'
)
_XML = (
    '<HTMLQuestion xmlns="http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2011-11-11/HTMLQuestion.xsd">'
    "\n<HTMLContent><![CDATA[\n{}]]></HTMLContent>\n<FrameHeight>0</FrameHeight>\n</HTMLQuestion>\n"
)


def web_files() -> dict[str, bytes]:
    """Name -> content of the files that every study's page needs, with jsPsych and its license."""
    folder = importlib.resources.files("tfwarpgan.human_study").joinpath("web")
    nested = folder.joinpath("jspsych")
    own = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file() and file.name != INDEX}
    return own | {f"jspsych/{file.name}": file.read_bytes() for file in nested.iterdir()}


def index(study: Study, mode: str, base: str = "", slot: int | str = -1) -> str:
    """The text of the page.

    Args:
        study: The `Study`.
        mode: `SERVER`, `DOWNLOAD` or `TURK`.
        base: Address of the public folder, with a slash at its end; empty: where the page lies.
        slot: The rater's, where the page is made for one.
    """
    template = importlib.resources.files("tfwarpgan.human_study").joinpath("web", INDEX).read_text(encoding="utf-8")
    facts = (
        json.dumps(_facts(study) | {"mode": mode, "base": base, "slot": slot})
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
    )
    form = _TURK_FORM if mode == TURK else ""
    return string.Template(template).substitute(title=QUESTION, base=base, facts=facts, form=form)


def _facts(study: Study) -> dict[str, Any]:
    """What the page knows of the study; nothing of the methods."""
    trials = max(map(len, study.slots))
    return {
        "study": study.id,
        "question": QUESTION,
        "slots": len(study.slots),
        "trials": trials,
        "practice": sum(trial.kind == PRACTICE for trial in study.slots[0]),
        "minutes": math.ceil(trials * SECONDS_PER_TRIAL / 60),
        "contact": study.contact,
        "purpose": study.purpose,
        "terms": study.terms,
    }


def write_public(study: Study, folder: str) -> None:
    """Writes all but the pictures: page, scripts, and each rater's trials."""
    for name, content in web_files().items():
        write_atomically(os.path.join(folder, name), content)
    for slot in range(len(study.slots)):
        write_atomically(
            os.path.join(folder, "slots", f"{slot}.js"), f"setTrials({json.dumps(study.public_trials(slot))});\n"
        )
    write_atomically(os.path.join(folder, INDEX), index(study, DOWNLOAD))


def write_mturk(study: Study, folder: str, base_url: str) -> None:
    """Writes the page, as HTML for the requester's site and as XML for programs, and the table of HITs."""
    base = base_url.rstrip("/") + "/" if base_url else _NO_ADDRESS
    page = index(study, TURK, base, SLOT_VARIABLE)
    write_atomically(os.path.join(folder, "question.html"), page)
    write_atomically(os.path.join(folder, "question.xml"), _XML.format(page))
    rows = "".join(f"{slot}\n" for slot in range(len(study.slots)))
    write_atomically(os.path.join(folder, "hits.csv"), f"slot\n{rows}")
