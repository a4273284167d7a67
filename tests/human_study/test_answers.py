"""The file of answers: who gets which slot, what is kept and what is not, and that nothing is lost or doubled."""

import concurrent.futures
import itertools
import sqlite3

import pytest

from tfwarpgan.errors import InputError
from tfwarpgan.human_study.answers import Answer, Answers, FullError, Rater, of_study

LENGTHS = [3, 3]


@pytest.fixture
def answers(tmp_path):
    return Answers(str(tmp_path / "answers.sqlite"), "abc", LENGTHS)


def finish(answers, rater):
    for trial in range(LENGTHS[rater.slot]):
        answers.record(rater.rater, Answer(trial, "left", 900))


def test_raters_share_the_slots_that_nobody_has_finished(answers):
    (_, first), (_, second) = answers.join(False), answers.join(False)
    assert {first.slot, second.slot} == {0, 1} and first.rater != second.rater
    finish(answers, first)
    assert {answers.join(False)[1].slot for _ in range(5)} == {second.slot}
    finish(answers, second)
    with pytest.raises(FullError):
        answers.join(False)
    assert answers.join(True)[1].slot == 0  # a simulated rater takes nobody's place


def test_a_deleted_raters_slot_is_free_again(answers):
    (_, first), (_, second) = answers.join(False), answers.join(False)
    finish(answers, first), finish(answers, second)
    assert answers.delete(second.rater) and not answers.delete(second.rater)
    assert answers.join(False)[1].slot == second.slot


def test_an_answer_is_kept_once(answers):
    token, rater = answers.join(False)
    answer = Answer(1, "right", 1234)
    assert answers.record(rater.rater, answer) == answers.record(rater.rater, answer) == answer
    assert answers.record(rater.rater, Answer(1, "left", 5)) == answer
    found = answers.find(token)
    assert found.answers == {1: answer} and found.rater == rater.rater
    assert answers.find("another") is None and answers.find("") is None


def test_the_file_holds_nothing_personal_and_no_token(answers, tmp_path):
    token, rater = answers.join(False)
    finish(answers, rater)
    with sqlite3.connect(tmp_path / "answers.sqlite") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        columns = {row[1] for (name,) in tables for row in connection.execute(f"PRAGMA table_info({name})")}
    assert columns == {"id", "rater", "token", "slot", "simulated", "trial", "side", "milliseconds"}
    contents = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert token.encode() not in contents and rater.rater.encode() in contents
    assert (tmp_path / "answers.sqlite").stat().st_mode & 0o077 == 0


def test_who_is_deleted_is_gone_from_the_disk(answers, tmp_path):
    (_, rater), (_, other) = answers.join(False), answers.join(False)
    finish(answers, rater), finish(answers, other)
    answers.delete(rater.rater)
    contents = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert rater.rater.encode() not in contents and other.rater.encode() in contents
    assert [found.rater for found in answers.read()] == [other.rater]
    assert len(answers.read()[0].answers) == 3


def test_many_at_once(answers):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        raters = [rater for _, rater in pool.map(lambda _: answers.join(False), range(16))]
        calls = itertools.product(raters, range(3))
        list(pool.map(lambda call: answers.record(call[0].rater, Answer(call[1], "left", 7)), calls))
    assert [len(rater.answers) for rater in answers.read()] == [3] * 16
    assert sorted(rater.slot for rater in answers.read()) == [0] * 8 + [1] * 8


def test_all_or_none_are_added(answers):
    raters = [Rater(f"{number:016x}", 0, False, {0: Answer(0, "left", 1)}) for number in range(3)]

    def broken():
        yield raters[0]
        raise InputError("row 2")

    with pytest.raises(InputError):
        answers.add(broken())
    assert answers.read() == []
    assert answers.add([*raters, raters[0]]) == (3, 1) and answers.add(raters) == (0, 3)
    assert answers.read() == raters


def test_answers_of_another_study_are_refused(tmp_path):
    path = tmp_path / "answers.sqlite"
    Answers(str(path), "abc", LENGTHS)
    Answers(str(path), "abc", LENGTHS)
    with pytest.raises(InputError, match=r"holds the answers of another study \(abc, not xyz\)"):
        Answers(str(path), "xyz", LENGTHS)
    path.write_text("no database, but a text that is longer than the header of a database would be " * 20)
    with pytest.raises(InputError, match="cannot be used for answers"):
        Answers(str(path), "abc", LENGTHS)
    with pytest.raises(InputError, match="cannot be used for answers"):
        Answers(str(tmp_path / "missing" / "answers.sqlite"), "abc", LENGTHS)


def test_a_database_of_something_else_is_refused(tmp_path):
    with sqlite3.connect(tmp_path / "answers.sqlite") as connection:
        connection.execute("CREATE TABLE study (name TEXT)")
    with pytest.raises(InputError, match="cannot be used for answers"):
        Answers(str(tmp_path / "answers.sqlite"), "abc", LENGTHS)


def test_answers_that_must_exist(made):
    study, folder = made()
    with pytest.raises(InputError, match="nobody has answered yet"):
        of_study(str(folder), study, must_exist=True)
    assert of_study(str(folder), study).read() == []


@pytest.mark.parametrize("values, words", [
    ((3, "left", 1), "trial must be a whole number from 0 to 2"), ((-1, "left", 1), "trial"),
    ((1.0, "left", 1), "trial"), ((True, "left", 1), "trial"), ((None, "left", 1), "trial"),
    ((0, "up", 1), "side must be left or right"), ((0, None, 1), "side"), ((0, ["left"], 1), "side"),
    ((0, "left", -1), "milliseconds"), ((0, "left", 10**9), "milliseconds"), ((0, "left", "1"), "milliseconds"),
])  # fmt: skip
def test_answers_from_outside_are_checked(values, words):
    with pytest.raises(InputError, match=words):
        Answer.checked(values, 3)
    assert Answer.checked((0, "right", 10), 3) == Answer(0, "right", 10)
