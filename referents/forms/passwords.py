"""A lost password: only of somebody who had one. A first password is chosen through an invitation."""

from allauth.account.forms import ResetPasswordForm, UserTokenForm

from referents.models import User


class LostPasswordForm(ResetPasswordForm):
    users: list[User]

    def clean_email(self) -> str:
        """An account never entered is answered like no account: its invitation, its delay and its end stay the rule."""
        email: str = super().clean_email()
        self.users = [user for user in self.users if user.has_usable_password()]
        return email


class LostPasswordLinkForm(UserTokenForm):
    def _get_user(self, uidb36: str) -> User | None:
        """A link asked for before the account was suspended opens nothing any more."""
        user: User | None = super()._get_user(uidb36)
        return user if user is not None and user.is_active and user.has_usable_password() else None
