import { type ParseArgsConfig, parseArgs } from 'node:util';
import { decimalNumber, wholeNumber } from './numbers.ts';

/** An option of a command, made by the functions below. */
export interface Option<Value> {
  readonly help: string;
  /** Stands for the value in the help: `--file <path>`. A flag has none. */
  readonly placeholder?: string;
  /** The value when the option is not given. */
  readonly default: Value;
  /** The values that are allowed, in words. */
  readonly allowed?: string;
  /** Returns undefined for a text that is not allowed. */
  readonly read: (text: string) => Value | undefined;
}

/** A command: `name` as it is called (`npm run audit`), and `about`, what it does and how it exits. */
export interface CommandLine<Options extends Readonly<Record<string, Option<unknown>>>> {
  readonly name: string;
  readonly about: string;
  readonly options: Options;
}

/** The value of each option: what was given, or the default. */
export type OptionValues<Options> = {
  readonly [Name in keyof Options]: Options[Name] extends Option<infer Value> ? Value : never;
};

/** The command line has an option, or a value, that the command does not know. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** `--yes`: true when it is given. */
export function flag(help: string): Option<boolean> {
  return { help, default: false, read: () => true };
}

/** `--file <path>` */
export function text(placeholder: string, help: string): Option<string | undefined>;
export function text(placeholder: string, help: string, byDefault: string): Option<string>;
export function text(placeholder: string, help: string, byDefault?: string): Option<string | undefined> {
  return { help, placeholder, default: byDefault, read: (given) => given };
}

/** One of some words. */
export function choice<Word extends string>(help: string, words: readonly Word[]): Option<Word | undefined>;
export function choice<Word extends string>(
  help: string,
  words: readonly Word[],
  byDefault: Word,
): Option<Word>;
export function choice<Word extends string>(
  help: string,
  words: readonly Word[],
  byDefault?: Word,
): Option<Word | undefined> {
  const read = (given: string) => words.find((word) => word === given);
  return { help, placeholder: words.join('|'), default: byDefault, allowed: words.join(', '), read };
}

export interface NumberRange {
  readonly min?: number;
  readonly max?: number;
}

/** A whole number, by default from 0 to 999,999,999. */
export function whole(placeholder: string, help: string, range?: NumberRange): Option<number | undefined>;
export function whole(
  placeholder: string,
  help: string,
  range: NumberRange & { readonly default: number },
): Option<number>;
export function whole(
  placeholder: string,
  help: string,
  range: NumberRange & { readonly default?: number } = {},
): Option<number | undefined> {
  const { min = 0, max = 999_999_999 } = range;
  const allowed = `a whole number from ${min} to ${max}`;
  return {
    help,
    placeholder,
    default: range.default,
    allowed,
    read: (given) => wholeNumber(given, min, max),
  };
}

/** A number above 0 that may have decimals. */
export function positive(
  placeholder: string,
  help: string,
  { max, default: byDefault }: { readonly max: number; readonly default: number },
): Option<number> {
  const allowed = `a number above 0, at most ${max}`;
  const read = (given: string) => decimalNumber(given, Number.MIN_VALUE, max);
  return { help, placeholder, default: byDefault, allowed, read };
}

/**
 * Parses the command line, runs the command and sets the exit code to the number that it returns. `--help` prints the
 * help and exits 0. An error is printed in one line and exits 2.
 */
export async function runCommand<Options extends Readonly<Record<string, Option<unknown>>>>(
  command: CommandLine<Options>,
  run: (values: OptionValues<Options>) => Promise<number>,
  args: string[] = process.argv.slice(2),
): Promise<void> {
  try {
    const values = parse(command, args);
    if (values === 'help') console.log(helpOf(command));
    else process.exitCode = await run(values);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    if (error instanceof UsageError) console.error(`See ${command.name} -- --help`);
    process.exitCode = 2;
  }
}

/** @throws UsageError for an unknown option, a missing value, a value that is not allowed, and a stray word. */
export function parse<Options extends Readonly<Record<string, Option<unknown>>>>(
  { options }: CommandLine<Options>,
  args: string[],
): OptionValues<Options> | 'help' {
  const given = parseStrictly(options, args);
  if (given.help === true) return 'help';
  const values = Object.entries(options).map(([name, option]) => {
    const value = given[name];
    if (value === undefined) return [name, option.default];
    const read = option.read(String(value));
    if (read === undefined) throw new UsageError(`--${name} takes ${option.allowed}, not '${value}'`);
    return [name, read];
  });
  return Object.fromEntries(values) as OptionValues<Options>;
}

function parseStrictly(
  options: Readonly<Record<string, Option<unknown>>>,
  args: string[],
): Readonly<Record<string, unknown>> {
  const parsed: NonNullable<ParseArgsConfig['options']> = { help: { type: 'boolean', short: 'h' } };
  for (const [name, { placeholder }] of Object.entries(options))
    parsed[name] = { type: placeholder === undefined ? 'boolean' : 'string' };
  try {
    return parseArgs({ args, options: parsed, strict: true }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** What `--help` prints. */
export function helpOf({
  name,
  about,
  options,
}: CommandLine<Readonly<Record<string, Option<unknown>>>>): string {
  const lines = Object.entries({ ...options, help: flag('Print this and exit.') }).map(([option, each]) => {
    const form = each.placeholder === undefined ? `--${option}` : `--${option} <${each.placeholder}>`;
    const hasDefault = each.default !== undefined && each.default !== false;
    return `  ${form.padEnd(24)} ${each.help}${hasDefault ? ` Default: ${each.default}.` : ''}`;
  });
  return `Usage: ${name} [-- options]\n\n${about}\n\n${lines.join('\n')}`;
}
