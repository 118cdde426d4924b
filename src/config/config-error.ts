/** A setting that cannot be used. */
export interface Refusal {
  readonly setting: string;
  readonly value: string;
  /** What is allowed, or why this is not. */
  readonly allowed: string;
}

/**
 * Settings that cannot be used, all of them. The message has one line for each: the setting, its value, what is
 * allowed. Several come after a headline.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly refusals: readonly Refusal[];

  constructor(refusals: readonly Refusal[]) {
    super(inLines(refusals.map(({ setting, value, allowed }) => `${setting}=${refused(value, allowed)}`)));
    this.refusals = refusals;
  }
}

/** Of a value that was given: that it is not allowed, and why. */
export function refused(value: string, allowed: string): string {
  return `${oneLine(value)} is not allowed: ${allowed}`;
}

/** A single line stands for itself; several come after a headline. */
export function inLines(lines: readonly string[]): string {
  return lines.length === 1
    ? (lines[0] as string)
    : [`${lines.length} settings are wrong:`, ...lines].join('\n');
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
