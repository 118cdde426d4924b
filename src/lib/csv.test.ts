import { describe, expect, it } from 'vitest';
import { csvLine } from './csv.ts';

describe('csvLine', () => {
  it('joins cells with commas, and leaves missing ones empty', () => {
    expect(csvLine(['id', undefined, 7, '', 'end'])).toBe('id,,7,,end\r\n');
  });

  it.each([
    ['a comma', 'a,b', '"a,b"'],
    ['quotes', 'the "best" trip', '"the ""best"" trip"'],
    ['a line break', 'a\r\nb', '"a\r\nb"'],
    ['nothing special', 'Zürich – 東京 🛫', 'Zürich – 東京 🛫'],
    ['blanks around it', ' a ', ' a '],
  ])('quotes a text only where RFC 4180 demands it: %s', (_, text, cell) => {
    expect(csvLine([text])).toBe(`${cell}\r\n`);
  });

  it.each([
    ['=1+1', "'=1+1"],
    ['+ana@example.com', "'+ana@example.com"],
    ['-ana@example.com', "'-ana@example.com"],
    ['-5', "'-5"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t1', "'\t1"],
    ['\r1', '"\'\r1"'],
    ['\n1', '"\'\n1"'],
    ['\u00001', "'\u00001"],
    ['=HYPERLINK("http://evil.example","x")', '"\'=HYPERLINK(""http://evil.example"",""x"")"'],
  ])('puts an apostrophe before the formula %j', (text, cell) => {
    expect(csvLine([text])).toBe(`${cell}\r\n`);
  });

  it.each([
    ['a blank', ' =1'],
    ['a blank that does not break', '\u00a0=1'],
    ['an ideographic blank', '\u3000=1'],
    ['a byte order mark', '\ufeff=1'],
    ['a blank without width', '\u200b=1'],
    ['a control character', '\u0001=1'],
  ])('puts an apostrophe before a formula behind %s', (_, text) => {
    expect(csvLine([text])).toBe(`'${text}\r\n`);
  });

  it.each([
    ['full-width equals sign', '\uff1d1'],
    ['full-width plus', '\uff0b1'],
    ['full-width minus', '\uff0d1'],
    ['full-width at sign', '\uff20SUM(A1)'],
    ['minus of typographers', '\u22121+1'],
  ])('puts an apostrophe before a formula that begins with a %s', (_, text) => {
    expect(csvLine([text])).toBe(`'${text}\r\n`);
  });

  it.each([
    ['a semicolon', 'a;=1', "a;'=1"],
    ['a semicolon and a blank', 'a; @SUM(A1)', "a;' @SUM(A1)"],
    ['each of two semicolons', '=1;-1;2', "'=1;'-1;2"],
    ['a semicolon and a quote', 'a;"=1"', `"a;'""=1"""`],
    ['a tab', 'a\t=1', "a\t'=1"],
    ['a tab at the start', '\t=1', "'\t'=1"],
    ['a line break', 'a\n=1', `"a\n'=1"`],
  ])('puts an apostrophe before a formula in a cell of other countries, behind %s', (_, text, cell) => {
    expect(csvLine([text])).toBe(`${cell}\r\n`);
  });

  it.each([
    ["'=1", "'=1"],
    ['a=1', 'a=1'],
    ['a; b-1', 'a; b-1'],
    ['LH 400 - Frankfurt', 'LH 400 - Frankfurt'],
    ['a,-1', '"a,-1"'],
  ])('leaves %j without an apostrophe more', (text, cell) => {
    expect(csvLine([text])).toBe(`${cell}\r\n`);
  });

  it.each([
    [0, '0'],
    [-5, '-5'],
    [1.5, '1.5'],
    [999_999_999_999_999, '999999999999999'],
  ])('keeps the number %d a number', (number, cell) => {
    expect(csvLine([number])).toBe(`${cell}\r\n`);
  });
});
