import { expect, it } from 'vitest';
import { createLog } from './pino-log.ts';

it('writes lines of JSON without emails, secrets and passwords', () => {
  const lines: string[] = [];
  const log = createLog({
    level: 'info',
    instanceId: 'one',
    destination: { write: (line) => lines.push(line) },
  });
  const err = new Error('cannot reach redis://:pw123@host', { cause: new Error('mongodb://u:pw123@h down') });
  log.info({ email: 'ana@example.com', order: { email: 'ana@example.com', id: 'X' }, err }, 'An event.');
  log.debug({}, 'not at this level');
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toMatch(/ana@|pw123/);
  expect(JSON.parse(lines[0] as string)).toMatchObject({
    level: 'info',
    instance: 'one',
    msg: 'An event.',
    order: { id: 'X' },
    err: { type: 'Error', message: 'cannot reach redis://:(hidden)@host' },
  });
});

it('hides emails in error messages, but not the user names of server URLs', () => {
  const lines: string[] = [];
  const log = createLog({
    level: 'info',
    instanceId: 'one',
    destination: { write: (line) => lines.push(line) },
  });
  const err = new Error(
    'no value in {"email":"ana.b+c@mail.example.com"} at mongodb://reader@db.example.com/x',
  );
  log.warn({ err: new Error('ana%40example.com', { cause: err }) }, 'An event.');
  expect(lines[0]).not.toMatch(/ana|mail\.example/);
  expect(lines[0]).toContain('mongodb://reader@db.example.com/x');
});
