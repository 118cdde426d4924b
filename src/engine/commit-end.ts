import type { CommitEnd } from '../observability/metrics.ts';
import { CommitUnknownError, FencedError, StoreUnavailableError } from '../storage/store.ts';

/** What a commit's error says of it. */
export function commitEndOf(error: unknown): CommitEnd {
  if (error instanceof FencedError) return 'fenced';
  if (error instanceof CommitUnknownError) return 'unknown';
  return error instanceof StoreUnavailableError ? 'unavailable' : 'refused';
}
