"""Adding a file to a parcours, and taking one away."""

from django import forms
from django.conf import settings

from audit.encryption.files.upload import NO_ROOM_LEFT, TOO_LARGE, SealedUpload
from pre_cases.forms.fields import short_text
from pre_cases.models import DocumentKind
from pre_cases.services.document import ACCEPTED, NO_ROOM

ENDINGS = ".pdf,.jpg,.jpeg,.png,.odt,.docx"
LARGEST = settings.MAX_UPLOAD_BYTES // (1024 * 1024)


class DocumentForm(forms.Form):
    kind = forms.ChoiceField(label="Nature", choices=[("", "À choisir"), *DocumentKind.choices])
    file = forms.FileField(
        label="Fichier",
        help_text=f"{ACCEPTED[0].upper()}{ACCEPTED[1:]}, {LARGEST} Mo au plus. Une photographie est gardée sans dire "
        "où ni quand elle a été prise.",
        widget=forms.FileInput(attrs={"accept": ENDINGS}),
        error_messages={"required": "Choisissez un fichier.", "empty": "Ce fichier est vide."},
    )

    def clean_file(self) -> SealedUpload:
        file: SealedUpload = self.cleaned_data["file"]
        if file.failure == TOO_LARGE:
            raise forms.ValidationError(f"Ce fichier dépasse {LARGEST} Mo : réduisez-le ou envoyez-en une partie.")
        if file.failure == NO_ROOM_LEFT:
            raise forms.ValidationError(NO_ROOM)
        return file


class DocumentRemoveForm(forms.Form):
    reason = short_text("Motif", 300, rows=3, help_text="Par exemple : fichier d’un autre enfant, doublon.")
