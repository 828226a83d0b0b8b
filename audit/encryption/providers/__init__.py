"""Where the key-encryption key comes from: ``KEY_PROVIDER`` names a file, an environment variable or a token."""

from functools import lru_cache

from django.conf import settings

from audit.encryption.errors import KeyProviderUnavailable
from audit.encryption.providers.base import MEMORY_SECONDS, KeyProvider, Wrapped
from audit.encryption.providers.secret import EnvironmentSource, FileSource, SecretProvider, create_key_file
from audit.encryption.providers.token import TokenAddress, TokenProvider

__all__ = ["MEMORY_SECONDS", "KeyProvider", "Wrapped", "create_key_file", "provider"]


def provider() -> KeyProvider:
    """The provider named by ``settings.KEY_PROVIDER``, the same object at each call."""
    return _provider(settings.KEY_PROVIDER)


@lru_cache(maxsize=8)
def _provider(address: str) -> KeyProvider:
    scheme, _, rest = address.partition(":")
    if scheme == "file" and rest:
        return SecretProvider(FileSource(rest))
    if scheme == "env" and rest:
        return SecretProvider(EnvironmentSource(rest))
    if scheme == "pkcs11" and rest:
        return TokenProvider(TokenAddress.parse(address))
    raise KeyProviderUnavailable(
        'KEY_PROVIDER must be "file:/path/to/key", "env:NAME_OF_THE_VARIABLE" or a PKCS#11 URI (RFC 7512).'
    )
