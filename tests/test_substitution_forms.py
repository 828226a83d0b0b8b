"""What forms send, replaced by ids of somebody else: nothing is read, nothing written. See ``test_substitution.py``.

To add…
- a field of a form that a page shows: nothing; a form that no page shows on a first visit: one line in ``SHOWN_BY``;
- a key of ``request.POST`` that no form declares: one line in ``POSTED``, and a test when it names a record.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib.admin.helpers import AdminForm
from django.forms.formsets import BaseFormSet
from django.template.context import BaseContext
from django.urls import reverse
from django.utils import timezone

from pre_cases.models import ChildAdult, HandOver, Saisine
from pre_cases.search.proof import proof_of_search
from referents.forms.accounts import MembershipForm
from referents.models import Role, User
from tests.cast import make_hand_over, make_user
from tests.foreign import AT_LEAST, OUR_APPS, SAMPLE, World, faults, read_from, world
from tests.situations import FAMILY_NAME, FIRST_NAME
from tests.test_access_matrix import MATRIX, OPEN, PEOPLE
from tests.watch import Watch, put_away

__all__ = ["world"]

SENT_OF_A_FIELD = 4  # by the browser; all of them are given to the field itself

# Forms that no page shows on a first visit: who sends what where, for the page to show it again.
SHOWN_BY: list[tuple[str, str, dict[str, str]]] = [
    ("benoit", "pre_cases:saisine_create", {"school_text": "neuve"}),
    ("benoit", "pre_cases:saisine_sibling", {"school_text": "neuve"}),
    ("benoit", "pre_cases:schooling_record", {"school_text": "neuve"}),
]
NOT_SHOWN = {"BulkAssignForm", "HandOverAcceptForm"}  # the boxes of a list: see TestSeveralAtOnce
OF_ONE_S_OWN_FACTOR = "referents.sign_in_forms"  # on django-allauth's pages: a passkey's answer names no record
# Keys that views read themselves: what a button says, and nothing that names a record unless a test says so.
POSTED = {
    "draft",  # « Enregistrer le brouillon »
    "discard",
    "transmit",  # the second button of a saisine
    "confirm",  # the hand-over, once its effects are shown
    "refuse",  # the other button of an answer
    "unsent",  # « Enregistrer sans transmettre »
    "keep",  # the other button of a passage
    "return",  # the other button of an approval
    "annee",  # TestExport
    "hand_over_list",  # TestSeveralAtOnce
    "next",  # one of two pages to come back to
    "agreed",  # the charter
    "attempt",  # the kind of an exchange, said by its button
    "state",  # what became of a meeting, one of three words
    "wanted",  # the letter of Monday, or not
    "login",  # the address typed at the sign-in, for the count of failures
    "referent",  # TestSeveralAtOnce
    "parcours_list",  # TestSeveralAtOnce
    "seen-",  # TestSeveralAtOnce
}
LEFT_TO_THE_SERVICE = {"team"}  # which refuses it, and writes in the journal that it was asked: all are sent
TYPED: dict[type[forms.Field], Any] = {
    forms.DateField: timezone.localdate().isoformat(),
    forms.EmailField: "nouvelle@marelle.example",
    forms.IntegerField: 1,
    forms.BooleanField: "on",
}
VISITORS = ("benoit", "amina", "esther", "gaelle", "hugo")
Shown = tuple[str, str, forms.BaseForm]


def shown_forms(world: World) -> list[Shown]:
    """Every form of every page, once for each visitor: who is shown it, at which address, and the form itself."""
    found: dict[tuple[str, type[forms.BaseForm]], Shown] = {}
    visits = [(person, name, None) for name in MATRIX for person in VISITORS if is_open(name, person)]
    for person, name, data in [*visits, *SHOWN_BY]:
        url, client = world.url(name), world.clients[person]
        response = client.get(url) if data is None else client.post(url, data)
        put_away(response)
        for form in forms_in(response):
            found[person, type(form)] = (person, url, form)
    return list(found.values())


def forms_in(response: Any) -> Iterator[forms.BaseForm]:
    for context in response.context or []:
        for value in (context.flatten() if isinstance(context, BaseContext) else context).values():
            form = value.form if isinstance(value, AdminForm) else value
            if isinstance(form, forms.BaseForm):
                yield form


def is_open(name: str, person: str) -> bool:
    return MATRIX[name][PEOPLE.index(person)] == OPEN


def offered(field_: forms.ChoiceField) -> list[str]:
    """What the list on the page holds, by groups or not."""
    values: list[str] = []
    for value, label in field_.widget.choices:
        values += [str(value)] if not isinstance(label, list | tuple) else [str(one) for one, _ in label]
    return [value for value in values if value]


def foreign_values(world: World, field_: forms.ModelChoiceField) -> list[Any]:
    """All that the page does not offer, ids of the right model first."""
    same = field_.queryset.model._base_manager.values_list(field_.to_field_name or "pk", flat=True)[:100]
    shown = set(offered(field_))
    return [value for value in [*same, *world.others] if str(value) not in shown]


def subclasses(base: type) -> set[type]:
    return {base} | {deeper for one in base.__subclasses__() for deeper in subclasses(one)}


def declared(base: type) -> set[type]:
    return {one for one in subclasses(base) if one.__module__.partition(".")[0] in OUR_APPS}


class TestForms:
    def test_refuse_what_their_page_does_not_offer(self, world: World) -> None:
        """Every form that holds an id is met; one that no page shows on a first visit has its line in ``SHOWN_BY``.

        Each field is given every foreign id, and takes none. Then forms are sent, whole and plausible but for one
        field: the page comes back with an error beside it, nothing is read, nothing written.
        """
        shown, taken, count = shown_forms(world), [], 0
        met = {base for _, _, form in shown for base in type(form).__mro__}
        for form in (form for form in declared(forms.BaseForm) if form.__module__ != OF_ONE_S_OWN_FACTOR):
            fields = getattr(form, "base_fields", {}).values()
            names_a_record = any(isinstance(f, forms.ModelChoiceField) or f.widget.is_hidden for f in fields)
            assert not names_a_record or form in met or form.__name__ in NOT_SHOWN, form
        for name, field_, value in fields_replaced(world, shown):
            count += 1
            several = isinstance(field_, forms.ModelMultipleChoiceField)
            try:
                field_.clean([str(value)] if several else str(value))
                taken.append(f"{name} takes {value}")
            except forms.ValidationError:
                continue
        assert taken == []
        assert count >= AT_LEAST["fields"]
        last_of_each = {type(form): (person, url, form) for person, url, form in shown}
        sent = [(person, url, *one) for person, url, form in last_of_each.values() for one in sendings(world, form)]
        told: list[str] = []
        with Watch() as watch:
            for person, url, field_, data in sent[::SAMPLE]:
                watch.forget()
                what, client = f"{person} {url} {field_}: {data}", world.clients[person]
                response = client.post(url, data)
                told += faults(world, watch, what, response, (405, 422, *re_shown(url)))
                if not is_said_beside(response, field_):  # a search, whose form stands in the address
                    response = client.get(url, data)
                    told += faults(world, watch, what, response, (200, 422))
                if not is_said_beside(response, field_):
                    told.append(f"{what}: no error beside {field_}")
        assert told == []
        assert len(sent) >= AT_LEAST["sent"]

    def test_have_no_formset(self) -> None:
        """The day one is written, its rows are named by hidden ids and want their own test here."""
        assert declared(BaseFormSet) == set()

    def test_leave_no_other_key_to_the_views(self) -> None:
        assert read_from("POST") <= POSTED


def fields_replaced(world: World, shown: list[Shown]) -> Iterator[tuple[str, forms.ModelChoiceField, Any]]:
    """Each field that names a record, as each visitor is shown it, with each foreign id."""
    for person, _, form in shown:
        for name, field_ in form.fields.items():
            if isinstance(field_, forms.ModelChoiceField) and not is_left_to_the_service(form, name):
                for value in foreign_values(world, field_):
                    yield f"{person}, {type(form).__name__}.{name}", field_, value


def re_shown(url: str) -> tuple[int, ...]:
    """Django's administration shows a form again with 200."""
    return (200,) if url.startswith(reverse("reference:index")) else ()


