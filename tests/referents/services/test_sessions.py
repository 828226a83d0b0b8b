from audit.journal.models import Event
from referents.services.sessions import sign_out_everywhere
from tests.cast import Cast


class TestSignOutEverywhere:
    def test_ends_every_session_at_its_next_request(self, cast: Cast, signed_in) -> None:
        clients = [signed_in(cast.benoit) for _ in range(3)]
        sign_out_everywhere(user=cast.benoit, by=cast.hugo)
        for client in clients:
            assert client.get("/parcours/")["Location"] == "/connexion/?next=/parcours/"
        ended = Event.objects.filter(action="sign_out", actor_id=cast.benoit.pk)
        assert [event.detail for event in ended] == [{"end": "everywhere"}] * 3

    def test_leaves_the_sessions_of_others_and_those_to_come(self, cast: Cast, signed_in) -> None:
        amina = signed_in(cast.amina)
        sign_out_everywhere(user=cast.benoit, by=cast.benoit)
        assert amina.get("/equipes/a/").status_code == 200
        assert signed_in(cast.benoit).get("/parcours/").status_code == 200

    def test_leaves_no_history_of_the_account_but_an_event(self, cast: Cast) -> None:
        rows = cast.benoit.history.count()
        sign_out_everywhere(user=cast.benoit, by=cast.hugo)
        assert cast.benoit.history.count() == rows
        event = Event.objects.get(action="sign_out")
        assert (event.actor_id, event.record_ids) == (cast.hugo.pk, [str(cast.benoit.pk)])
