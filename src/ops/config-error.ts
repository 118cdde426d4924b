/** A setting that cannot be used. The message is one line: the setting, its value, what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(setting: string, value: string, allowed: string) {
    super(`${setting}=${oneLine(value)} is not allowed: ${allowed}`);
  }
}

/** What a secret's value is shown as. */
export const redacted = '(hidden)';

/** The password of a URL is hidden, wherever it stands in the text. */
export function withoutPassword(text: string): string {
  return text.replace(/(:\/\/[^\s/@:]*):\S*@/g, `$1:${redacted}@`);
}

function oneLine(value: string): string {
  const text = withoutPassword(value).replace(/[\p{Cc}\u2028\u2029]/gu, ' ');
  const short = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  return /[\s"]/.test(short) ? JSON.stringify(short) : short;
}
