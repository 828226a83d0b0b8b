"""What the gallery of components shows: invented content, and one form with every kind of field."""

from datetime import date, timedelta
from typing import Any

from django import forms

from partners.models import TimeSlot
from pre_cases.models import EntryKind
from pre_cases.stages import ParcoursStage, SaisineStage

TODAY = date(2026, 3, 12)
KINDS = [
    "comment",
    "review",
    "bilan",
    "assignment",
    "share",
    "document",
    "objective",
    "action",
    "enrolment",
    "milestone",
]


class GalleryForm(forms.Form):
    title = forms.CharField(label="Intitulé", max_length=80)
    day = forms.DateField(label="Le", initial=TODAY, help_text="Ce jour est compris.")
    places = forms.IntegerField(label="Places", min_value=1)
    email = forms.EmailField(label="Adresse électronique", required=False)
    slot = forms.ChoiceField(label="Créneau", choices=TimeSlot.choices)
    text = forms.CharField(label="Ce qui a changé", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))
    present = forms.BooleanField(label="La famille était présente", required=False)
    kind = forms.ChoiceField(label="Nature", choices=EntryKind.choices, widget=forms.RadioSelect)
    signs = forms.MultipleChoiceField(
        label="Signes de fragilité",
        choices=[("absences", "absences"), ("sleep", "sommeil"), ("language", "langage"), ("alone", "isolement")],
        widget=forms.CheckboxSelectMultiple,
        help_text="Autant que nécessaire.",
    )


def gallery_context() -> dict[str, Any]:
    """Context of ``components/gallery.html``; the second form is one that was refused."""
    return {
        "stages": [*ParcoursStage, *SaisineStage],
        "banners": [
            {
                "first_name": "Élise",
                "stage": ParcoursStage.DIAGNOSIS,
                "due": date(9999, 12, 31),
                "late": 0,
                "closed": None,
            },
            {
                "first_name": "Inès",
                "stage": ParcoursStage.RUNNING,
                "due": TODAY + timedelta(20),
                "late": 0,
                "closed": None,
            },
            {
                "first_name": "Malo",
                "stage": ParcoursStage.REVIEW_DUE,
                "due": TODAY - timedelta(3),
                "late": 3,
                "closed": None,
            },
            {
                "first_name": "Sacha",
                "stage": ParcoursStage.CLOSED,
                "due": date(9999, 12, 31),
                "late": 0,
                "closed": TODAY,
            },
        ],
        "tiles": [
            {"label": "Sans référent", "count": 3, "url": "#tiles"},
            {"label": "Entrée à décider", "count": 12, "url": "#tiles", "active": True},
            {"label": "À clore", "count": 0, "url": "#tiles"},
            {"label": "Parcours ouverts", "count": 1001, "url": "#tiles"},
        ],
        "filters": [
            {"label": "Tous", "count": 1001, "url": "#filters", "active": True},
            {"label": "En retard", "count": 4, "url": "#filters"},
            {"label": "Cette semaine", "count": 7, "url": "#filters"},
            {"label": "Sans contact depuis 30 jours", "count": 0, "url": "#filters"},
        ],
        "missing": [
            {"label": "Classe présumée, à confirmer.", "url": "#missing"},
            {"label": "Aucun référent : la coordination est responsable du parcours.", "url": ""},
        ],
        "moments": [*(f"entry-{kind.value}" for kind in EntryKind), *KINDS],
        "today": TODAY,
        "late_day": TODAY - timedelta(3),
        "never": date(9999, 12, 31),
        "form": GalleryForm(),
        "refused": GalleryForm(
            {"title": "Atelier", "places": "0", "day": "hier", "text": "Trois mots."}, auto_id="refused_%s"
        ),
    }
