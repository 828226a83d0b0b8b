"""What is said of an account: who the person is, a role and its days, a reason, a first password."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils import timezone

from referents.models import Role, Team, User
from referents.models.user import TEAM_ROLES
from referents.services.accounts import ReactivationReason, SuspensionReason

LAST_DAY = date(2100, 1, 1)  # beyond: a slip of the keyboard


class DayField(forms.DateField):
    def validate(self, value: date | None) -> None:
        super().validate(value)
        if value is not None and value > LAST_DAY:
            raise forms.ValidationError("Cette date est trop lointaine.")


class TeamChoiceField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Team) -> str:
        return f"{obj.name} ({obj.arrondissement.label})"


class AccountSearchForm(forms.Form):
    name = forms.CharField(label="Nom ou prénom", max_length=100)


class IdentityForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["first_name", "last_name", "email", "employer"]

    def validate_unique(self) -> None:
        """An address already taken is said by the service, under its lock."""


class MembershipForm(forms.Form):
    """``roles`` and ``teams`` are what the page offers; the service refuses another, and the journal keeps it."""

    role = forms.ChoiceField(label="Rôle", choices=Role.choices)
    team = TeamChoiceField(label="Équipe", queryset=Team.objects.select_related("arrondissement"), required=False)
    starts_on = DayField(label="À partir du", initial=timezone.localdate)
    ends_on = DayField(
        label="Accès fermé dès le",
        required=False,
        help_text="Ce jour-là n’est plus compris. Laissez vide si aucune fin n’est prévue.",
    )

    def __init__(self, *args: Any, roles: Iterable[Role], teams: Iterable[Team], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role, team = self.fields["role"], self.fields["team"]
        offered = list(roles)
        team.required = all(choice in TEAM_ROLES for choice in offered)
        if not team.required:
            team.help_text = "Pour un rôle exercé dans une équipe ; vide pour un rôle de tout le programme."
        shown = [(one.pk, team.label_from_instance(one)) for one in teams]  # type: ignore[attr-defined]
        team.widget.choices = shown if team.required and len(shown) == 1 else [("", "À choisir"), *shown]
        role.widget.choices = [("", "À choisir"), *((choice.value, choice.label) for choice in offered)]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        role, team = values.get("role"), values.get("team")
        if role in TEAM_ROLES and team is None and "team" not in self.errors:
            self.add_error("team", "Dans quelle équipe ? Ce rôle ne s’exerce pas pour tout le programme.")
        elif role and role not in TEAM_ROLES and team is not None:
            self.add_error("team", "Ce rôle s’exerce pour tout le programme : laissez l’équipe vide.")
        return values


class InviteForm(MembershipForm):
    email = forms.EmailField(label="Adresse électronique", max_length=254)
    first_name = forms.CharField(label="Prénom", max_length=80)
    last_name = forms.CharField(label="Nom", max_length=80)
    employer = forms.CharField(label="Employeur", max_length=120, required=False)

    field_order = ["email", "first_name", "last_name", "employer", "role", "team", "starts_on", "ends_on"]


class EndForm(forms.Form):
    ends_on = DayField(
        label="Accès fermé dès le",
        initial=timezone.localdate,
        help_text="Aujourd’hui : l’accès se ferme tout de suite.",
    )


class SuspendForm(forms.Form):
    reason = forms.ChoiceField(label="Motif", choices=SuspensionReason, widget=forms.RadioSelect)


class ReactivateForm(forms.Form):
    reason = forms.ChoiceField(label="Motif", choices=ReactivationReason, widget=forms.RadioSelect)


class FirstPasswordForm(forms.Form):
    """Typed twice; the rules are those of every password."""

    password = forms.CharField(
        label="Mot de passe",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Douze signes au moins. Une phrase dont vous vous souvenez vaut mieux qu’un mot compliqué.",
    )
    password_again = forms.CharField(
        label="Le même, encore une fois",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, self.user)
        return password

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if "password" in values and "password_again" in values and values["password"] != values["password_again"]:
            self.add_error("password_again", "Ce n’est pas le même mot de passe.")
        return values
