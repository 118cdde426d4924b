import { describe, expect, test } from 'vitest';
import { type Command, parse, UsageError, whole } from './args.ts';

const options = {
  file: { type: 'string', value: 'path', help: 'Where.' },
  yes: { type: 'boolean', help: 'Do it.' },
} as const;
const command: Command<typeof options> = { name: 'npm run try', about: 'Tries.', options };

describe('command line', () => {
  test('options come as given, and absent ones are absent', () => {
    expect({ ...(parse(command, ['--file', 'a b', '--yes']) as object) }).toEqual({ file: 'a b', yes: true });
    expect({ ...(parse(command, ['--file=x']) as object) }).toEqual({ file: 'x' });
    expect({ ...(parse(command, []) as object) }).toEqual({});
  });

  test('help goes before everything', () => {
    expect(parse(command, ['--yes', '--help'])).toBe('help');
    expect(parse(command, ['-h'])).toBe('help');
  });

  test.each([[['--nope']], [['--file']], [['--yes=1']], [['stray']], [['--file', '--yes']]])(
    '%j is refused',
    (args) => {
      expect(() => parse(command, args)).toThrow(UsageError);
    },
  );

  test('whole numbers come as numbers', () => {
    expect([whole('12', '--seed'), whole(undefined, '--seed')]).toEqual([12, undefined]);
    for (const text of ['', '-1', '1.5', '1e3', '1234567890'])
      expect(() => whole(text, '--seed')).toThrow(UsageError);
  });
});
