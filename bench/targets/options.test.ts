import { expect, it } from 'vitest';
import { requestMaker, UniqueNames } from '../client/requests.ts';
import { parseDuration, parseHeader, parseStages } from './options.ts';

it('parses durations', () => {
  expect(['500ms', '30s', '2m', '1.5', 'soon', '0s', '2d'].map(parseDuration)).toEqual([
    ...[0.5, 30, 120, 1.5],
    ...[undefined, undefined, undefined],
  ]);
});

it('parses stages', () => {
  expect(parseStages('100:30s,500:1m')).toEqual([
    { rate: 100, seconds: 30 },
    { rate: 500, seconds: 60 },
  ]);
  for (const text of ['', '100', '100:', ':30s', '0:30s', '100:30s,', '-1:30s', '100:30s;500:60s'])
    expect(parseStages(text)).toBeUndefined();
});

it('parses headers, and refuses headers that would change the length of a body', () => {
  expect(parseHeader('X-Trace: a: b')).toEqual(['X-Trace', 'a: b']);
  expect(parseHeader('Authorization:Basic eHk=')).toEqual(['Authorization', 'Basic eHk=']);
  for (const text of ['X', ': x', 'X:', 'a b: c', 'Host: x', 'content-length: 5', 'X: a\r\nY: b', 'X: ü'])
    expect(parseHeader(text)).toBeUndefined();
});

it('sends headers with purchases and look-ups', () => {
  const headers = [['X-Trace', 'on']] as const;
  for (const kind of ['buy', 'package'] as const) {
    const make = requestMaker(new URL('http://a:1'), { kind, packages: [1], headers }, new UniqueNames());
    const [head] = make().split('\r\n\r\n');
    expect(head?.split('\r\n')).toContain('X-Trace: on');
  }
});