def is_said_beside(response: Any, name: str) -> bool:
    return any(name in form.errors for form in forms_in(response))


def is_left_to_the_service(form: forms.BaseForm, name: str) -> bool:
    return isinstance(form, MembershipForm) and name in LEFT_TO_THE_SERVICE


def sendings(world: World, form: forms.BaseForm) -> Iterator[tuple[str, dict[str, Any]]]:
    """The form as its page shows it and somebody fills it in, one field replaced, for each that names a record."""
    typed = {form.add_prefix(name): plausible(form, name) for name in form.fields}
    for name, field_ in form.fields.items():
        if isinstance(field_, forms.ModelChoiceField):
            most = None if is_left_to_the_service(form, name) else SENT_OF_A_FIELD
            for value in foreign_values(world, field_)[:most]:
                yield name, typed | {form.add_prefix(name): str(value), "confirm": "1"}


def plausible(form: forms.BaseForm, name: str) -> Any:
    """What the page shows in a field, or what somebody may type where something is asked for."""
    field_, shown = form.fields[name], form[name].value()
    if shown not in (None, "", []) or not field_.required:
        return "" if shown is None else shown
    if isinstance(field_, forms.ChoiceField):
        first = offered(field_)[:1]
        return first if isinstance(field_, forms.ModelMultipleChoiceField) else "".join(first)
    for kind, typed in TYPED.items():
        if isinstance(field_, kind):
            return typed
    return "Texte"


