import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseStrictJson } from './request.ts';

describe('strict JSON', () => {
  test.each([
    '{"a":1,"a":1}',
    '{"a":1,"a":"x"}',
    '{"a":"x","a":1}',
    '{"a":"x","a":"x"}',
    '{"a":"x","b":1,"a":"x"}',
    '{"a":1,"\\u0061":1}',
    '{"a":{"b":1,"b":1}}',
    '[{"b":1,"b":1}]',
    '{"a":[{"b":1,"b":2}]}',
  ])('refuses a duplicate member: %s', (text) => {
    expect(() => parseStrictJson(text)).toThrow('twice');
  });

  test.each(['{"__proto__":1}', '{"__pr\\u006fto__":1}', '{"a":{"__proto__":{}}}'])('refuses %s', (text) => {
    expect(() => parseStrictJson(text)).toThrow('__proto__');
  });

  test('refuses deep nesting and invalid JSON', () => {
    expect(() => parseStrictJson('['.repeat(40) + ']'.repeat(40))).toThrow('nested');
    expect(() => parseStrictJson('{"a":1')).toThrow('not valid');
  });

  test('parses all other JSON like JSON.parse', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes('__proto__'));
        expect(parseStrictJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test('finds every duplicate member in a flat object', () => {
    const name = fc.constantFrom('a', 'b', 'c', ':', ',"', '{', '');
    const value = fc.oneof(
      fc.constantFrom('x', '"', '":', '}'),
      fc.integer(),
      fc.constant(null),
      fc.boolean(),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 5 }), (members) => {
        const text = `{${members.map(([key, of]) => `${JSON.stringify(key)}:${JSON.stringify(of)}`).join(',')}}`;
        const isTwice = new Set(members.map(([key]) => key)).size < members.length;
        if (isTwice) expect(() => parseStrictJson(text)).toThrow('twice');
        else expect(parseStrictJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });
});
