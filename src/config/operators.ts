import { z } from 'zod';

/** An operator of `ADMIN_TOKEN` or `ADMIN_TOKENS`. */
export interface OperatorConfig {
  /** As the change log shows it. */
  readonly name: string;
  readonly token: string;
  /** False for an operator who may only read. */
  readonly mayChange: boolean;
}

/** The operator of `ADMIN_TOKEN`. No entry of `ADMIN_TOKENS` may have this name. */
export const mainOperator = 'admin';

/** The fewest characters of a token in `ADMIN_TOKENS`. A shorter one can be guessed. */
const tokenMin = 20;

const format = '<name>:<token>, or <name>:<token>:read for an operator who may only read';

/** Names have no blank and no `@`, because the change log never contains an email. Tokens have no comma and no colon. */
const entryPattern =
  /^(?<name>[A-Za-z0-9._-]{1,32}):(?<token>[\x21-\x2b\x2d-\x39\x3b-\x7e]{1,512})(?<right>:read)?$/;

interface Entry extends OperatorConfig {
  /** Counted from 1. */
  readonly position: number;
}

/**
 * Parses `ADMIN_TOKENS`. A problem names an entry by its position, never by its text: a token may stand where a name
 * belongs.
 */
export function operatorTokens(text: string, context: z.RefinementCtx): OperatorConfig[] {
  const read = text.split(',').map((part, index) => readEntry(part.trim(), index + 1));
  const entries = read.filter((entry) => typeof entry !== 'string');
  const problems = [
    ...read.filter((entry) => typeof entry === 'string'),
    // Names that differ only in their case would be mistaken for each other in the change log.
    ...repeated(entries, 'name', ({ name }) => name.toLowerCase()),
    ...repeated(entries, 'token', ({ token }) => token),
  ];
  if (problems.length === 0) return entries.map(({ position: _, ...operator }) => operator);
  context.addIssue({ code: 'custom', message: problems.join('; ') });
  return z.NEVER;
}

/** The entry, or what is wrong with it. */
function readEntry(text: string, position: number): Entry | string {
  const { name, token, right } = entryPattern.exec(text)?.groups ?? {};
  if (name === undefined || token === undefined) return `entry ${position} is not ${format}`;
  if (token.length < tokenMin) return `the token of entry ${position} has fewer than ${tokenMin} characters`;
  if (name.toLowerCase() === mainOperator) {
    return `entry ${position} has the name ${mainOperator}, which is that of ADMIN_TOKEN`;
  }
  return { name, token, mayChange: right === undefined, position };
}

function repeated(
  entries: readonly Entry[],
  what: 'name' | 'token',
  read: (entry: Entry) => string,
): string[] {
  return [...Map.groupBy(entries, read).values()]
    .filter((group) => group.length > 1)
    .map((group) => `entries ${group.map(({ position }) => position).join(' and ')} have the same ${what}`);
}
