import { expect, test } from 'vitest';
import { ProgressLine, progressText } from './audit.ts';

function stderr(isTTY: boolean) {
  const written: string[] = [];
  const write = (text: unknown) => written.push(String(text)) > 0;
  return { isTTY, write, written };
}

test('an audit shows its progress in one changing line of a terminal, and clears it', () => {
  const terminal = stderr(true);
  const progress = new ProgressLine(false, terminal);
  const read = { packages: 1, packagesTotal: 3, orders: 2_000, ordersTotal: 1_000_000, reservations: 0 };
  for (const orders of [2_000, 2_000, 3_000]) progress.show(progressText({ ...read, orders }));
  progress.clear();
  expect(terminal.written).toEqual([
    '\r1 of 3 packages, 2000 of 1000000 orders, 0 reservations read\u001b[K',
    '\r1 of 3 packages, 3000 of 1000000 orders, 0 reservations read\u001b[K',
    '\r\u001b[K',
  ]);
});

test('an audit without a terminal shows its progress only if an option asks for it', () => {
  const file = stderr(false);
  for (const isAsked of [false, true]) {
    const progress = new ProgressLine(isAsked, file);
    progress.show('read');
    progress.clear();
  }
  expect(file.written).toEqual(['read\n']);
});
