"""What one may look for in the directory of organisations, and what is said of one."""

from django import forms

from partners.forms.schools import ArrondissementChoiceField
from partners.models import Organisation, OrganisationKind
from referents.models import Arrondissement


class OrganisationSearchForm(forms.Form):
    text = forms.CharField(label="Nom", max_length=100, required=False)
    arrondissement = ArrondissementChoiceField(
        label="Arrondissement", queryset=Arrondissement.objects.all(), required=False, empty_label="Tous"
    )
    kind = forms.ChoiceField(label="Nature", choices=[("", "Toutes"), *OrganisationKind.choices], required=False)


class OrganisationForm(forms.ModelForm):
    arrondissement = ArrondissementChoiceField(
        label="Arrondissement",
        queryset=Arrondissement.objects.all(),
        required=False,
        empty_label="Hors de Paris ou inconnu",
    )

    class Meta:
        model = Organisation
        fields = ["name", "kind", "arrondissement", "in_qpv", "address", "phone"]
