"""A handful of situations told through the services, as people would have: those the visitor meets first."""

from __future__ import annotations

import io
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta
from django.utils import timezone

from partners.models import School, Term
from partners.models.project import school_year_of
from pre_cases.demo import accounts
from pre_cases.demo.ages import AGE_OF_FIRST_LEVEL, LEVELS, nature_of
from pre_cases.demo.associations import Associations
from pre_cases.demo.children import qpv_code
from pre_cases.demo.files import FORM_VERSION, SCHOOL_SOURCES
from pre_cases.demo.papers import agreement_pdf
from pre_cases.demo.plots import INES, LINA, NOE, SAMI, URGENT, Plot
from pre_cases.demo.staff import Staff
from pre_cases.demo.territory import Territory
from pre_cases.models import (
    ActionMode,
    ActionNature,
    Agreement,
    DocumentKind,
    EntryKind,
    EntryWith,
    Family,
    LivesWith,
    ObjectiveResult,
    Parcours,
    Relation,
    Saisine,
)
from pre_cases.services.access import share_parcours
from pre_cases.services.agreement import (
    HolderAnswer,
    holders_of,
    present_agreement,
    record_oral_agreement,
    sign_agreement,
)
from pre_cases.services.document import add_document
from pre_cases.services.family import KnownAdult, record_residence, record_schooling
from pre_cases.services.parcours import decide_entry, open_parcours
from pre_cases.services.partnership import enrol_child
from pre_cases.services.review import record_review, write_bilan
from pre_cases.services.saisine import NewChild, assign_saisine, receive_saisine
from pre_cases.services.support import add_action, add_objective
from pre_cases.services.timeline import add_comment, add_entry, add_task


