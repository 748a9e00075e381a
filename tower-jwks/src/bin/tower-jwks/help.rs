//! What `--help` prints.

pub(crate) const ALL: &str = "\
Keys that rotate, in a directory that the processes that sign with them share.

Usage: tower-jwks COMMAND DIR [options]

Commands:
  init DIR         make a ring with its first key
  status DIR       tell of its keys: which signs, and what comes next
  rotate DIR       have the next key sign, as soon as every verifier can have it
  revoke DIR KID   remove a key at once, as nobody is to trust it any more
  import DIR PEM   take in a private key of your own

Options:
      --kek-file FILE  the key that seals the private keys: 32 bytes, raw, hex or base64
      --kek-env NAME   the same, in this environment variable
      --json           print one JSON object; errors as well, to stderr
  -h, --help           print this, or what there is to say of a command
  -V, --version        print the version

Exit codes: 0 done, 1 failed, 2 wrong usage.
The processes need not be told of a change: they see it in the directory.
";

pub(crate) const INIT: &str = "\
Makes a ring with its first key, which signs at once, and one in reserve.
Refused where there is a ring.

Usage: tower-jwks init DIR [options]

Options:
      --algorithm NAME    RS256, PS256, ES256, ES384, EdDSA … [RS256, or what fits --key]
      --key PEM           the first key, if verifiers know it already; with its
                          certificate, if that is in the file too [a new one]
      --kek-file FILE     the key that seals the private keys: 32 bytes, raw, hex
                          or base64 (openssl rand -hex 32) [they are not sealed]
      --kek-env NAME      the same, in this environment variable
      --json              print one JSON object; errors as well, to stderr
  -h, --help              print this

What the ring promises, as times such as 30s, 10m or 1h 30m. A process with longer
times makes it promise those; nothing makes it promise shorter ones again.
      --max-age TIME      how long verifiers may keep the published keys [10m]
      --propagation TIME  how long a change may take to reach every process [5m]
      --grace TIME        how much longer verifiers that ignore --max-age keep keys [20m]
      --clock-skew TIME   how far clocks may be apart [1m]
      --token-life TIME   the longest life of a token [1h]

How long a key signs is not the ring's to say: it is in the settings of the processes.
";

pub(crate) const STATUS: &str = "\
Tells of the keys of a ring: which signs, and what comes next, when and why.
How many tokens they have signed only the processes know.

Usage: tower-jwks status DIR [options]

Options:
      --kek-file FILE  the key that seals the private keys
      --kek-env NAME   the same, in this environment variable
      --json           print one JSON object, times in seconds since 1970; errors as
                       well, to stderr
  -h, --help           print this
";

pub(crate) const ROTATE: &str = "\
Has the next key sign as soon as every verifier can have it, and says when that is.
Where that is decided already, it only says so.

Usage: tower-jwks rotate DIR [options]

Options:
      --kek-file FILE  the key that seals the private keys
      --kek-env NAME   the same, in this environment variable
      --json           print one JSON object, times in seconds since 1970; errors as
                       well, to stderr
  -h, --help           print this
";

pub(crate) const REVOKE: &str = "\
Removes a key at once: it is published no more, and signs no more. If it was the one
that signs, the one in reserve takes over, at once if it has been published for long
enough. If it has not, NOTHING SIGNS until then, and this says so.

Tokens that the key has signed are refused by whoever fetches the keys from now on.

Usage: tower-jwks revoke DIR KID [options]

Options:
      --kek-file FILE  the key that seals the private keys
      --kek-env NAME   the same, in this environment variable
      --json           print one JSON object, times in seconds since 1970; errors as
                       well, to stderr
  -h, --help           print this
";

pub(crate) const IMPORT: &str = "\
Takes a private key of your own into the ring: PEM, as PKCS#8, PKCS#1 or SEC1, with
its certificate if that is in the file too. It has to be of the ring's algorithm. It
signs when its turn comes, after the keys that wait already.

Usage: tower-jwks import DIR PEM [options]

Options:
      --kek-file FILE  the key that seals the private keys
      --kek-env NAME   the same, in this environment variable
      --json           print one JSON object, times in seconds since 1970; errors as
                       well, to stderr
  -h, --help           print this
";
