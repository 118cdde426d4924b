import { describe, expect, it } from 'vitest';
import { UsageError } from '../src/lib/command-line.ts';
import { readArguments } from './arguments.ts';
import { scenarios } from './scenarios/index.ts';

const read = (line: string, environment = {}) =>
  readArguments(line === '' ? [] : line.split(' '), environment);

describe('the arguments of the bench', () => {
  it('runs all scenarios without arguments', () => {
    expect(read('')).toEqual({
      kind: 'scenarios',
      isQuick: false,
      scenarios,
      only: [],
      out: 'bench/results',
    });
  });

  it('takes scenarios, each once, and contestants', () => {
    expect(
      read('--quick --scenario start --scenario look-ups,start --only hello,lua --rounds 2 --seconds 0.5'),
    ).toEqual({
      kind: 'scenarios',
      isQuick: true,
      scenarios: ['start', 'look-ups'].map((name) => scenarios.find((each) => each.name === name)),
      only: ['hello', 'lua'],
      rounds: 2,
      seconds: 0.5,
      out: 'bench/results',
    });
  });

  it('leaves full-only scenarios out of a quick bench unless they are named', () => {
    const names = (line: string) => {
      const params = read(line);
      return params.kind === 'scenarios' ? params.scenarios.map(({ name }) => name) : [];
    };
    expect(names('')).toContain('restate');
    expect(names('--quick')).not.toContain('restate');
    expect(names('--quick --scenario restate')).toEqual(['restate']);
  });

  it('takes targets and the rate of an open loop', () => {
    const params = read(
      '--targets http://a:1/,http://b:2 --rate 2000 --duration 1.5m --package 7 --spend --assert p99<50ms',
    );
    expect(params).toEqual({
      kind: 'targets',
      origins: ['http://a:1', 'http://b:2'],
      rate: 2000,
      callers: 10_000,
      seconds: 90,
      packages: [7],
      isSpendingAllowed: true,
      isReadOnly: false,
      headers: [],
      isLimitAllowed: false,
      assertions: [{ text: 'p99<50ms', metric: 'p99', comparison: '<', bound: 50 }],
      out: 'bench/results',
    });
  });

  it('takes stages, headers, a CSV file and --allow-429', () => {
    const args = ['--targets', 'http://a:1', '--stages', '100:30s,500:1m', '--header', 'X-Trace: a b'];
    expect(readArguments([...args, '--header', 'X-B: c', '--csv', 'a.csv', '--allow-429'])).toMatchObject({
      stages: [
        { rate: 100, seconds: 30 },
        { rate: 500, seconds: 60 },
      ],
      seconds: 90,
      callers: 10_000,
      headers: [
        ['X-Trace', 'a b'],
        ['X-B', 'c'],
      ],
      csv: 'a.csv',
      isLimitAllowed: true,
    });
  });

  it('takes --seconds as the duration', () => {
    expect(read('--targets http://a:1 --seconds 3')).toMatchObject({ seconds: 3 });
  });

  it('takes the admin token from the environment', () => {
    expect(read('--targets http://a:1', { ADMIN_TOKEN: 'secret' })).toMatchObject({
      adminToken: 'secret',
      callers: 64,
    });
    expect(read('--targets http://a:1 --admin-token mine', { ADMIN_TOKEN: 'secret' })).toMatchObject({
      adminToken: 'mine',
    });
  });

  it.each([
    ['--scenario nope', "there is no scenario 'nope'"],
    ['--only nope', "there is no contestant 'nope'"],
    ['--rounds 0', '--rounds takes a whole number from 1'],
    ['--seconds -1', '--seconds'],
    ['--nonsense', "Unknown option '--nonsense'"],
    ['surplus', "'surplus' is no option"],
    ['--rate 5', '--rate does not go with a bench without --targets'],
    ['--targets http://a:1 --quick', '--quick does not go with --targets'],
    ['--targets ftp://a', '--targets takes origins'],
    ['--targets http://a:1/path', '--targets takes origins'],
    ['--targets ,', '--targets takes URLs'],
    ['--targets http://a:1 --rate nought', '--rate takes a number'],
    ['--targets http://a:1 --duration soon', '--duration takes'],
    ['--targets http://a:1 --duration 0s', '--duration takes'],
    ['--targets http://a:1 --assert p42<1', '--assert takes conditions'],
    ['--targets http://a:1 --duration 5s --seconds 3', '--seconds does not go with --duration'],
    ['--targets http://a:1,http://ada:secret@b:2', '--targets takes no user or password'],
    ['--targets http://a:1 --read-only --assert finished>1', 'which buys nothing'],
    ['--targets http://a:1 --stages 100', '--stages takes rates and times'],
    ['--targets http://a:1 --stages 100:1s --rate 5', '--rate does not go with --stages'],
    ['--targets http://a:1 --stages 100:1s --duration 5s', '--duration does not go with --stages'],
    ['--targets http://a:1 --header Host:secret', '--header takes'],
    ['--targets http://a:1 --read-only --assert confirmed>1', 'which buys nothing'],
    ['--targets http://a:1 --spend', '--spend wants --package'],
    ['--targets http://a:1 --read-only --spend --package 1', '--read-only does not go with --spend'],
    ['--compare a.json', '--compare takes two results'],
    ['--compare a.json b.json c.json', '--compare takes two results'],
  ])('refuses %s in one line', (line, why) => {
    expect(() => read(line)).toThrow(UsageError);
    expect(() => read(line)).toThrow(why);
    try {
      read(line);
    } catch (error) {
      expect((error as Error).message).not.toMatch(/\n|secret/);
    }
  });
});
