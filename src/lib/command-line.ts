import { type ParseArgsConfig, parseArgs } from 'node:util';
import { decimalNumber, wholeNumber } from './numbers.ts';

const alternatives = new Intl.ListFormat('en-GB', { type: 'disjunction' });

/** An option of a command, made by the functions below. */
export interface Option<Value> {
  readonly help: string;
  /** Stands for the value in the help, as in `--file <path>`. A flag has no placeholder. */
  readonly placeholder?: string;
  /** The value when the option is not given. */
  readonly default: Value;
  /** The values that are allowed, in words. */
  readonly allowed?: string;
  /** Parses the value. Returns undefined for a text that is not allowed. */
  readonly read: (text: string) => Value | undefined;
}

type Options = Readonly<Record<string, Option<unknown>>>;

/**
 * A command. `name` is how to call it, such as `npm run audit`. `about` tells what the command does and how it exits.
 */
interface CommandLine<Known extends Options> {
  readonly name: string;
  readonly about: string;
  readonly options: Known;
}

/** The value of each option: what was given, or the default. */
export type OptionValues<Known> = {
  readonly [Name in keyof Known]: Known[Name] extends Option<infer Value> ? Value : never;
};

/** The command line has an option, or a value, that the command does not know. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** An option without a value, such as `--yes`. Its value is true when the option is given. */
export function flag(help: string): Option<boolean> {
  return { help, default: false, read: () => true };
}

/** An option with any text as its value, such as `--file <path>`. */
export function text<Default extends string | undefined = undefined>(
  placeholder: string,
  help: string,
  byDefault?: Default,
): Option<string | Default> {
  return { help, placeholder, default: byDefault as Default, read: (given) => given };
}

/** An option whose value is one of the given words. */
export function choice<Word extends string, Default extends Word | undefined = undefined>(
  help: string,
  words: readonly Word[],
  byDefault?: Default,
): Option<Word | Default> {
  const read = (given: string) => words.find((word) => word === given);
  const placeholder = words.join('|');
  const allowed = alternatives.format(words);
  return { help, placeholder, default: byDefault as Default, allowed, read };
}

/** An option with a whole number as its value, by default from 0 to 999,999,999. */
export function whole<Default extends number | undefined = undefined>(
  placeholder: string,
  help: string,
  range: { readonly min?: number; readonly max?: number; readonly default?: Default } = {},
): Option<number | Default> {
  const { min = 0, max = 999_999_999 } = range;
  const allowed = `a whole number from ${min} to ${max}`;
  const read = (given: string) => wholeNumber(given, min, max);
  return { help, placeholder, default: range.default as Default, allowed, read };
}

/** An option with a number above 0 as its value, which may have decimals. */
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
export async function runCommand<Known extends Options>(
  command: CommandLine<Known>,
  run: (values: OptionValues<Known>) => Promise<number>,
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

/**
 * Parses the parameters of a command.
 * @throws UsageError for an unknown option, a missing value, a value that is not allowed, and a word that is no option.
 */
export function parse<Known extends Options>(
  { options }: CommandLine<Known>,
  args: string[],
): OptionValues<Known> | 'help' {
  const given = parseStrictly(options, args);
  if (given.help === true) return 'help';
  const values = Object.entries(options).map(([name, option]) => {
    const value = given[name];
    if (value === undefined) return [name, option.default];
    const read = option.read(String(value));
    if (read === undefined) throw new UsageError(`--${name} takes ${option.allowed}, not '${value}'`);
    return [name, read];
  });
  return Object.fromEntries(values) as OptionValues<Known>;
}

function parseStrictly(options: Options, args: string[]): Readonly<Record<string, unknown>> {
  const parsed: NonNullable<ParseArgsConfig['options']> = { help: { type: 'boolean', short: 'h' } };
  for (const [name, { placeholder }] of Object.entries(options))
    parsed[name] = { type: placeholder === undefined ? 'boolean' : 'string' };
  try {
    return parseArgs({ args, options: parsed, strict: true }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** The text that `--help` prints. */
export function helpOf({ name, about, options }: CommandLine<Options>): string {
  const lines = Object.entries({ ...options, help: flag('Print this and exit.') }).map(([option, each]) => {
    const form = each.placeholder === undefined ? `--${option}` : `--${option} <${each.placeholder}>`;
    const hasDefault = each.default !== undefined && each.default !== false;
    return `  ${form.padEnd(24)} ${each.help}${hasDefault ? ` Default: ${each.default}.` : ''}`;
  });
  return `Usage: ${name} [-- options]\n\n${about}\n\n${lines.join('\n')}`;
}