class Stories:
    """Told today: the services accept no date in the future, and no task in the past."""

    def __init__(self, territory: Territory, staff: Staff, associations: Associations) -> None:
        self.today = timezone.localdate()
        self.team = staff.home
        self.associations = associations
        self.territory = territory
        self.terms = {term.id: term for term in Term.objects.all()}
        self.amina, self.benoit = staff.of(accounts.AMINA), staff.of(accounts.BENOIT)
        self.david = staff.of(accounts.DAVID)

    def tell(self) -> Parcours:
        """Tell them all; gives Inès's parcours, about which more is told once the volume is there."""
        ines = self.ines()
        self.sami(ines)
        self.noe()
        self.lina()
        self.receive(URGENT, 1)
        return ines

    def ago(self, days: int) -> date:
        return self.today - timedelta(days=days)

    # -- the stories --------------------------------------------------------------------------------------------------

    def ines(self) -> Parcours:
        """A parcours in full swing: separated parents, two objectives, a project, a share, something due today."""
        parcours = self.enter(INES, received=150)
        objective = add_objective(
            parcours=parcours,
            text="Faire les devoirs dans le calme, chez l’un et chez l’autre parent",
            domain=self.terms["domain:educatif"],
            priority=self.terms["priority:decrochage"],
            set_on=self.ago(105),
            by=self.benoit,
        )
        add_action(
            objective=objective,
            label="Aide aux devoirs deux soirs par semaine",
            domain=self.terms["domain:educatif"],
            mode=ActionMode.COLLECTIVE,
            nature=ActionNature.PRE,
            partner=self.associations.partners[0],
            time_slot="after_school",
            starts_on=self.ago(90),
            by=self.benoit,
        )
        add_objective(
            parcours=parcours,
            text="Se faire des camarades hors de l’école",
            domain=self.terms["domain:periscolaire"],
            priority=self.terms["priority:sante"],
            set_on=self.ago(105),
            by=self.benoit,
        )
        self.exchange(
            parcours, 80, EntryKind.SCHOOL, EntryWith.SCHOOL, "L’enseignante note des devoirs plus réguliers."
        )
        self.exchange(parcours, 41, EntryKind.HOME_VISIT, EntryWith.FAMILY_AND_CHILD, "Un coin devoirs chez le père.")
        self.exchange(parcours, 9, EntryKind.PHONE, EntryWith.FAMILY, "La mère demande un point avec l’école.")
        record_review(
            parcours=parcours,
            on=self.ago(30),
            family_present=True,
            child_present=True,
            text="Inès lit de nouveau à voix haute. Les devoirs du lundi restent difficiles.",
            next_steps="Rencontrer l’école avec les deux parents.",
            by=self.benoit,
        )
        add_task(
            parcours=parcours,
            assignee=self.benoit,
            label="Prendre rendez-vous avec l’école, les deux parents présents",
            due_on=self.today,
            by=self.benoit,
        )
        add_comment(
            parcours=parcours, text="À présenter à la prochaine EPRE, avec l’accord des parents.", by=self.amina
        )
        led = self.associations.led[0]
        enrol_child(parcours=parcours, project=led, on=max(led.starts_on, self.ago(20)), by=self.benoit)
        self.associations.places[led.pk] -= 1
        add_document(
            parcours=parcours,
            kind=DocumentKind.AGREEMENT,
            file=io.BytesIO(agreement_pdf()),
            name="Accord signé.pdf",
            by=self.benoit,
        )
        share_parcours(
            parcours=parcours,
            user=self.david,
            reason="Préparer ensemble l’examen de la situation par l’EPRE.",
            ends_on=self.today + timedelta(days=45),
            by=self.benoit,
        )
        return parcours

    def sami(self, ines: Parcours) -> None:
        """The little brother: presented to the family, agreed aloud, not signed yet."""
        links = list(ines.child.adult_links.select_related("adult").order_by("relation"))
        known = [KnownAdult(link.adult, Relation(link.relation), True, LivesWith(link.lives_with)) for link in links]
        saisine = self.receive(SAMI, 12, family=ines.child.family, known_adults=known)
        agreement = self.present(saisine, 8)
        record_oral_agreement(agreement=agreement, on=self.ago(6), given_by=links[0].adult, by=self.benoit)
        add_task(
            saisine=saisine,
            assignee=self.benoit,
            label="Faire signer l’accord aux deux parents",
            due_on=self.today + timedelta(days=2),
            by=self.benoit,
        )

    def noe(self) -> None:
        """The agreement is signed: the coordination can open the parcours."""
        saisine = self.receive(NOE, 20)
        self.sign(self.present(saisine, 12), 7)

    def lina(self) -> None:
        """The bilan is written: the coordination can close."""
        parcours = self.enter(LINA, received=340)
        objective = add_objective(
            parcours=parcours,
            text="Trouver une activité régulière le mercredi",
            domain=self.terms["domain:periscolaire"],
            priority=self.terms["priority:sante"],
            set_on=self.ago(290),
            by=self.benoit,
        )
        self.exchange(
            parcours, 200, EntryKind.PARTNER, EntryWith.PARTNER, "Une place à l’atelier théâtre dès mercredi."
        )
        self.exchange(
            parcours, 14, EntryKind.MEETING, EntryWith.FAMILY_AND_CHILD, "Lina veut continuer le théâtre seule."
        )
        write_bilan(
            parcours=parcours,
            on=self.ago(3),
            text="L’activité du mercredi continue sans le programme, la famille connaît le centre social.",
            family_word="« Elle a trouvé des amies à l’atelier. »",
            relay="Centre social du quartier",
            exit_reason=self.terms["exit_reason:objectifs-atteints"],
            results={objective.pk: ObjectiveResult.REACHED},
            by=self.benoit,
        )

    # -- their steps --------------------------------------------------------------------------------------------------

    def receive(
        self, plot: Plot, days: int, *, family: Family | None = None, known_adults: list[KnownAdult] | None = None
    ) -> Saisine:
        """A saisine received so many days ago, which Benoît follows; an urgent one waits for somebody."""
        received_on = self.ago(days)
        born_on = self.today - relativedelta(years=plot.age, days=100)
        level = self.level(born_on, received_on)
        signs = [self.terms[f"sign:{sign}"] for sign in plot.signs]
        saisine = receive_saisine(
            team=self.team,
            received_on=received_on,
            source=self.terms[f"source:{SCHOOL_SOURCES[nature_of(level.code)]}"],
            signs=signs,
            main_sign=signs[0],
            situation=plot.situation,
            strengths=plot.strengths,
            child_words=plot.child_words,
            parents_words=plot.parents_words,
            is_urgent=plot.is_urgent,
            new_child=NewChild(
                first_name=plot.first_name,
                family_name=plot.family_name,
                birth_date=born_on,
                sex=plot.sex,
                family=family,
                adults=[] if family else list(plot.adults),
                known_adults=known_adults or [],
                school=self.school(level),
                level=level,
                address=f"14 rue de la Passerelle, 750{self.team.arrondissement_id:02d} Paris",
            ),
            by=self.amina,
        )
        if not plot.is_urgent:
            assign_saisine(saisine=saisine, assignee=self.benoit, by=self.amina)
        return saisine

    def level(self, born_on: date, on: date) -> Term:
        return self.terms[f"level:{LEVELS[school_year_of(on) - born_on.year - AGE_OF_FIRST_LEVEL]}"]

    def school(self, level: Term) -> School:
        return self.territory.schools[self.team.pk, nature_of(level.code)][0]

    def present(self, saisine: Saisine, days: int) -> Agreement:
        agreement = present_agreement(
            saisine=saisine,
            on=self.ago(days),
            form_version=FORM_VERSION,
            covers_school=True,
            covers_partners=True,
            by=self.benoit,
        )
        add_entry(
            saisine=saisine,
            kind=EntryKind.MEETING,
            on=self.ago(days),
            with_whom=EntryWith.FAMILY,
            text="Première rencontre : le formulaire d’accord est expliqué et laissé à la famille.",
            by=self.benoit,
        )
        return agreement

    def sign(self, agreement: Agreement, days: int) -> None:
        """Every holder signs on the same day."""
        answers = [HolderAnswer(link.adult, signed_on=self.ago(days)) for link in holders_of(agreement)]
        sign_agreement(agreement=agreement, on=self.ago(days), holders=answers, by=self.benoit)

    def enter(self, plot: Plot, *, received: int) -> Parcours:
        """From the saisine to the entry in a little more than a month, each class and the neighbourhood recorded."""
        saisine = self.receive(plot, received)
        self.sign(self.present(saisine, received - 8), received - 12)
        self.look_up_home(saisine)
        for year in range(school_year_of(saisine.received_on) + 1, school_year_of(self.today) + 1):
            began_on = date(year, 9, 1)
            born_on = self.today - relativedelta(years=plot.age, days=100)
            level = self.level(born_on, began_on)
            record_schooling(
                child=saisine.child, level=level, school=self.school(level), starts_on=began_on, by=self.benoit
            )
        parcours = open_parcours(saisine=saisine, on=self.ago(received - 14), referent=self.benoit, by=self.amina)
        return decide_entry(parcours=parcours, on=self.ago(received - 40), by=self.amina)

    def look_up_home(self, saisine: Saisine) -> None:
        record_residence(
            child=saisine.child,
            address=f"14 rue de la Passerelle, 750{self.team.arrondissement_id:02d} Paris",
            starts_on=saisine.received_on,
            determined_on=saisine.received_on,
            qpv_code=qpv_code(self.territory.neighbourhoods[self.team.pk][0], saisine.received_on),
            by=self.benoit,
        )

    def exchange(self, parcours: Parcours, days: int, kind: EntryKind, with_whom: EntryWith, text: str) -> None:
        add_entry(parcours=parcours, kind=kind, on=self.ago(days), with_whom=with_whom, text=text, by=self.benoit)
