"""A certificate signed by itself, so that a page on another machine may use MIDI (browsers ask for https)."""

import ipaddress
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sideman.errors import SidemanError
from sideman.serve.server import Tls

DAYS = 30


class NoCertificate(SidemanError):
    """Nothing here can make a certificate."""

    code = "no_certificate"


def make_certificate(folder: Path, host: str) -> Tls:
    """A key and its certificate for `host` and this machine, in `folder`. Raises NoCertificate."""
    tls = Tls(folder / "certificate.pem", folder / "key.pem")
    names = ["DNS:localhost", "IP:127.0.0.1", *_name_of(host)]
    try:
        _with_package(tls, names)
    except ImportError:
        _with_program(tls, names)
    return tls


def _name_of(host: str) -> list[str]:
    try:
        return [f"IP:{ipaddress.ip_address(host)}"]
    except ValueError:
        return [f"DNS:{host}"]


def _with_package(tls: Tls, names: list[str]) -> None:
    """By the cryptography package. Raises ImportError."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Sideman")])
    others: list[x509.GeneralName] = []
    for kind, _, value in (name.partition(":") for name in names):
        others.append(x509.DNSName(value) if kind == "DNS" else x509.IPAddress(ipaddress.ip_address(value)))
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number(), now)
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName(others), critical=False)
        .sign(key, hashes.SHA256())
    )
    tls.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    tls.key.touch(mode=0o600)
    tls.key.write_bytes(pem)


def _with_program(tls: Tls, names: list[str]) -> None:
    """By the openssl program."""
    program = shutil.which("openssl")
    if program is None:
        raise NoCertificate(
            "A certificate can be made neither by the cryptography package nor by openssl: both are missing.",
            "Give one with --cert and --key, or run: pip install cryptography",
        )
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subject = ["-subj", "/CN=Sideman", "-addext", f"subjectAltName={','.join(names)}", "-days", str(DAYS)]
    files = ["-keyout", str(tls.key), "-out", str(tls.certificate)]
    made = subprocess.run([program, "req", "-x509", *curve, *subject, *files], capture_output=True, text=True)
    if made.returncode:
        raise NoCertificate(f"openssl made no certificate: {made.stderr.strip()[-200:]}", "Give --cert and --key.")
    tls.key.chmod(0o600)
