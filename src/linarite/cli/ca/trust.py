"""`linarite ca trust`: how each kind of program comes to trust the local authority."""

from __future__ import annotations

import shlex

import typer

from linarite.cli.ca.authority import authority_of
from linarite.web.certificates.places import CA_FILE

WAYS = """\
The local authority's certificate: {file}
It vouches for this machine and for names under {domain}, and for nothing else.

Python (openai, httpx, requests), Node, az, curl, Go, .NET on Linux, in a shell:
  eval "$(linarite ca env)"
Only one program:
  curl --cacert {file} https://localhost:8443/healthz
  NODE_EXTRA_CA_CERTS={file} node app.mjs
  Python: AzureOpenAI(http_client=DefaultHttpxClient(verify=ssl.create_default_context(
      cafile="…/{name}")), …)
Java (a trust store of its own: -Djavax.net.ssl.trustStore=trust.p12):
  keytool -importcert -noprompt -alias linarite -file {file} \\
    -keystore trust.p12 -storetype PKCS12 -storepass changeit
The whole machine:
  Debian, Ubuntu  sudo cp {file} /usr/local/share/ca-certificates/linarite.crt &&
                  sudo update-ca-certificates
  Fedora, RHEL    sudo cp {file} /etc/pki/ca-trust/source/anchors/linarite.pem &&
                  sudo update-ca-trust
  macOS           sudo security add-trusted-cert -d -r trustRoot \\
                    -k /Library/Keychains/System.keychain {file}
  Windows         certutil -addstore -f Root {name}
On another machine: bring the file there by a way that you trust; it is no secret.
"""


def trust(context: typer.Context) -> None:
    """Print how programs come to trust the local authority, with the paths of this machine."""
    authority, scope = authority_of(context)
    file = shlex.quote(str(authority.folder / CA_FILE))
    typer.echo(WAYS.format(file=file, name=CA_FILE, domain=scope.domain), nl=False)
