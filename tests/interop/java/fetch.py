"""Takes Nimbus JOSE+JWT out of a source distribution of pyspark, which holds it with other names.

    python fetch.py FILE

PyPI is where the other packages come from, too; a Maven repository is one more place that a machine may
not reach. pip's insides know the index, the proxy and the certificates that pip is configured for; `pip
download` would run the distribution's setup.py, and load 230 MB that nobody reads.
"""

import hashlib
import sys
import tarfile
from pathlib import Path

from pip._internal.commands import create_command

PROJECT, VERSION = "pyspark", "3.5.1"
MEMBER = f"pyspark-{VERSION}/deps/jars/hadoop-client-runtime-3.3.4.jar"
SHA256 = "9377a68071137ae5f5c8cdc2ed20d6f904a1df4d06df26b47ed8872a1b0d8d47"
# The member ends before this. A server that knows no ranges sends all, of which no more is read.
HEAD = 90_000_000


def main(path):
    command = create_command("download")
    options, _ = command.parse_args(["--no-deps", PROJECT])
    with command.main_context():
        session = command.get_default_session(options)
        finder = command._build_package_finder(options, session)
        found = [it.link for it in finder.find_all_candidates(PROJECT) if str(it.version) == VERSION]
        links = [link for link in found if link.filename.endswith(".tar.gz")]
        if not links:
            sys.exit(f"pip's index has no {PROJECT} {VERSION}")
        jar = member(session, links[0])
    if hashlib.sha256(jar).hexdigest() != SHA256:
        sys.exit(f"{MEMBER} is not what it was")
    Path(path).write_bytes(jar)


def member(session, link):
    # As it is: a gzip file may else be taken for an encoding, and undone.
    headers = {"Accept-Encoding": "identity", "Range": f"bytes=0-{HEAD - 1}"}
    with session.get(link.url_without_fragment, headers=headers, stream=True) as response:
        response.raise_for_status()
        with tarfile.open(fileobj=response.raw, mode="r|gz") as archive:
            for entry in archive:
                if entry.name == MEMBER:
                    return archive.extractfile(entry).read()
    sys.exit(f"{PROJECT} {VERSION} has no {MEMBER}")


if __name__ == "__main__":
    main(*sys.argv[1:])
