import { describe, expect, test, vi } from 'vitest';
import { choice, flag, parse, positive, runCommand, text, UsageError, whole } from './command-line.ts';

const options = {
  file: text('path', 'Where.'),
  out: text('folder', 'Where to.', 'results'),
  yes: flag('Do it.'),
  mode: choice('How.', ['fast', 'slow']),
  count: whole('count', 'How many.', { min: 1, max: 9, default: 3 }),
  seed: whole('seed', 'Which.'),
  rate: positive('rate', 'How fast.', { max: 100, default: 2 }),
};
const command = { name: 'npm run try', about: 'Tries.', options };

describe('a command line', () => {
  test('gives the default of an absent option, or undefined for an option without a default', () => {
    const defaults = { out: 'results', yes: false, count: 3, rate: 2 };
    const absent = { file: undefined, mode: undefined, seed: undefined };
    expect(parse(command, [])).toEqual({ ...defaults, ...absent });
  });

  test('gives each option its value', () => {
    const args = [
      '--file',
      'a b',
      '--out=x',
      '--yes',
      '--mode',
      'slow',
      '--count=9',
      '--seed',
      '0',
      '--rate',
      '.5',
    ];
    expect(() => parse(command, args)).toThrow("--rate takes a number above 0, at most 100, not '.5'");
    args[args.length - 1] = '0.5';
    const expected = { file: 'a b', out: 'x', yes: true, mode: 'slow', count: 9, seed: 0, rate: 0.5 };
    expect(parse(command, args)).toEqual(expected);
  });

  test('shows the help even if other options are wrong', () => {
    expect(parse(command, ['--count=99', '--help'])).toBe('help');
    expect(parse(command, ['-h'])).toBe('help');
  });

  test.each([['--nope'], ['--file'], ['--yes=1'], ['stray'], ['--file', '--yes']])(
    'refuses an unknown option, a missing value and a stray word: %s',
    (...args) => {
      expect(() => parse(command, args)).toThrow(UsageError);
    },
  );

  test.each([
    '--mode=best',
    '--count=0',
    '--count=10',
    '--seed=-1',
    '--seed=1.5',
    '--seed=1234567890',
    '--rate=0',
  ])('refuses a value that is not allowed: %s', (arg) => {
    expect(() => parse(command, [arg])).toThrow(/^--\w+ takes .*, not '/);
  });

  test('prints the help with every option and its default', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    await runCommand(command, async () => 1, ['--help']);
    const printed = String(log.mock.lastCall?.[0]);
    log.mockRestore();
    expect(printed).toContain('Usage: npm run try [-- options]\n\nTries.\n\n');
    expect(printed).toContain('  --mode <fast|slow>       How.\n');
    expect(printed).toContain('  --count <count>          How many. Default: 3.\n');
  });
});
