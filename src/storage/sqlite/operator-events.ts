import type { DatabaseSync } from 'node:sqlite';
import type { Page } from '../../lib/page.ts';
import type { OperatorEvent, OperatorEventEnd } from '../operator-log.ts';
import { eventCursorAfter, nextAfter, parseEventCursor } from '../store-helpers.ts';
import { sift, type UnreadableDocuments } from '../unreadable.ts';
import { document, documentVersion } from './rows.ts';

/** The statements of the log. */
function prepare(db: DatabaseSync) {
  return {
    append: db.prepare(
      `INSERT INTO operator_events (id, at, is_open, document, document_version) VALUES (?, ?, 1, ?, ?)
        ON CONFLICT (id) DO NOTHING`,
    ),
    open: db.prepare('SELECT document, document_version FROM operator_events WHERE id = ? AND is_open = 1'),
    end: db.prepare('UPDATE operator_events SET is_open = 0, document = ? WHERE id = ?'),
    page: db.prepare(
      `SELECT id, at, document, document_version FROM operator_events WHERE (at, id) < (?, ?)
        ORDER BY at DESC, id DESC LIMIT ?`,
    ),
  };
}

/** The statements of the operator log. */
export class OperatorEvents {
  readonly #sql: ReturnType<typeof prepare>;
  readonly #unreadable: UnreadableDocuments;

  constructor(db: DatabaseSync, unreadable: UnreadableDocuments) {
    this.#sql = prepare(db);
    this.#unreadable = unreadable;
  }

  append(event: OperatorEvent): void {
    this.#sql.append.run(event.id, event.at, JSON.stringify(event), documentVersion);
  }

  end(id: string, end: OperatorEventEnd): void {
    const row = this.#sql.open.get(id);
    if (row) this.#sql.end.run(JSON.stringify({ ...document<OperatorEvent>(row), ...end }), id);
  }

  page(cursor: string | undefined, limit: number): Page<OperatorEvent> {
    const { at, id } = parseEventCursor(cursor) ?? { at: Number.MAX_SAFE_INTEGER, id: '' };
    const rows = this.#sql.page.all(at, id, limit);
    const events = rows.map((row) =>
      this.#unreadable.read({ eventId: String(row.id) }, () => document<OperatorEvent>(row)),
    );
    const next = nextAfter(rows, limit, (last) =>
      eventCursorAfter({ at: Number(last.at), id: String(last.id) }),
    );
    return { items: sift(events).items, ...next };
  }
}
