"""``rotate_index``: a new yearly key, everything written under it, and where it is told."""

from contextvars import Context
from io import StringIO

import pytest
from django.core.management import call_command

from audit.history import system_account
from audit.journal.models import Event
from config.celery import app
from pre_cases import tasks
from pre_cases.management.commands.rotate_index import Command
from pre_cases.models import ChildTag
from pre_cases.search.index import current_index_key, index_keys
from pre_cases.services import search_index
from tests.cast import Cast


class Killed(BaseException):
    """The process is killed there."""


def run() -> str:
    """As a process of its own does: no key is loaded before."""
    said = StringIO()
    Context().run(call_command, "rotate_index", stdout=said)
    return said.getvalue()


class TestRotateIndex:
    def test_changes_the_key_and_says_how_many_children(self, cast: Cast) -> None:
        former = current_index_key()
        assert run() == "2 enfants dans la recherche de doublons, sous une nouvelle clé.\n"
        assert index_keys() != [former]
        assert set(ChildTag.objects.values_list("index_key_id", flat=True)) == set(index_keys())

    def test_is_signed_by_the_system(self, cast: Cast) -> None:
        run()
        assert Event.objects.filter(kind="pre_cases.childtag").get().actor_id == system_account().pk

    def test_names_nobody(self, cast: Cast) -> None:
        said = run()
        assert not [name for name in ("Inès", "Morel", "Tom", "Diallo") if name in said]

    def test_goes_on_after_a_kill(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        def killed(self: Command, done: int) -> None:
            raise Killed

        monkeypatch.setattr(search_index, "BATCH", 1)
        with monkeypatch.context() as patch:
            patch.setattr(Command, "progress", killed)
            with pytest.raises(Killed):
                run()
        newest, _ = index_keys()
        run()
        assert index_keys() == [newest]
        assert ChildTag.objects.count() == 2

    def test_tells_its_progress_now_and_then(self) -> None:
        said = StringIO()
        command = Command(stdout=said)
        for done in (200, 1_000, 1_200, 2_000):
            command.progress(done)
        assert said.getvalue().split() == ["1000", "2000"]


class TestTheTimetable:
    def test_rotates_every_year_and_completes_every_night(self, cast: Cast) -> None:
        timetable = {entry["task"]: entry["schedule"] for entry in app.conf.beat_schedule.values()}
        rotation = timetable[tasks.rotate_index.name]
        assert (rotation.month_of_year, rotation.day_of_month) == ({8}, {1})
        assert len(timetable[tasks.complete_search_index.name].day_of_month) == 31

    def test_does_what_the_command_does(self, cast: Cast) -> None:
        former = current_index_key()
        Context().run(tasks.rotate_index)
        assert index_keys() != [former]
        ChildTag.objects.filter(child=cast.tom).delete()
        Context().run(tasks.complete_search_index)
        assert ChildTag.objects.count() == 2
