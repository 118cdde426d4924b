import { countOf } from '../client/outcomes.ts';
import type { Run } from '../results.ts';

/** More than this share of 429 and it is the limits that were measured. */
export const limitedShareMax = 0.01;

/** What to do about answers 429. */
export function remedy(isReadOnly: boolean): string {
  const setting = isReadOnly ? 'RATE_LIMIT_READS' : 'RATE_LIMIT_PURCHASES';
  return (
    'The deployment limits rates (answers 429), and all of a load comes from one client. Start a cluster of this ' +
    'machine with RATE_LIMIT=off npm run cluster; elsewhere set RATE_LIMIT=off on all instances for the time of the ' +
    `test, or raise ${setting}.`
  );
}

/** Of all answers, the share of 429: 0 to 1. */
export function limitedShareOf({ answers }: Pick<Run, 'answers'>): number {
  const limited = countOf(answers, (name) => name.startsWith('429'));
  return limited === 0 ? 0 : limited / countOf(answers, () => true);
}

/** Why a run's figures are those of limits, and not of the deployment; empty where they are not. */
export function limitedFlaw(
  run: Pick<Run, 'answers'>,
  { isLimitAllowed }: { readonly isLimitAllowed: boolean },
): string[] {
  const share = limitedShareOf(run);
  return isLimitAllowed || share <= limitedShareMax
    ? []
    : [`NOT USABLE: ${(share * 100).toPrecision(3)} % of the answers are 429.`];
}

/** What the summary says of answers 429; undefined where there are none. */
export function limitedInWords(
  run: Pick<Run, 'answers'>,
  { isReadOnly, isLimitAllowed }: { readonly isReadOnly: boolean; readonly isLimitAllowed: boolean },
): string | undefined {
  const share = limitedShareOf(run);
  if (share === 0) return undefined;
  const percent = `${(share * 100).toPrecision(3)} %`;
  if (share <= limitedShareMax) return `${percent} of the answers are 429. ${remedy(isReadOnly)}`;
  const verdict = isLimitAllowed
    ? 'Allowed by --allow-429.'
    : 'NOT USABLE: more than 1 %. The exit code is 1; --allow-429 allows it.';
  return `${percent} of the answers are 429. ${verdict} ${remedy(isReadOnly)}`;
}
