"""The charter: signed for a year in the version in force, recalled once a month before it ends."""

import smtplib
from datetime import timedelta

import pytest
import time_machine
from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Event
from config.celery import app
from referents import tasks
from referents.letters import EmailMessage
from referents.models import CharterSignature, User
from referents.services.charters import CharterAlreadySigned, charters_to_recall, recall_charter, sign_charter
from referents.standing import standing_of
from tests.cast import Cast, make_user

DAY = timedelta(days=1)


def end_in(user: User, days: int) -> CharterSignature:
    """The only charter of the person ends in so many days."""
    charter = user.charters.get()
    with acting_as(system_account()):
        charter.signed_on = timezone.localdate() - 365 * DAY
        charter.expires_on = timezone.localdate() + days * DAY
        charter.save()
    return charter


@pytest.fixture
def nora(cast: Cast) -> User:
    """Somebody who has signed nothing yet."""
    nora = make_user("Nora")
    with acting_as(system_account()):
        nora.charters.all().delete()
    return nora


class TestSignCharter:
    def test_lasts_a_year_in_the_version_in_force(self, nora: User) -> None:
        today = timezone.localdate()
        signature = sign_charter(user=nora, by=nora)
        assert (signature.version, signature.signed_on) == (settings.CHARTER_VERSION, today)
        assert signature.expires_on == today + relativedelta(months=settings.CHARTER_MONTHS)

    def test_happens_once_while_it_is_valid(self, nora: User) -> None:
        sign_charter(user=nora, by=nora)
        with pytest.raises(CharterAlreadySigned, match="déjà signé"):
            sign_charter(user=nora, by=nora)

    def test_is_each_person_s_own(self, cast: Cast, nora: User) -> None:
        assert sign_charter(user=nora, by=nora).user == nora
        assert cast.benoit.charters.count() == 1

    def test_keeps_the_former_signatures(self, cast: Cast) -> None:
        former = end_in(cast.benoit, 0)
        sign_charter(user=cast.benoit, by=cast.benoit)
        assert cast.benoit.charters.order_by("pk").first() == former
        assert former.history.count() == 2


class TestNewVersion:
    def test_asks_everybody_for_a_new_signature(self, cast: Cast, signed_in, settings) -> None:
        client = signed_in(cast.benoit)
        assert client.get(reverse("pre_cases:my_parcours")).status_code == 200
        settings.CHARTER_VERSION = "2099-1"
        assert client.get(reverse("pre_cases:my_parcours"))["Location"] == reverse("charter_sign")
        assert client.post(reverse("charter_sign"), {"agreed": "yes"}).status_code == 302
        assert client.get(reverse("pre_cases:my_parcours")).status_code == 200
        assert set(cast.benoit.charters.values_list("version", flat=True)) == {"test", "2099-1"}

    def test_is_not_covered_by_an_older_one_that_lasts_longer(self, cast: Cast, settings) -> None:
        settings.CHARTER_VERSION = "2099-1"
        assert standing_of(cast.benoit).charter_until is None
        assert not cast.benoit.has_perm("pre_cases.view_parcours", cast.ines_parcours)


class TestExpiry:
    def test_takes_effect_the_same_day(self, cast: Cast, signed_in) -> None:
        end_in(cast.benoit, 5)
        last_day = timezone.localdate() + 4 * DAY
        for day, status in ((last_day, 200), (last_day + DAY, 302)):
            with time_machine.travel(f"{day}T10:00:00+01:00", tick=False):
                client = signed_in(User.objects.get(pk=cast.benoit.pk))
                assert client.get(reverse("pre_cases:my_parcours")).status_code == status, day


class TestRecallCharters:
    def test_writes_once_to_whose_charter_ends_within_thirty_days(self, cast: Cast) -> None:
        end_in(cast.benoit, 30)
        end_in(cast.chloe, 31)
        tasks.recall_charters()
        tasks.recall_charters()
        assert [letter.to for letter in mail.outbox] == [[cast.benoit.email]]
        assert Event.objects.get(action="remind").record_ids == [str(cast.benoit.charters.get().pk)]

    def test_names_nobody(self, cast: Cast) -> None:
        end_in(cast.benoit, 10)
        tasks.recall_charters()
        letter = mail.outbox[0]
        assert "à signer de nouveau" in letter.subject
        assert not {"Benoît", "Inès", "Morel"} & set(f"{letter.subject} {letter.body}".split())

    def test_leaves_in_peace_who_has_left_or_signed_again(self, cast: Cast) -> None:
        for person in (cast.yann, cast.esther, cast.amina, cast.chloe):
            end_in(person, 10)
        with acting_as(system_account()):
            cast.amina.is_active = False
            cast.amina.save()
            today = timezone.localdate()
            CharterSignature.objects.create(
                user=cast.chloe, version="test", signed_on=today, expires_on=today + 365 * DAY
            )
        assert charters_to_recall() == []  # Yann has left, Esther opens nothing nominative

    def test_leaves_no_trace_of_a_letter_that_could_not_be_sent(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(self: EmailMessage, **options: object) -> int:
            raise smtplib.SMTPServerDisconnected

        charter = end_in(cast.benoit, 10)
        with monkeypatch.context() as patch:
            patch.setattr(EmailMessage, "send", refuse)
            tasks.recall_charters()
        assert charters_to_recall() == [charter.pk]
        assert not Event.objects.filter(action="remind").exists()
        assert recall_charter(signature_id=charter.pk, by=system_account())
        assert not recall_charter(signature_id=charter.pk, by=system_account())

    def test_stands_in_the_timetable(self) -> None:
        assert "referents.recall_charters" in {entry["task"] for entry in app.conf.beat_schedule.values()}
