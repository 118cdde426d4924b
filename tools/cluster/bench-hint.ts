export interface BenchHintOptions {
  /** Of the instances. */
  readonly origins: readonly string[];
  /** What one client may buy; undefined: rate limits are off. */
  readonly purchases?: { readonly count: number; readonly windowS: number } | undefined;
  /** Whether the instances have an ADMIN_TOKEN. */
  readonly hasAdminToken: boolean;
}

const usualRate = 200;
/** Of what the limits allow, so that a load that waits for nothing stays below them. */
const limitedShare = 0.8;

/**
 * How to put a load on this cluster, and whether its rate limits would be in the way: lines for the terminal. The admin
 * token is named, never shown.
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
