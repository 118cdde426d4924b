import type { Result } from '../engine/operated-engine.ts';
import type { Clock } from '../lib/clock.ts';
import { endedSessionPrefix, type Operator } from '../storage/operator-log.ts';
import type { Store } from '../storage/store.ts';
import type { ChangeLog } from './change-log.ts';

/** The browser sessions that were revoked. They are kept in the store, so every instance knows them. */
export class RevokedSessions {
  readonly #store: Pick<Store, 'setting' | 'settingIfAny'>;
  readonly #changes: ChangeLog;
  readonly #clock: Clock;
  readonly #revoked = new Set<string>();

  constructor(store: Pick<Store, 'setting' | 'settingIfAny'>, changes: ChangeLog, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#changes = changes;
  }

  /** Logs that a session began. */
  started(by: Operator): Promise<Result<true>> {
    const request = { by, action: 'session.start', target: {} } as const;
    return this.#changes.record(request, async () => ({ kind: 'done', value: true }));
  }

  /** Revokes the operator's own session: every instance refuses its cookie from now on. */
  revoke(by: Operator): Promise<Result<true>> {
    const request = { by, action: 'session.end', target: {} } as const;
    return this.#changes.record(request, async () => {
      if (by.session !== undefined) {
        await this.#store.setting(settingOf(by.session), () => String(this.#clock.now()));
        this.#revoked.add(by.session);
      }
      return { kind: 'done', value: true };
    });
  }

  /**
   * Whether the session was revoked.
   * @throws StoreUnavailableError if the store is away and this instance knows of no revocation.
   */
  async isRevoked(session: string): Promise<boolean> {
    if (this.#revoked.has(session)) return true;
    const isRevoked = (await this.#store.settingIfAny(settingOf(session))) !== undefined;
    if (isRevoked) this.#revoked.add(session);
    return isRevoked;
  }
}

function settingOf(session: string): string {
  return endedSessionPrefix + session;
}
