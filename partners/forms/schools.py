"""What one may look for among the schools."""

from django import forms

from partners.models.school import Nature, PriorityStatus
from referents.models import Arrondissement


class ArrondissementChoiceField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Arrondissement) -> str:
        return obj.label


class SchoolSearchForm(forms.Form):
    ANY_LABEL, NO_LABEL = "any", "none"

    text = forms.CharField(label="Nom, commune ou numéro UAI", max_length=100, required=False)
    arrondissement = ArrondissementChoiceField(
        label="Arrondissement", queryset=Arrondissement.objects.all(), required=False, empty_label="Tous"
    )
    nature = forms.ChoiceField(label="Nature", choices=[("", "Toutes"), *Nature.choices], required=False)
    priority = forms.ChoiceField(
        label="Éducation prioritaire",
        choices=[
            ("", "Indifférent"),
            (ANY_LABEL, "REP ou REP+"),
            *[(status.value, status.label) for status in (PriorityStatus.REP_PLUS, PriorityStatus.REP)],
            (NO_LABEL, "Hors éducation prioritaire"),
        ],
        required=False,
    )
    perimeter = forms.BooleanField(label="Suivis par une équipe du programme", required=False)
    closed = forms.BooleanField(label="Avec les établissements fermés", required=False)
