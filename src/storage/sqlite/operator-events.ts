import type { DatabaseSync } from 'node:sqlite';
import type { Page } from '../../lib/page.ts';
import type { OperatorEvent, OperatorEventEnd } from '../operator-log.ts';
import { document, documentVersion } from './rows.ts';

/** The log of what operators change: synchronous steps, each write to be run inside a savepoint. */
export class OperatorEvents {
  readonly #append;
  readonly #open;
  readonly #end;
  readonly #page;

  constructor(db: DatabaseSync) {
    this.#append = db.prepare(
      `INSERT INTO operator_events (id, at, is_open, document, document_version) VALUES (?, ?, 1, ?, ?)
        ON CONFLICT (id) DO NOTHING`,
    );
    this.#open = db.prepare(
      'SELECT document, document_version FROM operator_events WHERE id = ? AND is_open = 1',
    );
    this.#end = db.prepare('UPDATE operator_events SET is_open = 0, document = ? WHERE id = ?');
    this.#page = db.prepare(
      `SELECT document, document_version FROM operator_events WHERE (at, id) < (?, ?)
        ORDER BY at DESC, id DESC LIMIT ?`,
    );
  }

  append(event: OperatorEvent): void {
    this.#append.run(event.id, event.at, JSON.stringify(event), documentVersion);
  }

  end(id: string, end: OperatorEventEnd): void {
    const row = this.#open.get(id);
    if (row) this.#end.run(JSON.stringify({ ...document<OperatorEvent>(row), ...end }), id);
  }

  /** The cursor is the time and the id of the last one seen. */
  page(cursor: string | undefined, limit: number): Page<OperatorEvent> {
    const [, at = Number.MAX_SAFE_INTEGER, id = ''] = /^(\d+)-(.*)$/.exec(cursor ?? '') ?? [];
    const items = this.#page.all(Number(at), id, limit).map((row) => document<OperatorEvent>(row));
    const last = items.at(-1);
    return items.length < limit || !last ? { items } : { items, next: `${last.at}-${last.id}` };
  }
}
