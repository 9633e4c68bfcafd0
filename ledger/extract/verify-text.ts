/**
 * `VERIFY.txt`: what the file is and how to check it, for a person who never saw us. The same text in every extract: the
 * verifiers know its digest (docs/formats/extract.md), so that nobody is sent to another verifier; a new wording is a new
 * digest beside the old ones.
 */
export const verifyText = `What this file is
  A copy of what a ledger holds of one batch, with the proof that nothing was altered, added or left
  out. report.html says which ledger and batch, as of which size of the log, and is for reading;
  readings.csv and readings.parquet are for calculating; events-*.ndjson are the record itself.

How to check it, without us and without a network
  1. Get the ledger's key from a place that the operator of the ledger cannot rewrite: the site
     master file, a sealed letter, the report of the last inspection. It looks like
     name-of-the-ledger+xxxxxxxx+...
     A key that came together with this file proves nothing.
  2. Get the verifier from such a place too, and compare its SHA-256 with the printed one.
  3. node verify.mjs <this file> --key <the key>
     or open verify.html in a browser and drop this file on it,
     or python3 verify.py <this file> --key <the key>
  Exit status and last line: 0 verified, 1 something is wrong (the first event or member concerned
  is named), 2 not enough to say more than that the file is consistent with itself.

What is checked
  Every event is under the root that the checkpoint signs, at its own index; every stream is a chain
  of revisions without a gap; which streams there are and where each ends is stated in the log, so
  that the counts sum to the size of the log, and the verdict is as of that statement; what people
  typed has the digest that the log holds; report.html, readings.csv and readings.parquet are, byte
  for byte, what the events say.

What is not checked
  Events that were never submitted to the ledger; a sensor's own truth. That tokens of a time-stamping
  authority (RFC 3161) are signed by it is checked where you give its certificate (--tsa-cert, or PEM
  among the keys of the page); or take openssl:
     sed '1,/^$/d' timestamp-<size>.txt > stamped
     openssl ts -verify -in timestamp-<size>.tsr -data stamped -CAfile <its root certificate>
  The formats are public: RFC 6962, RFC 8785, C2SP signed-note and tlog-checkpoint, and
  docs/formats/ of the product's source.
`
