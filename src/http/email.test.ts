import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { emailInput, newEmailInput } from './email.ts';

const schemas = { 'the email of a purchase': newEmailInput, 'the email of an order': emailInput };

/** The email as it is stored, or what the caller is told. */
function read(text: string, schema: typeof emailInput = newEmailInput): string {
  const parsed = schema.safeParse(text);
  return parsed.success ? parsed.data : parsed.error.issues.map(({ message }) => message).join(', ');
}

const invalid = 'must be an email address, for example ana@example.com';
const label63 = 'b'.repeat(63);
const local64 = 'a'.repeat(64);
const letters = fc.constantFrom(...'abz019äöüßñçøабвгд日本語ελνกขค');
/** A name in a domain, in any script. It has no dashes, which have a meaning of their own in names that begin with `xn--`. */
const label = fc.string({ unit: letters, minLength: 1, maxLength: 8 });
const domain = fc
  .tuple(fc.array(label, { minLength: 1, maxLength: 3 }), fc.constantFrom('com', 'рф', 'テスト', 'example'))
  .map(([names, last]) => [...names, last].join('.'));
const local = fc.string({ unit: fc.constantFrom(...'abzABZ09+_'), minLength: 1, maxLength: 64 });

describe.each(Object.entries(schemas))('%s', (_what, schema) => {
  test.each([
    ['ANA@Example.COM', 'ana@example.com'],
    [' ana@example.com\n', 'ana@example.com'],
    ['ana@bücher.example', 'ana@xn--bcher-kva.example'],
    ['Ana@BÜCHER.example', 'ana@xn--bcher-kva.example'],
    ['ana@bu\u0308cher.example', 'ana@xn--bcher-kva.example'],
    ['ana@XN--BCHER-KVA.example', 'ana@xn--bcher-kva.example'],
    ['ana@straße.example', 'ana@xn--strae-oqa.example'],
    ['ana@почта.рф', 'ana@xn--80a1acny.xn--p1ai'],
    ['ana@例え。テスト', 'ana@xn--r8jz45g.xn--zckzah'],
    // They are other ways to write the same domain, also in browsers.
    ['ana@ban\u212a.example', 'ana@bank.example'],
    ['ana@ｅｘａｍｐｌｅ.com', 'ana@example.com'],
  ])('%j is stored as %s', (text, email) => {
    expect(read(text, schema)).toBe(email);
  });

  test.each([
    ['letters before the @', 'ünï@example.com'],
    ['a Kelvin sign before the @', '\u212a@example.com'],
    ['a Kelvin sign before the @ of another domain', '\u212a@bücher.example'],
    ['two @', 'ana@bücher.example@example.com'],
    ['a wide @', 'ana@bücher＠example.com'],
    ['a wide slash', 'ana@bücher／example.com'],
    ['a slash', 'ana@bücher.example/example.com'],
    ['a port', 'ana@bücher.example:25'],
    ['an encoded letter', 'ana@b%C3%BCcher.example'],
    ['an encoded letter beside others', 'ana@bücher%41.example'],
    ['a line break in the domain', 'ana@bücher\n.example'],
    ['a blank in the domain', 'ana@bü cher.example'],
    ['a control character', 'ana@bücher\u0085.example'],
    ['half a character', 'ana@b\ud800cher.example'],
    ['wide digits', 'ana@１２７.０.０.１'],
    ['no domain', 'ana@'],
    ['no last name', 'ana@bücher'],
    ['an empty name', 'ana@bücher..example'],
    ['a dot at the end', 'ana@bücher.example.'],
  ])('with %s is refused', (_case, text) => {
    expect(read(text, schema)).toBe(invalid);
  });

  it('has one form: in any script, in any case, and as ASCII', () => {
    fc.assert(
      fc.property(local, domain, (name, of) => {
        const email = schema.parse(`${name}@${of}`);
        expect(email).toMatch(/^[\x21-\x7e]+$/);
        expect(email.split('@')[0]).toBe(name.toLowerCase());
        expect(schema.parse(`${name.toUpperCase()}@${of.normalize('NFD')}`)).toBe(email);
        expect(schema.parse(email)).toBe(email);
      }),
    );
  });

  it('is ASCII in lower case, with the same local part, whatever is sent', () => {
    const oddLocal = fc.string({ unit: fc.constantFrom(...'aK+.@\u212aſé'), minLength: 1, maxLength: 3 });
    const anything = fc.string({
      unit: fc.nat(0x10ffff).map((code) => String.fromCodePoint(code)),
      maxLength: 3,
    });
    const text = fc.oneof(
      fc.tuple(oddLocal, domain).map(([name, of]) => `${name}@${of}`),
      fc.tuple(local, anything).map(([name, of]) => `${name}@a${of}.com`),
    );
    let accepted = 0;
    fc.assert(
      fc.property(text, (sent) => {
        const parsed = schema.safeParse(sent);
        if (!parsed.success) return;
        accepted += 1;
        const email = parsed.data;
        expect(email).toMatch(/^[a-z0-9_'+.-]+@[a-z0-9.-]+$/);
        const [name = ''] = email.split('@');
        const sentName = sent.slice(0, name.length);
        expect(sentName).toMatch(/^[\x21-\x7e]+$/);
        expect(sentName.toLowerCase()).toBe(name);
        expect(schema.parse(email)).toBe(email);
      }),
      { numRuns: 500 },
    );
    expect(accepted).toBeGreaterThan(0);
  });
});

describe('the email of a purchase', () => {
  const tooLong = 'must have at most 254 characters';
  const longLocal = 'must have at most 64 characters before the @';
  const longLabel = 'must have at most 63 characters between two dots of its domain, as ASCII (xn--…)';

  test.each([
    ['64 characters before the @', `${local64}@example.com`, `${local64}@example.com`],
    ['65 characters before the @', `${local64}a@example.com`, longLocal],
    ['63 characters in a name', `ana@${label63}.example`, `ana@${label63}.example`],
    ['64 characters in a name', `ana@${label63}b.example`, longLabel],
    ['64 characters in the last name', `ana@example.${label63}b`, longLabel],
    ['a name that is too long as ASCII', `ana@${'ü'.repeat(60)}.example`, longLabel],
    ['254 characters', emailOf(254), emailOf(254)],
    ['255 characters', emailOf(255), tooLong],
    ['more characters as ASCII than it may have', `ana@${`${'ü'.repeat(30)}.`.repeat(7)}com`, tooLong],
    ['thousands of characters', `${'ü'.repeat(10_000)}@example.com`, tooLong],
  ])('with %s', (_what, text, result) => {
    expect(read(text)).toBe(result);
  });
});

describe('the email of an order', () => {
  test.each([`${'a'.repeat(200)}@example.com`, `ana@${label63}b.example`])(
    'may have longer parts, because older releases stored %s',
    (email) => {
      expect(read(email.toUpperCase(), emailInput)).toBe(email);
    },
  );
});

/** A valid email of this length. */
function emailOf(length: number): string {
  const start = `${local64}@${`${'b'.repeat(59)}.`.repeat(3)}`;
  return `${start}${'c'.repeat(length - start.length - 4)}.com`;
}

it('the pattern in the description of the API admits what the server admits in ASCII', () => {
  const patterns = [
    [newEmailInput, new RegExp(newEmailInput.meta()?.pattern as string)],
    [emailInput, new RegExp(emailInput.meta()?.pattern as string)],
  ] as const;
  const ofLength = (max: number) => fc.nat(max).map((length) => 'a'.repeat(length));
  const short = fc.string({ unit: fc.constantFrom(...'aB0+-.'), maxLength: 5 });
  const text = fc
    .tuple(
      fc.oneof(ofLength(80), short),
      fc.array(fc.oneof(ofLength(70), short), { maxLength: 3 }),
      fc.constantFrom('com', 'XN--p1ai', '123'),
    )
    .map(([name, names, last]) => `${name}@${[...names, last].join('.')}`);
  fc.assert(
    fc.property(text, (sent) => {
      for (const [schema, pattern] of patterns)
        expect(schema.safeParse(sent).success).toBe(pattern.test(sent) && sent.length <= 254);
    }),
  );
});
