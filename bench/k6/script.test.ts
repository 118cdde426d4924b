import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { orderStatuses } from '../../src/domain/order.ts';
import { orderView } from '../../src/http/api/views.ts';
import { orderMonitor } from '../../src/http/order-access.ts';
import { fakeNow, fakeOrder } from '../../test/support/fake-engine.ts';

interface Helpers {
  isSettled(order: object): boolean;
  parsed(text: string | null): unknown;
  orderIn(body: unknown): { readonly id: string } | undefined;
  isAnswer(status: number, body: unknown): boolean;
  monitorUrl(origin: string, link: string | undefined): string | undefined;
}

const helpers: string = './orders.js';
const { isSettled, parsed, orderIn, isAnswer, monitorUrl } = (await import(helpers)) as Helpers;
const order = orderView(fakeOrder());
const origin = 'https://tickets.example';

it('the script for k6 has no type errors', async () => {
  const root = join(import.meta.dirname, '../..');
  const tsc = join(root, 'node_modules/.bin/tsc');
  const { stdout } = await promisify(execFile)(tsc, ['--noEmit', '--project', import.meta.dirname], {
    cwd: root,
  }).catch(({ stdout: errors }: { stdout: string }) => ({ stdout: errors }));
  expect(stdout).toBe('');
}, 60_000);

describe('the helpers of the script', () => {
  it('find the order in every answer and message', () => {
    for (const body of [order, { code: 'supplier_failed', order }, { order }]) {
      expect(orderIn(parsed(JSON.stringify(body)))?.id).toBe(order.id);
    }
    for (const text of [
      null,
      '',
      '<html>',
      'null',
      '[]',
      '{"code":"sold_out","status":409}',
      `{"now":${fakeNow}}`,
    ])
      expect(orderIn(parsed(text)), String(text)).toBeUndefined();
  });

  it('know which orders have an outcome', () => {
    const open = orderStatuses.filter((status) => !isSettled({ status }));
    expect(open.toSorted()).toEqual(['cancelling', 'compensating', 'held', 'queued']);
  });

  it('accept only answers that a sale without faults gives', () => {
    expect([201, 202].map((status) => isAnswer(status, order))).toEqual([true, true]);
    expect(isAnswer(409, { code: 'sold_out' })).toBe(true);
    expect(isAnswer(502, { code: 'supplier_failed', order })).toBe(true);
    expect(isAnswer(502, undefined)).toBe(false);
    expect(isAnswer(429, { code: 'rate_limited' })).toBe(false);
    expect(isAnswer(202, undefined)).toBe(false);
  });

  it('find the socket of an order in the header of its look-up', () => {
    const url = monitorUrl(origin, orderMonitor('a secret of this test', order.id));
    expect(url).toMatch(
      /^wss:\/\/tickets\.example\/live\?topic=order:7Q4M-9XKD-2VBN-H5TR&proof=[\w-]+&format=json$/,
    );
    expect(monitorUrl('http://localhost:8888', '</a>; rel="monitor"')).toBe('ws://localhost:8888/a');
    expect(monitorUrl(origin, undefined)).toBeUndefined();
  });
});
