import { expect, test } from 'vitest';
import { ProgressLine } from './progress-line.ts';

function stderr(isTTY: boolean) {
  const written: string[] = [];
  const write = (text: unknown) => written.push(String(text)) > 0;
  return { isTTY, write, written };
}

test('shows the progress in one changing line of a terminal, and clears it', () => {
  const terminal = stderr(true);
  const progress = new ProgressLine(false, terminal);
  for (const orders of [2_000, 2_000, 3_000]) progress.show(`${orders} orders read`);
  progress.clear();
  expect(terminal.written).toEqual([
    '\r2000 orders read\u001b[K',
    '\r3000 orders read\u001b[K',
    '\r\u001b[K',
  ]);
});

test('shows the progress elsewhere only if an option asks for it', () => {
  const file = stderr(false);
  for (const isAsked of [false, true]) {
    const progress = new ProgressLine(isAsked, file);
    progress.show('read');
    progress.clear();
  }
  expect(file.written).toEqual(['read\n']);
});
