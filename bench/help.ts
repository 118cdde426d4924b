/** The text of `--help`. */
export const help = `Usage: npm run bench [-- options]

Compares this product with every usual design, side by side on this machine, and writes bench/results/latest.json and
report.html; or puts a load on a deployment that runs already. bench/README.md says how to read the figures.

On this machine
  --quick                  All scenarios in about three minutes: one short round each. Trust the ratios less.
  --scenario <name>        Only this one; may be given several times. --list shows them.
  --rounds <count>         Rounds per contestant; default 5, quick 1. Medians are taken over them.
  --seconds <seconds>      How long one run is measured; default 2, quick 0.6.
  --only <names>           Only these contestants, with commas between: actor-mongodb,hello.
  --cpu-prof <folder>      Profile the servers: a table in the report, and the profiles in this folder.

Against a deployment
  --targets <urls>         Its instances, with commas between: http://a:8888,http://b:8888.
  --rate <per second>      Requests per second, sent on time regardless of the answers (an open loop). Without it each
                           caller sends after its last answer (a closed loop), which finds the ceiling.
  --stages <stages>        Rates that follow each other: 100:30s,500:60s is 100 per second for 30 s, then 500.
  --duration <time>        500ms, 30s or 2m; default 30s. --seconds <seconds> is the same.
  --callers <count>        Connections; default 64, and 10000 at most with --rate.
  --admin-token <token>    Creates and buys a package of its own, which is not listed and is archived at the end; and
                           audits the deployment. Default: ADMIN_TOKEN in the environment.
  --package <id> --spend   Buys these packages, although their quota is spent; may be given several times.
  --read-only              Only looks packages up.
  --header '<name: value>' Sent with every request; may be given several times.
  --allow-429              Accepts a run with more than 1 % of answers 429 (rate limits). Without it the exit code is
                           then 1.
  --csv <file>             A row for each second of the run; bench/README.md names the columns.
  --assert '<condition>'   p50, p90, p99, p999 or max (ms, s), errors, dropped, or finished, confirmed and answered (per
                           second) with <, <=, > or >=: 'p99<50ms', 'errors<=0', 'finished>=1000'. May be given several
                           times. A purchase is finished when it has its final outcome: confirmed (201), sold out or
                           queue full (409), or refused by a supplier (502); a look-up with 2xx. Percentiles are of
                           those. Errors are all other answers but 202, connections that failed, and requests without
                           an answer; dropped is what could not be sent in time. A percentile fails, whatever its
                           value, when what is not finished reaches into it.

Either way
  --out <folder>           Where results go; default bench/results.
  --compare <A> <B>        Says what changed from one result to another: --compare before.json after.json.
  --list                   The scenarios.
  --help                   This.

Exits 0 when it is done; 1 when an --assert fails, an audit has findings, or more than 1 % of the answers are 429; 2 when
it could not be done, or two results have nothing in common; 130 after Ctrl-C.`;
