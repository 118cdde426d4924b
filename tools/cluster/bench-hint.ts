export interface BenchHintOptions {
  /** Of the instances. */
  readonly origins: readonly string[];
  /** The purchase limit of one client; undefined if rate limits are off. */
  readonly purchases?: { readonly count: number; readonly windowS: number } | undefined;
  /** Whether the instances have an ADMIN_TOKEN. */
  readonly hasAdminToken: boolean;
}

const usualRate = 200;
/** The suggested rate as a share of the limit, which leaves room for bursts. */
const limitedShare = 0.8;

/**
 * A command that puts load on this cluster, and a note on its rate limits, as lines for the terminal. The command
 * contains a reference to the admin token, never the token.
 */
export function benchHint({ origins, purchases, hasAdminToken }: BenchHintOptions): string[] {
  const allowed = purchases === undefined ? Number.POSITIVE_INFINITY : purchases.count / purchases.windowS;
  const rate = Math.max(1, Math.min(usualRate, Math.floor(allowed * limitedShare)));
  const purpose = hasAdminToken ? '--admin-token "$ADMIN_TOKEN"' : '--read-only';
  return [
    'Load test, in another terminal:',
    `  npm run bench -- --targets ${origins.join()} ${purpose} --rate ${rate} --duration 30s`,
    ...(purchases === undefined
      ? ['Rate limits are off.']
      : [
          `Rate limits are on: ${purchases.count} purchases per ${purchases.windowS} s of one client. A load test beyond them is answered 429.`,
          'To test without them: RATE_LIMIT=off npm run cluster',
        ]),
    ...(hasAdminToken
      ? []
      : [
          'It looks packages up. To test purchases, start the cluster with an ADMIN_TOKEN: the bench then makes a package of its own.',
        ]),
  ];
}
