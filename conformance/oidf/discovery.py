"""Config OP, and the discovery modules of the other plans: what the metadata and the keys must say."""

import re
import urllib.parse

import jwt

from app import call
from run import NotOffered

# The members of the specifications that the suite knows; a member of our own would only raise a warning there.
LISTS = """
scopes_supported response_types_supported response_modes_supported grant_types_supported acr_values_supported
subject_types_supported id_token_signing_alg_values_supported userinfo_signing_alg_values_supported
request_object_signing_alg_values_supported token_endpoint_auth_methods_supported
token_endpoint_auth_signing_alg_values_supported revocation_endpoint_auth_methods_supported
revocation_endpoint_auth_signing_alg_values_supported introspection_endpoint_auth_methods_supported
introspection_endpoint_auth_signing_alg_values_supported display_values_supported claim_types_supported claims_supported
claims_locales_supported ui_locales_supported code_challenge_methods_supported prompt_values_supported
dpop_signing_alg_values_supported authorization_details_types_supported
""".split()
FLAGS = """
claims_parameter_supported request_parameter_supported request_uri_parameter_supported require_request_uri_registration
authorization_response_iss_parameter_supported require_pushed_authorization_requests backchannel_logout_supported
backchannel_logout_session_supported frontchannel_logout_supported frontchannel_logout_session_supported
""".split()
URLS = """
issuer authorization_endpoint token_endpoint userinfo_endpoint jwks_uri registration_endpoint revocation_endpoint
introspection_endpoint end_session_endpoint device_authorization_endpoint pushed_authorization_request_endpoint
backchannel_authentication_endpoint check_session_iframe service_documentation op_policy_uri op_tos_uri
""".split()
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


def members(run):
    """Each member is one of a specification and has its type."""
    metadata = run.provider.metadata
    for name, value in metadata.items():
        if name in LISTS:
            assert value and isinstance(value, list) and all(isinstance(item, str) and item for item in value), name
            assert len(set(value)) == len(value), f"{name} names a value twice"
        elif name in FLAGS:
            assert isinstance(value, bool), name
        else:
            assert name in URLS, f"{name} is no member of the specifications"


def endpoints(run):
    """Every URL has the scheme of the issuer: https, but for a development server."""
    issuer = run.provider["issuer"]
    parts = urllib.parse.urlsplit(issuer)
    assert parts.scheme == "https" or parts.hostname == "localhost", issuer
    assert not parts.query and not parts.fragment and not issuer.endswith("/"), issuer
    for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "registration_endpoint", "jwks_uri"):
        assert name in run.provider.metadata, f"{name} is missing"
    for name, value in run.provider.metadata.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            assert value.startswith(f"{issuer}/"), f"{name}: {value}"


def keys(run):
    """RFC 7517: public keys only, each usable, each under a kid of its own."""
    found = call(run.provider["jwks_uri"]).json()["keys"]
    kids = [key["kid"] for key in found]
    assert len(set(kids)) == len(kids) > 0, kids
    for key in found:
        assert not PRIVATE & key.keys(), f"a private key is published: {key['kid']}"
        assert key["use"] == "sig" and key["alg"], key
        jwt.PyJWK(key)
        assert key["kty"] != "RSA" or len(key["n"]) >= 342, f"{key['kid']} is shorter than 2048 bits"
    served = {key["alg"] for key in found}
    for name in ("id_token_signing_alg_values_supported", "userinfo_signing_alg_values_supported"):
        unkeyed = set(run.provider.metadata[name]) - served - ({"PS256"} if "RS256" in served else set())
        assert not unkeyed, f"{name}: no key for {unkeyed}"


def contents(run):
    """What OIDC Discovery §3 requires or recommends."""
    provider = run.provider
    assert "code" in provider["response_types_supported"]
    assert "authorization_code" in provider["grant_types_supported"]
    assert set(provider["subject_types_supported"]) <= {"public", "pairwise"}
    assert "RS256" in provider["id_token_signing_alg_values_supported"]
    assert "openid" in provider["scopes_supported"]
    assert "sub" in provider["claims_supported"]
    assert provider["claims_parameter_supported"] is True
    for token in provider["scopes_supported"]:
        assert re.fullmatch(r"[!#-\[\]-~]+", token), token
    for tag in provider.metadata.get("ui_locales_supported", []):
        assert re.fullmatch(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?", tag), tag
    if "request_object_signing_alg_values_supported" in provider.metadata:
        assert "RS256" in provider["request_object_signing_alg_values_supported"]


def verification(run):
    assert run.provider.discovery.status == 200
    for check in (members, endpoints, keys, contents):
        check(run)


def verification_dynamic(run):
    """A dynamic OP must also speak the implicit flow (OIDC Core §15.2)."""
    verification(run)
    metadata = run.provider.metadata
    types = {" ".join(sorted(value.split(" "))) for value in metadata["response_types_supported"]}
    missing = {"code", "id_token", "id_token token"} - types
    if missing or "implicit" not in metadata["grant_types_supported"]:
        raise NotOffered(f"a dynamic OP must offer the implicit grant and response types {', '.join(sorted(missing))}")


def end_session(run):
    endpoints(run)
    assert "end_session_endpoint" in run.provider.metadata, "end_session_endpoint is missing"


MODULES = {"oidcc-discovery-endpoint-verification": verification}
