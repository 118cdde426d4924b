import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CommitUnknownError, StoreUnavailableError, UnreadableError } from '../store.ts';
import { GroupCommit } from './group-commit.ts';

/** A connection whose statements can be made to fail. */
function tampered(db: DatabaseSync, fail: (sql: string) => Error | undefined) {
  const ran: string[] = [];
  return {
    ran,
    get isTransaction() {
      return db.isTransaction;
    },
    exec(sql: string) {
      ran.push(sql);
      const error = fail(sql);
      if (error) throw error;
      db.exec(sql);
    },
  };
}

function sqliteError(errcode: number): Error {
  return Object.assign(new Error(`planted ${errcode}`), { code: 'ERR_SQLITE_ERROR', errcode });
}

describe('group commit', () => {
  let db: DatabaseSync;
  beforeEach(() => {
    db = new DatabaseSync(':memory:');
    db.exec('CREATE TABLE marks (mark INTEGER PRIMARY KEY)');
  });
  afterEach(() => db.close());

  const add = (mark: number) => () => db.prepare('INSERT INTO marks VALUES (?)').run(mark);
  const marks = () =>
    db
      .prepare('SELECT mark FROM marks ORDER BY mark')
      .all()
      .map(({ mark }) => mark);

  test('writes of one turn of the event loop share one transaction, and settle after it', async () => {
    const connection = tampered(db, () => undefined);
    const commits = new GroupCommit(connection);
    const open = await Promise.all(
      [1, 2, 3].map((mark) => commits.write(add(mark)).then(() => db.isTransaction)),
    );
    expect(connection.ran.filter((sql) => sql === 'COMMIT')).toHaveLength(1);
    expect(open).toEqual([false, false, false]);
    expect(marks()).toEqual([1, 2, 3]);
  });

  test('only writes of a flush with a write that throws have savepoints', async () => {
    const connection = tampered(db, () => undefined);
    const commits = new GroupCommit(connection);
    await Promise.all([1, 2].map((mark) => commits.write(add(mark))));
    expect(connection.ran).toEqual(['BEGIN IMMEDIATE', 'COMMIT']);
    connection.ran.length = 0;
    await Promise.allSettled([commits.write(add(3)), commits.write(add(1))]);
    expect(connection.ran.filter((sql) => sql === 'SAVEPOINT one')).toHaveLength(2);
    expect(marks()).toEqual([1, 2, 3]);
  });

  test('Q12 a write that finds a document unreadable is rejected alone', async () => {
    const commits = new GroupCommit(db);
    const unreadable = new UnreadableError({ packageId: 7 });
    const outcomes = await Promise.allSettled([
      commits.write(add(1)),
      commits.write(() => {
        throw unreadable;
      }),
    ]);
    expect(outcomes).toMatchObject([{ status: 'fulfilled' }, { status: 'rejected', reason: unreadable }]);
    expect(marks()).toEqual([1]);
  });

  test('writes wait while a checkpoint holds the commits up', async () => {
    const pass = Promise.withResolvers<void>();
    const commits = new GroupCommit(db, { hold: pass.promise, wrote: () => {} });
    const written = commits.write(add(1));
    await setImmediate();
    await setImmediate();
    expect(marks()).toEqual([]);
    pass.resolve();
    await written;
    expect(marks()).toEqual([1]);
  });

  test('a write that throws is undone and rejected, the others are applied', async () => {
    const commits = new GroupCommit(db);
    const twice = () => {
      add(5)();
      add(1)();
    };
    const outcomes = await Promise.allSettled([
      commits.write(add(1)),
      commits.write(twice),
      commits.write(add(2)),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(String((outcomes[1] as PromiseRejectedResult).reason)).toContain('UNIQUE');
    expect(marks()).toEqual([1, 2]);
  });

  test.each([
    ['the disk is full', 13, StoreUnavailableError],
    ['another holds the file', 5, StoreUnavailableError],
    ['the fsync failed', 1034, CommitUnknownError],
  ])(
    'a COMMIT that fails because %s fails every write of the flush, and the next flush works',
    async (_why, code, kind) => {
      let failing = true;
      const commits = new GroupCommit(
        tampered(db, (sql) => (failing && sql === 'COMMIT' ? sqliteError(code) : undefined)),
      );
      const outcomes = await Promise.allSettled([commits.write(add(1)), commits.write(add(2))]);
      for (const outcome of outcomes) expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(kind);
      expect(marks()).toEqual([]);
      failing = false;
      await commits.write(add(3));
      expect(marks()).toEqual([3]);
    },
  );

  test('a COMMIT that fails and cannot be rolled back has an unknown outcome, and the next flush rolls it back', async () => {
    let failing = true;
    const commits = new GroupCommit(
      tampered(db, (sql) => (failing && /COMMIT|ROLLBACK/.test(sql) ? sqliteError(13) : undefined)),
    );
    await expect(commits.write(add(1))).rejects.toBeInstanceOf(CommitUnknownError);
    failing = false;
    await commits.write(add(2));
    expect(marks()).toEqual([2]);
  });

  test('a write that finds the disk full fails the whole flush as unavailable', async () => {
    const commits = new GroupCommit(db);
    const outcomes = await Promise.allSettled([
      commits.write(add(1)),
      commits.write(() => {
        throw sqliteError(13);
      }),
    ]);
    for (const outcome of outcomes) {
      expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(StoreUnavailableError);
    }
    expect(marks()).toEqual([]);
  });

  test('a long queue is written in several transactions', async () => {
    const connection = tampered(db, () => undefined);
    const commits = new GroupCommit(connection);
    await Promise.all([1, 2, 3, 4].map((mark) => commits.write(add(mark), 900)));
    expect(connection.ran.filter((sql) => sql === 'COMMIT')).toHaveLength(2);
    expect(marks()).toEqual([1, 2, 3, 4]);
  });

  test('close writes the waiting writes and refuses new ones', async () => {
    const commits = new GroupCommit(db);
    const waiting = commits.write(add(1));
    await commits.close();
    await waiting;
    expect(marks()).toEqual([1]);
    await expect(commits.write(add(2))).rejects.toBeInstanceOf(StoreUnavailableError);
  });
});
