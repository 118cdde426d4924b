import { randomInt } from 'node:crypto';

/**
 * The seq that an added package starts with: anywhere below 2^47. Its id may be that of a package that was removed,
 * and an owner of that one must not find its fence here by chance.
 */
export function seqStart(): number {
  return randomInt(2 ** 47);
}
