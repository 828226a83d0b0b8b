"""The letter of Monday: counts and links, once a week, for those who may still read and who want it."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from audit.history import system_account
from config.celery import app
from pre_cases.models import Digest
from pre_cases.services.digest import choose_digest, monday, readers, send_digest
from pre_cases.tasks import send_digests
from tests.cast import Cast, make_agreement, make_child, make_parcours, make_saisine
from tests.pre_cases.facts import leave, let_charter_expire, suspend

WEEK = timedelta(weeks=1)


@pytest.fixture(autouse=True)
def outbox(cast: Cast) -> None:
    make_parcours(cast.team_a, child=make_child("Zoé"))  # without a référent
    make_agreement(make_saisine(make_child("Lou"), cast.team_a, assignee=cast.benoit))
    mail.outbox.clear()


def letter_to(person) -> str | None:
    return next((message.body for message in mail.outbox if message.to == [person.email]), None)


class TestSendDigests:
    def test_writes_once_a_week_however_often_it_runs(self, cast: Cast) -> None:
        send_digests()
        first = sorted(message.to[0] for message in mail.outbox)
        assert first == sorted([cast.amina.email, cast.benoit.email, cast.chloe.email])
        send_digests()
        assert len(mail.outbox) == len(first)
        with time_machine.travel(timezone.now() + WEEK):
            send_digests()
        assert len(mail.outbox) == 2 * len(first)

    def test_holds_counts_and_links_and_no_name(self, cast: Cast) -> None:
        send_digests()
        letters = "".join(f"{message.subject} {message.body}" for message in mail.outbox)
        for name in ("Inès", "Morel", "Nadia", "Tom", "Diallo", "Zoé", "Lou", "Benoît", "Chloé"):
            assert name not in letters
        assert "Accords de famille attendus : 1\n" in str(letter_to(cast.benoit))
        assert "/saisines/?filtre=agreement_awaited" in str(letter_to(cast.benoit))
        assert "Équipe A" in str(letter_to(cast.amina))
        assert "Sans référent : 1\n" in str(letter_to(cast.amina))
        assert "/equipes/a/parcours/?filtre=sans-referent" in str(letter_to(cast.amina))

    @pytest.mark.parametrize("lose", [leave, suspend, let_charter_expire])
    def test_is_not_for_who_may_no_longer_read(self, cast: Cast, lose) -> None:
        lose(cast.benoit)
        send_digests()
        assert letter_to(cast.benoit) is None
        assert letter_to(cast.amina) is not None

    def test_reads_the_right_again_when_it_leaves(self, cast: Cast) -> None:
        """Queued while the role was held, sent after it ended."""
        assert cast.benoit.pk in readers()
        leave(cast.benoit)
        cast.benoit.__dict__.pop("standing", None)
        assert send_digest(reader=cast.benoit, by=system_account()) is False
        assert mail.outbox == []

    def test_is_not_for_who_does_not_want_it(self, cast: Cast) -> None:
        choose_digest(is_wanted=False, by=cast.benoit)
        send_digests()
        assert letter_to(cast.benoit) is None
        choose_digest(is_wanted=True, by=cast.benoit)
        send_digests()
        assert letter_to(cast.benoit) is not None

    def test_that_a_mail_server_refuses_is_tried_again(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*args, **kwargs):
            raise OSError

        with monkeypatch.context() as patch:
            patch.setattr("pre_cases.services.digest.send_letter", refuse)
            with pytest.raises(OSError):
                send_digest(reader=cast.benoit, by=system_account())
        assert not Digest.objects.filter(sent_for=monday(timezone.localdate())).exists()
        assert send_digest(reader=cast.benoit, by=system_account()) is True

    def test_leaves_on_monday_morning(self) -> None:
        entry = app.conf.beat_schedule["send-digests"]
        assert (entry["task"], entry["schedule"].day_of_week, entry["schedule"].hour) == (
            "pre_cases.send_digests", {1}, {7},
        )  # fmt: skip
