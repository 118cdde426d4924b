/* Finds texts for readers in source files, so that a test can hold them against the catalogues. */

interface Literal {
  /** The literal without its quotes. Each `${…}` is a {@link hole}. */
  readonly text: string;
  /** The tag of a template, such as `markup`. Empty without one. */
  readonly tag: string;
  /** The end of the code before the literal. */
  readonly before: string;
}

const hole = '\0';

/** A comment, a string, a regular expression, or one character. */
const token =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|(?<quote>['"])(?:\\[\s\S]|(?!\k<quote>)[^\\\n])*\k<quote>|(?<=[(,=:?!&|;{[]\s*)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*|[\s\S]/y;

/** A piece of a template: an escape, the beginning of a `${…}`, the end, or text. */
const piece = /\\[\s\S]|\$\{|`|(?:(?!\$\{)[^\\`])+/y;

/** The strings and templates of TypeScript or JavaScript. */
function literalsOf(source: string): Literal[] {
  const found: Literal[] = [];
  let at = 0;

  function next(pattern: RegExp): string {
    pattern.lastIndex = at;
    const [text = ''] = pattern.exec(source) ?? [];
    at += text.length;
    return text;
  }

  /** Reads code up to the brace that closes it, or to the end. */
  function readCode(): void {
    for (let depth = 0; at < source.length; ) {
      const before = source.slice(Math.max(0, at - 40), at);
      const text = next(token);
      if (text === '{') depth++;
      if (text === '}' && depth-- === 0) return;
      if (text === '`') readTemplate(before);
      else if (/^['"]/.test(text)) found.push({ text: text.slice(1, -1), tag: '', before });
    }
  }

  function readTemplate(before: string): void {
    let text = '';
    for (let part = next(piece); part !== '`' && part !== ''; part = next(piece)) {
      text += part === '${' ? hole : part;
      if (part === '${') readCode();
    }
    found.push({ text, tag: /\w*$/.exec(before)?.[0] ?? '', before });
  }

  readCode();
  return found;
}

/**
 * The texts for readers in a source: what stands between the tags and in the attributes of `markup` templates, and strings
 * that look like a sentence or a label. The messages of errors do not count, because only the log shows them.
 */
export function textsIn(source: string): string[] {
  return literalsOf(source).flatMap(({ text, tag, before }) => {
    if (tag === 'markup') return markupTexts(text);
    return isText(text) && !/Error\(\s*$/.test(before) ? [text.replaceAll(hole, '…')] : [];
  });
}

/** An attribute alone, such as ` checked` or ` role="…"`. */
const attributeAlone = /^ [a-z-]+(?:="[^"]*")?$/;

function markupTexts(html: string): string[] {
  const attributes = [...html.matchAll(/\s(?:aria-label|alt|placeholder|title|data-busy)="([^"]*)"/g)];
  const between = attributeAlone.test(html) ? [] : html.replace(/<[^>]*>/g, hole).split(hole);
  return [
    ...attributes.map(([, value = '']) => value).filter((value) => /\p{Ll}/u.test(value)),
    ...between.map((text) => text.trim()).filter((text) => /\p{L}/u.test(text)),
  ];
}

/** Words of HTTP and of cookies. */
const codeWords: ReadonlySet<string> = new Set(['Lax', 'Location', 'Vary']);

function isText(text: string): boolean {
  if (codeWords.has(text) || /^[A-Z][a-z]+(?:-[A-Z][a-z]*)+$/.test(text)) return false;
  return /^\s*\p{Lu}(?:\p{Ll}| \p{Ll})/u.test(text) || /\p{L} .*\p{L}[.!?…]$/u.test(text);
}