class TestHiddenFields:
    def test_seen_is_the_referent_of_this_parcours(self, world: World) -> None:
        """The référent whom the page showed: another one means that the page is out of date, and nothing is done."""
        url = world.url("pre_cases:parcours_assign")
        today = timezone.localdate().isoformat()
        told: list[str] = []
        people = [person.pk for person in User.objects.exclude(pk=world.cast.benoit.pk)]
        with Watch() as watch:
            for seen in [*people, *(other for other in world.others if str(other).isdecimal())]:
                watch.forget()
                data = {"referent": world.cast.benoit.pk, "on": today, "seen": str(seen)}
                told += faults(world, watch, f"seen={seen}", world.clients["amina"].post(url, data), (422,))
        assert told == []

    def test_searched_is_the_proof_of_this_person_and_these_names(self, world: World) -> None:
        """Another's proof is none: the search is done again before anything is recorded."""
        child, team = world.foreign.ines, world.cast.team_a
        names = {"first_name": FIRST_NAME, "family_name": FAMILY_NAME, "birth_date": child.birth_date, "team": team}
        proofs = [proof_of_search(person, names) for person in (world.cast.chloe, world.foreign.benoit)]
        proofs.append(proof_of_search(world.cast.benoit, names | {"first_name": "Inès"}))
        data = names | {
            "birth_date": child.birth_date.isoformat(),
            "team": team.pk,
            "received_on": timezone.localdate().isoformat(),
            "source": "source:ecole-elementaire",
        }
        saisines = Saisine.objects.count()
        for proof in [*proofs, *(str(other) for other in world.others[::6])]:
            response = world.clients["benoit"].post(world.url("pre_cases:saisine_create"), data | {"searched": proof})
            assert response.status_code == 422
            assert str(child.pk) not in response.content.decode()
        assert Saisine.objects.count() == saisines


