/** Deeper than this is no request of ours, and may be meant to overflow somebody's stack. */
const depthMax = 32;

/**
 * Parses JSON more strictly than `JSON.parse`: a member named twice means two things to two readers, one named
 * `__proto__` is an attempt at something, and so is deep nesting.
 * @throws SyntaxError with a message for the caller.
 */
export function parseStrictJson(text: string): unknown {
  const value: unknown = parse(text);
  checkMembers(text);
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SyntaxError('The body is not valid JSON.');
  }
}

/** Strings with what follows them, and the brackets outside of strings: all there is to tell members apart. */
const tokens = /("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/g;

/** Walks over text that is known to be valid JSON. */
function checkMembers(text: string): void {
  const seen: Set<string>[] = [];
  for (const [token, string, colon] of text.matchAll(tokens)) {
    if (token === '{' || token === '[') {
      seen.push(new Set());
      if (seen.length > depthMax) throw new SyntaxError(`The body is nested deeper than ${depthMax} levels.`);
    } else if (token === '}' || token === ']') {
      seen.pop();
    } else if (colon !== undefined) {
      checkName(JSON.parse(string as string) as string, seen.at(-1) as Set<string>);
    }
  }
}

function checkName(name: string, seen: Set<string>): void {
  if (name === '__proto__') throw new SyntaxError('A member must not be named __proto__.');
  if (seen.has(name)) throw new SyntaxError('A member is given twice.');
  seen.add(name);
}
