/** A setting that cannot be used. */
export interface Refusal {
  readonly setting: string;
  readonly value: string;
  /** The allowed values, or the reason for the refusal. */
  readonly allowed: string;
}

/**
 * Lists all wrong settings. The message has one line for each wrong setting, with its name, its value and the allowed
 * values. A headline comes first if there are several lines.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly refusals: readonly Refusal[];

  constructor(refusals: readonly Refusal[]) {
    super(inLines(refusals.map(({ setting, value, allowed }) => `${setting}=${refused(value, allowed)}`)));
    this.refusals = refusals;
  }
}

/** Makes the message that a value is not allowed, with the allowed values. */
export function refused(value: string, allowed: string): string {
  return `${oneLine(value)} is not allowed: ${allowed}`;
}

/** Joins lines to a text. A single line stays as it is. Several lines get a headline. */
export function inLines(lines: readonly string[]): string {
  return lines.length === 1
    ? (lines[0] as string)
    : [`${lines.length} settings are wrong:`, ...lines].join('\n');
}

/** The text that is shown instead of a secret. */
export const redacted = '(hidden)';

/** Hides the passwords of all URLs in a text. */
export function withoutPassword(text: string): string {
  return text.replace(/(:\/\/[^\s/@:]*):\S*@/g, `$1:${redacted}@`);
}

function oneLine(value: string): string {
  const text = withoutPassword(value).replace(/[\p{Cc}\u2028\u2029]/gu, ' ');
  const short = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  return /[\s"]/.test(short) ? JSON.stringify(short) : short;
}
