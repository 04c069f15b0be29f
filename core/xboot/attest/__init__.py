"""Attestations: who ran which script on which backend, and what came out; signed, and put side by side.

keys        a person's ed25519 key
statement   what is said: in-toto statements with SLSA provenance and a test result
envelope    how it is signed and stored: DSSE, in one canonical form, two lines a file
agreement   several people's files: who agrees with whom
reports     an earlier run's JSON report, believed only as far as it can be checked
"""

from xboot.attest.agreement import Attestation, Attested, Refusal, collect_files, verify_files
from xboot.attest.envelope import FILE_SUFFIX, MAX_SIZE, read_envelopes, sign
from xboot.attest.keys import PrivateKey, TrustedKey, generate_key, load_private, load_public
from xboot.attest.reports import read_reports
from xboot.attest.statement import Claim, read_claim, write_statements

__all__ = [
    "FILE_SUFFIX",
    "MAX_SIZE",
    "Attestation",
    "Attested",
    "Claim",
    "PrivateKey",
    "Refusal",
    "TrustedKey",
    "collect_files",
    "generate_key",
    "load_private",
    "load_public",
    "read_claim",
    "read_envelopes",
    "read_reports",
    "sign",
    "verify_files",
    "write_statements",
]
