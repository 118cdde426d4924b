/** Prefixes that only variables of this program have. */
const ownPrefixes = [
  'RATE_LIMIT_',
  'SUPPLIER_',
  'SUPPLIERS_',
  'PAYMENT_',
  'PAYMENTS_',
  'PUBLIC_',
  'SMTP_',
  'MAIL_',
  'WEBHOOK_',
  'RETENTION_',
  'FLIGHT_',
  'HOTEL_',
  'REDLOCK_',
  'LEASE_',
  'WAITERS_',
  'ORDERS_PER_',
  'SOCKETS_PER_',
  'CONNECTIONS_PER_',
];

/** Variables that Kubernetes and Docker set for a service, for example SUPPLIERS_PORT=tcp://10.0.0.1:8890. */
const ofServices = /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP|SCTP)(_|$)|_ENV_/;
const serviceAddress = /^(tcp|udp|sctp):\/\//;

/**
 * A warning for each variable of an environment that is not a setting but resembles a setting: it has a typing mistake,
 * another case, or the prefix of settings. Values are not shown.
 */
export function resemblingSettings(
  environment: Readonly<Record<string, string | undefined>>,
  known: readonly string[],
): string[] {
  const names: ReadonlySet<string> = new Set(known);
  return Object.entries(environment).flatMap(([name, value = '']) => {
    if (names.has(name) || value.trim() === '') return [];
    if (ofServices.test(name) || serviceAddress.test(value)) return [];
    const meant = meantBy(name, known);
    return meant === undefined ? [] : [`${name} is not a setting: did you mean ${meant}?`];
  });
}

function meantBy(name: string, known: readonly string[]): string | undefined {
  const written = name.toUpperCase().replaceAll('-', '_');
  const closest = closestTo(written, known);
  if (closest !== undefined && slipsBetween(written, closest) <= slipsMax(closest)) return closest;
  const prefix = ownPrefixes.find((each) => written.startsWith(each));
  if (prefix === undefined) return undefined;
  return closestTo(
    written,
    known.filter((each) => `${each}_`.startsWith(prefix)),
  );
}

function closestTo(name: string, known: readonly string[]): string | undefined {
  const [closest] = known
    .map((each) => ({ each, slips: slipsBetween(name, each) }))
    .sort((one, other) => one.slips - other.slips);
  return closest?.each;
}

/**
 * The most typing mistakes in a name. Short names allow none, because they resemble many words, for example PORT and
 * SORT.
 */
function slipsMax({ length }: string): number {
  if (length <= 4) return 0;
  return length <= 10 ? 1 : 2;
}

/**
 * The number of typing mistakes between two names: letters left out, added, changed, or swapped with the next letter.
 * This edit distance is known as "optimal string alignment".
 */
function slipsBetween(one: string, other: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const isSame = one[i - 1] === other[j - 1];
      const isSwapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      row[j] = Math.min(
        at(last, j) + 1,
        at(row, j - 1) + 1,
        at(last, j - 1) + (isSame ? 0 : 1),
        isSwapped ? at(beforeLast, j - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [beforeLast, last] = [last, row];
  }
  return at(last, other.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
