"""What ID tokens and userinfo answers must look like: OIDC Core §2, §3.1.3.7, §5.1, §5.3.2, §5.4."""

import base64
import datetime
import hashlib
import re
import time

import jwt

SCOPES = {
    "profile": {
        "name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture",
        "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at",
    },
    "email": {"email", "email_verified"},
    "address": {"address"},
    "phone": {"phone_number", "phone_number_verified"},
}  # fmt: skip
ADDRESS = {"formatted", "street_address", "locality", "region", "postal_code", "country"}
ID_TOKEN = {"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "sid", "jti", "nbf"}
SKEW = 300


def id_token(app, token, nonce, access_token=None):
    """The claims of an ID token that is good for `app`: signature by `kid`, everything but personal claims."""
    header = jwt.get_unverified_header(token)
    expected = app.registered["id_token_signed_response_alg"]
    assert header["alg"] == expected, f"{header} instead of {expected}"
    assert header.get("kid"), f"no kid: {header}"
    claims = jwt.decode(token, app.provider.key(header["kid"]), [expected], options={"verify_aud": False, "verify_iat": False})
    now = time.time()
    assert claims["iss"] == app.provider["issuer"], claims
    assert app.id in (claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]), claims
    assert claims.get("azp", app.id) == app.id, claims
    assert now - SKEW < claims["exp"] < now + 366 * 86400, claims
    assert now - SKEW < claims["iat"] < now + SKEW, claims
    assert claims.get("auth_time", now) < now + SKEW, claims
    assert claims.get("nonce") == nonce, claims
    assert isinstance(claims["sub"], str) and 0 < len(claims["sub"]) <= 255 and claims["sub"].isascii(), claims
    assert isinstance(claims.get("acr", "text"), str) and claims.get("acr") != "", claims
    if access_token and "at_hash" in claims:
        half = hashlib.new(f"sha{expected[2:]}", access_token.encode()).digest()[: int(expected[2:]) // 16]
        assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode(), claims
    assert claims.keys() <= ID_TOKEN, f"nobody asked for {claims.keys() - ID_TOKEN}"
    return claims


def standard(claims):
    """Userinfo claims have the types of OIDC Core §5.1 and are never empty."""
    for name, value in claims.items():
        if name.endswith("_verified"):
            assert isinstance(value, bool), f"{name}: {value!r}"
        elif name == "updated_at":
            assert isinstance(value, int) and 0 < value < time.time() + SKEW, f"{name}: {value!r}"
        elif name == "address":
            assert value and value.keys() <= ADDRESS, f"{name}: {value!r}"
            assert all(isinstance(part, str) and part.strip() for part in value.values()), f"{name}: {value!r}"
        elif name == "birthdate":
            assert re.fullmatch(r"\d{4}", value) or datetime.date.fromisoformat(value.replace("0000-", "2000-")), value
        else:
            assert isinstance(value, str) and value.strip() and value != "null", f"{name}: {value!r}"
    return claims


def userinfo(answer, sub):
    """The claims of an unsigned userinfo answer about that person."""
    claims = standard(answer.json())
    assert claims["sub"] == sub, f"{claims['sub']} in userinfo, {sub} in the ID token"
    return claims


def of_scope(claims, scope):
    """All claims of a scope are there, for a person who has them all, and none of another scope."""
    asked = set().union(*(SCOPES.get(word, set()) for word in scope.split(" ")))
    assert asked <= claims.keys(), f"missing: {sorted(asked - claims.keys())}"
    assert claims.keys() <= asked | {"sub"}, f"nobody asked for {sorted(claims.keys() - asked - {'sub'})}"
