import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, test } from 'vitest';
import { textsIn } from '../../../../test/support/source-texts.ts';
import { textsOf, textsScript } from './index.ts';
import { languages } from './languages.ts';

const root = join(import.meta.dirname, '../../../..');
const en = textsOf('en');
const scripts = ['page', 'live', 'order', 'result', 'purchase-dialog', 'purchase'];
const otherScripts = ['purchase-store', 'purchase-request'];

const scriptOf = (name: string) => readFileSync(join(root, `public/${name}.js`), 'utf8');

describe('texts outside of the catalogues', () => {
  // § stands for a dollar sign.
  test.each([
    ['markup`<p>Hello</p>`', ['Hello']],
    ['markup`<p>§{name} is <b>here</b></p>`', ['is', 'here']],
    ['markup`<input§{isOn ? markup` checked` : markup`off`} aria-label="Your name">`', ['off', 'Your name']],
    ["page({ title: 'Hello' })", ['Hello']],
    ["navLink('/order', 'My orders', true)", ['My orders']],
    ['const words = `You have §{count} orders`;', ['You have … orders']],
    ["const ends = 'it is over.';", ['it is over.']],
    [
      "// It's a comment: 'Hello'\nc.header('Cache-Control', 'no-store'); throw new TypeError('That is wrong.');",
      [],
    ],
    ['a = /[\'"]Hello/.test(b) ? `/orders/§{id}` : markup`<b class="a">§{b}</b>, §{icon(\'alert\')}`', []],
  ])('are found in %s', (source, texts) => {
    expect(textsIn(source.replaceAll('§', '$')).toSorted()).toEqual(texts.toSorted());
  });

  const modules = ['src/http/pages', 'src/calendar', 'src/notifications/mail'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.startsWith('texts'))
      .map((path) => join(folder, path)),
  );

  it('are looked for in the modules of the pages, of the calendar file and of the mails', () => {
    const some = [
      ...['http/pages/layout.ts', 'http/pages/fragments/order.ts'],
      ...['calendar/order-calendar.ts', 'notifications/mail/order-mail.ts'],
    ];
    expect(modules).toEqual(expect.arrayContaining(some.map((path) => join('src', path))));
  });

  test.each(modules)('are not in %s', (path) => {
    expect(textsIn(readFileSync(join(root, path), 'utf8'))).toEqual([]);
  });

  test.each([...scripts, ...otherScripts])('are not in public/%s.js', (name) => {
    expect(textsIn(scriptOf(name))).toEqual([]);
  });
});

describe('the texts of the scripts', () => {
  test.each(scripts)('public/%s.js uses exactly its texts', (name) => {
    const source = scriptOf(name);
    const [, part = ''] = /const said = window\.ticketTexts\.(\w+);/.exec(source) ?? [];
    const used = [...source.matchAll(/(?<![.\w])said\.(\w+)/g)].map(([, key]) => key);
    const given: Record<string, unknown> = { ...en.scripts };
    expect([...new Set(used)].toSorted()).toEqual(Object.keys(given[part] as object).toSorted());
  });

  test.each(languages)('have the same values in %s as in English', (language) => {
    expect(valuesIn(textsOf(language).scripts)).toEqual(valuesIn(en.scripts));
  });

  test.each(languages)('are a script in %s', (language) => {
    const window: { ticketTexts?: unknown } = {};
    runInNewContext(textsScript(textsOf(language)), { window });
    expect(window.ticketTexts).toEqual(textsOf(language).scripts);
  });
});

/** The names of the values in each text. */
function valuesIn(texts: object): unknown {
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]: [string, unknown]) => [
      name,
      typeof text === 'string'
        ? [...text.matchAll(/\{(\w+)\}/g)].map(([, value]) => value).toSorted()
        : valuesIn(text as object),
    ]),
  );
}

/** No abbreviation ends a sentence, because the first sentence of an error is shown alone. */
test.each(languages)('errors in %s are sentences without abbreviations', (language) => {
  for (const [code, words] of Object.entries(textsOf(language).errors)) {
    const sentences = words.split(/(?<=\.) /);
    expect(words, code).toMatch(/^\p{Lu}.*\.$/u);
    for (const sentence of sentences) expect(sentence, code).toMatch(/^\p{Lu}.{10,}\.$/u);
  }
});
