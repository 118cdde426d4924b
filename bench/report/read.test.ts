import { expect, it } from 'vitest';
import { resultsOf } from './fixture.ts';
import { parseResults, ResultsError, readResults } from './read.ts';

const whole = JSON.stringify(resultsOf());

it('reads results that a bench wrote', () => {
  expect(parseResults(whole, 'a.json')).toEqual(resultsOf());
});

it.each([
  ['broken JSON', whole.slice(0, 1000), 'a.json is not JSON: is it the results of a bench, and whole?'],
  ['another version', '{"version": 3}', 'a.json is of version 3, and this bench reads versions 1 and 2'],
  ['no version', '{}', 'a.json is of version none, and this bench reads versions 1 and 2'],
  ['no object', 'null', 'a.json is of version none, and this bench reads versions 1 and 2'],
  ['a part that is missing', '{"version": 1}', "a.json is no bench's results: startedAt: "],
  [
    'a part of another kind',
    whole.replace('"verdict":"clean"', '"verdict":"fine"'),
    "a.json is no bench's results: scenarios.0.contestants.0.runs.0.audit.verdict: ",
  ],
])('explains in one line what is wrong with %s', (_name, text, message) => {
  const parse = () => parseResults(text, 'a.json');
  expect(parse).toThrow(ResultsError);
  expect(parse).toThrow(message);
  try {
    parse();
  } catch (error) {
    expect((error as Error).message).not.toContain('\n');
  }
});

it('names a file that does not exist', async () => {
  await expect(readResults('/nowhere/a.json')).rejects.toThrow('/nowhere/a.json cannot be read (ENOENT)');
});
