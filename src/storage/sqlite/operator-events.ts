import type { DatabaseSync } from 'node:sqlite';
import type { Page } from '../../lib/page.ts';
import { eventCursorAfter, pageOf, parseEventCursor } from '../cursors.ts';
import type { OperatorEvent, OperatorEventEnd } from '../operator-log.ts';
import { document, documentVersion } from './rows.ts';

/** The statements of the operator log. Each write runs inside a savepoint. */
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

  page(cursor: string | undefined, limit: number): Page<OperatorEvent> {
    const { at, id } = parseEventCursor(cursor) ?? { at: Number.MAX_SAFE_INTEGER, id: '' };
    const items = this.#page.all(at, id, limit).map((row) => document<OperatorEvent>(row));
    return pageOf(items, limit, eventCursorAfter);
  }
}
