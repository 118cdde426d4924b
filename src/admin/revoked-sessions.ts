import type { Operator } from '../storage/operator-log.ts';
import type { Store } from '../storage/store.ts';
import type { Outcome } from './admin-service.ts';
import type { ChangeLog } from './change-log.ts';

export interface RevokedSessionsOptions {
  readonly store: Pick<Store, 'setting' | 'settingIfAny'>;
  readonly changes: ChangeLog;
}

/** Which browsers' sessions were ended before their time, kept in the store, so that every instance knows. */
export class RevokedSessions {
  readonly #options: RevokedSessionsOptions;
  readonly #ended = new Set<string>();

  constructor(options: RevokedSessionsOptions) {
    this.#options = options;
  }

  started(by: Operator): Promise<Outcome<true>> {
    const asked = { by, action: 'session.start', target: {} } as const;
    return this.#options.changes.record<true>(asked, async () => ({ kind: 'done', value: true }));
  }

  end(by: Operator): Promise<Outcome<true>> {
    const asked = { by, action: 'session.end', target: {} } as const;
    return this.#options.changes.record<true>(asked, async () => {
      if (by.session !== undefined) {
        await this.#options.store.setting(nameOf(by.session), () => 'ended');
        this.#ended.add(by.session);
      }
      return { kind: 'done', value: true };
    });
  }

  async isEnded(session: string): Promise<boolean> {
    if (this.#ended.has(session)) return true;
    const isEnded = (await this.#options.store.settingIfAny(nameOf(session))) !== undefined;
    if (isEnded) this.#ended.add(session);
    return isEnded;
  }
}

function nameOf(session: string): string {
  return `ended-session:${session}`;
}
