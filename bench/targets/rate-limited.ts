import { countOf } from '../client/outcomes.ts';
import type { Run } from '../results.ts';

/** With a higher share of 429, the run measures the rate limits. */
export const limitedShareMax = 0.01;

/** Advice for users who get answers 429. */
export function rateLimitAdvice(isReadOnly: boolean): string {
  const setting = isReadOnly ? 'RATE_LIMIT_READS' : 'RATE_LIMIT_PURCHASES';
  return (
    'The deployment limits rates (answers 429), and all of a load comes from one client. Start a cluster of this ' +
    'machine with RATE_LIMIT=off npm run cluster; elsewhere set RATE_LIMIT=off on all instances for the time of the ' +
    `test, or raise ${setting}.`
  );
}

/** The share of 429 among all answers, from 0 to 1. */
export function rateLimitedShare({ answers }: Pick<Run, 'answers'>): number {
  const limited = countOf(answers, (name) => name.startsWith('429'));
  return limited === 0 ? 0 : limited / countOf(answers, () => true);
}

/** The sentence that makes a run unusable because of 429; empty if it is usable. */
export function rateLimitFlaw(
  run: Pick<Run, 'answers'>,
  { isLimitAllowed }: { readonly isLimitAllowed: boolean },
): string[] {
  const share = rateLimitedShare(run);
  return isLimitAllowed || share <= limitedShareMax
    ? []
    : [`NOT USABLE: ${(share * 100).toPrecision(3)} % of the answers are 429.`];
}

/** The summary's sentence about 429 answers; undefined if there were none. */
export function formatRateLimits(
  run: Pick<Run, 'answers'>,
  { isReadOnly, isLimitAllowed }: { readonly isReadOnly: boolean; readonly isLimitAllowed: boolean },
): string | undefined {
  const share = rateLimitedShare(run);
  if (share === 0) return undefined;
  const percent = `${(share * 100).toPrecision(3)} %`;
  if (share <= limitedShareMax) return `${percent} of the answers are 429. ${rateLimitAdvice(isReadOnly)}`;
  const verdict = isLimitAllowed
    ? 'Allowed by --allow-429.'
    : 'NOT USABLE: more than 1 %. The exit code is 1; --allow-429 allows it.';
  return `${percent} of the answers are 429. ${verdict} ${rateLimitAdvice(isReadOnly)}`;
}
