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
    ['\t=1', "'\t=1"],
    ['\r=1', '"\'\r=1"'],
    ['\n=1', '"\'\n=1"'],
    ['=HYPERLINK("http://evil.example","x")', '"\'=HYPERLINK(""http://evil.example"",""x"")"'],
  ])('puts an apostrophe before the formula %j', (text, cell) => {
    expect(csvLine([text])).toBe(`${cell}\r\n`);
  });

  it.each([
    ["'=1", "'=1"],
    ['a=1', 'a=1'],
    ['"=1"', '"""=1"""'],
  ])('leaves %j without another apostrophe', (text, cell) => {
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
