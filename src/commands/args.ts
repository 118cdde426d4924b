import { type ParseArgsConfig, parseArgs } from 'node:util';

/** An option of a command, with what its help says. */
export interface CommandOption {
  readonly type: 'boolean' | 'string';
  /** What stands for the value of a string in the help: `--file <path>`. */
  readonly value?: string;
  readonly help: string;
}

export interface Command<Options extends Record<string, CommandOption>> {
  /** As it is called: `npm run audit`. */
  readonly name: string;
  /** What it does and how it exits. */
  readonly about: string;
  readonly options: Options;
}

/** The options that were given. */
export type Given<Options extends Record<string, CommandOption>> = {
  readonly [Name in keyof Options]?: Options[Name]['type'] extends 'boolean' ? boolean : string;
};

/** The command line asks for what the command does not know. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Parses the command line, runs the command and sets the exit code to what it returns. `--help` prints the help
 * and exits 0; an error is printed in one line and exits 2.
 */
export async function runCommand<Options extends Record<string, CommandOption>>(
  command: Command<Options>,
  run: (given: Given<Options>) => Promise<number>,
  args: string[] = process.argv.slice(2),
): Promise<void> {
  try {
    const given = parse(command, args);
    if (given === 'help') console.log(help(command));
    else process.exitCode = await run(given);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    if (error instanceof UsageError) console.error(`See ${command.name} -- --help`);
    process.exitCode = 2;
  }
}

/** @throws UsageError for an unknown option, a missing value, or anything that is no option. */
export function parse<Options extends Record<string, CommandOption>>(
  command: Command<Options>,
  args: string[],
): Given<Options> | 'help' {
  const options: NonNullable<ParseArgsConfig['options']> = { help: { type: 'boolean', short: 'h' } };
  for (const [name, { type }] of Object.entries(command.options)) options[name] = { type };
  try {
    const { values } = parseArgs({ args, options, strict: true });
    return values.help ? 'help' : (values as Given<Options>);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** A whole number of up to nine digits; undefined when the option was not given. @throws UsageError for anything else. */
export function whole(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`${option} takes a whole number, not '${text}'`);
  return Number(text);
}

function help({ name, about, options }: Command<Record<string, CommandOption>>): string {
  const all = { ...options, help: { type: 'boolean', help: 'Print this and exit.' } as CommandOption };
  const lines = Object.entries(all).map(([option, { value, help: words }]) => {
    const form = value === undefined ? `--${option}` : `--${option} <${value}>`;
    return `  ${form.padEnd(24)} ${words}`;
  });
  return `Usage: ${name} [-- options]\n\n${about}\n\n${lines.join('\n')}`;
}