class TestFieldsNamedByAnAdult:
    def test_sign_takes_the_answers_of_this_child_s_adults(self, world: World) -> None:
        """``answer_<adult>``: an answer under another adult's id is no answer."""
        url, foreign = world.url("pre_cases:agreement_sign"), world.ids["pre_cases.Adult"].hex
        today = timezone.localdate().isoformat()
        with Watch() as watch:
            response = world.clients["benoit"].post(url, {f"answer_{foreign}": "signed", f"on_{foreign}": today})
            assert faults(world, watch, url, response, (422,)) == []

    def test_sibling_takes_the_adults_of_this_family(self, world: World) -> None:
        """``known_<adult>``: ticking another family's adult ties nobody to the new child."""
        foreign = world.ids["pre_cases.Adult"]
        data = {
            "first_name": "Oriane",
            "family_name": "Morel",
            "team": world.cast.team_a.pk,
            "received_on": timezone.localdate().isoformat(),
            "source": "source:ecole-elementaire",
            "level": "level:cp",
            f"known_{foreign.hex}": "on",
            f"known_{foreign.hex}_relation": "mother",
        }
        url = world.url("pre_cases:saisine_sibling")
        links = ChildAdult.objects.filter(adult=foreign).count()
        assert world.clients["benoit"].post(url, data).status_code == 302
        assert ChildAdult.objects.filter(adult=foreign).count() == links


class TestSeveralAtOnce:
    def test_leaves_foreign_parcours_where_they_are(self, world: World) -> None:
        """Boxes ticked under other ids: the whole is refused, those of the team included."""
        url = world.url("pre_cases:team_parcours")
        own = world.cast.ines_parcours.pk
        told: list[str] = []
        with Watch() as watch:
            people = {str(user.pk) for user in User.objects.holding(Role.REFERENT, world.cast.team_a.pk)}
            for other in (other for other in world.others[::3] if str(other) not in people):
                for ticked, who in (([own, other], world.cast.benoit.pk), ([own], other)):
                    watch.forget()
                    data = {"parcours_list": ticked, "referent": who, f"seen-{other}": world.foreign.benoit.pk}
                    told += faults(world, watch, str(data), world.clients["amina"].post(url, data), (422,))
        assert told == []

    def test_is_refused_when_the_list_showed_somebody_else(self, world: World) -> None:
        """``seen-<parcours>`` of another référent: the row is out of date and stays as it is."""
        url = world.url("pre_cases:team_parcours")
        own = world.cast.ines_parcours.pk
        with Watch() as watch:
            data = {"parcours_list": [own], "referent": world.cast.benoit.pk, f"seen-{own}": world.foreign.benoit.pk}
            assert faults(world, watch, str(data), world.clients["amina"].post(url, data), (302,)) == []

    def test_passes_no_foreign_parcours_on(self, world: World) -> None:
        """Among the person's own caseload: the whole is refused, and nothing is proposed."""
        url, own = world.url("pre_cases:caseload_hand_over"), world.cast.ines_parcours.pk
        receiver = make_user("Malik", Role.REFERENT, world.cast.team_a).pk
        told: list[str] = []
        with Watch() as watch:
            for other in world.others[::2]:
                for confirm in ({}, {"confirm": "1"}):
                    watch.forget()
                    data = {"parcours_list": [own, other], "to_referent": receiver, **confirm}
                    told += faults(world, watch, str(data), world.clients["benoit"].post(url, data), (422,))
        assert told == []

    def test_takes_no_foreign_parcours_on(self, world: World) -> None:
        """What was proposed to somebody else stays proposed, even ticked with one's own; what one proposed, too."""
        own = make_hand_over(world.cast.ines_parcours, world.cast.benoit, world.foreign.benoit)
        asked = [*HandOver.objects.values_list("pk", flat=True), *world.others]
        told: list[str] = []
        with Watch() as watch:
            for person in ("benoit", "amina", "chloe", "hugo"):
                for other in asked:
                    watch.forget()
                    data = {"hand_over_list": [str(other), str(own.pk)]}
                    response = world.clients[person].post(reverse("pre_cases:hand_over_accept"), data)
                    told += faults(world, watch, f"{person} {data}", response, (302,))
        assert told == []
        assert not HandOver.objects.exclude(outcome="").exists()
