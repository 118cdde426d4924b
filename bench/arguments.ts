import { parseArgs } from 'node:util';
import { UsageError } from '../src/lib/command-line.ts';
import { defined } from '../src/lib/defined.ts';
import { decimalNumber, wholeNumber } from '../src/lib/numbers.ts';
import { type Assertion, parseAssertion } from './assertions.ts';
import { contestants } from './scenarios/contestants.ts';
import { scenarios as allScenarios } from './scenarios/index.ts';
import { type Header, parseDuration, parseHeader, parseStages } from './targets/options.ts';
import type { RateStage, Scenario } from './testbed.ts';

/** The parsed command line. */
export type BenchParams =
  | { readonly kind: 'help' }
  | { readonly kind: 'list' }
  | { readonly kind: 'compare'; readonly before: string; readonly after: string; readonly out: string }
  | ScenariosParams
  | TargetsParams;

export interface ScenariosParams {
  readonly kind: 'scenarios';
  readonly isQuick: boolean;
  /** The named scenarios, or all scenarios of a quick or full bench. */
  readonly scenarios: readonly Scenario[];
  readonly rounds?: number;
  readonly seconds?: number;
  /** Names of contestants; empty means all of them. */
  readonly only: readonly string[];
  readonly cpuProfiles?: string;
  readonly out: string;
}

export interface TargetsParams {
  readonly kind: 'targets';
  readonly origins: readonly string[];
  /**
   * Requests per second, summed over all origins. Without it, `stages` sets the rates, or `callers` form a closed loop.
   */
  readonly rate?: number;
  /** Rates that follow each other. */
  readonly stages?: readonly RateStage[];
  /** Connections: all of a closed loop, the maximum of an open loop. */
  readonly callers: number;
  readonly seconds: number;
  readonly packages: readonly number[];
  readonly isSpendingAllowed: boolean;
  readonly isReadOnly: boolean;
  readonly adminToken?: string;
  /** Sent with every request, including those to the admin API. */
  readonly headers: readonly Header[];
  /** Whether a run counts although more than 1 % of its answers are 429. */
  readonly isLimitAllowed: boolean;
  /** The CSV file with one row for each second. */
  readonly csv?: string;
  readonly assertions: readonly Assertion[];
  readonly out: string;
}

const options = {
  quick: { type: 'boolean' },
  scenario: { type: 'string', multiple: true },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  only: { type: 'string' },
  'cpu-prof': { type: 'string' },
  targets: { type: 'string', multiple: true },
  rate: { type: 'string' },
  stages: { type: 'string' },
  duration: { type: 'string' },
  callers: { type: 'string' },
  package: { type: 'string', multiple: true },
  spend: { type: 'boolean' },
  'read-only': { type: 'boolean' },
  'admin-token': { type: 'string' },
  header: { type: 'string', multiple: true },
  'allow-429': { type: 'boolean' },
  csv: { type: 'string' },
  assert: { type: 'string', multiple: true },
  compare: { type: 'boolean' },
  out: { type: 'string' },
  list: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Values = ReturnType<typeof parse>['values'];
type Option = keyof typeof options;

const always: readonly Option[] = ['out'];
const ofScenarios: readonly Option[] = ['quick', 'scenario', 'rounds', 'seconds', 'only', 'cpu-prof'];
const ofTargets: readonly Option[] = [
  ...(['targets', 'rate', 'stages', 'duration', 'seconds', 'callers', 'package'] as const),
  ...(['spend', 'read-only', 'admin-token', 'header', 'allow-429', 'csv', 'assert'] as const),
];

/** @throws UsageError with a message of one line. */
export function readArguments(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
): BenchParams {
  const { values, positionals } = parse(args);
  if (values.help) return { kind: 'help' };
  if (values.list) return { kind: 'list' };
  const out = values.out ?? defaultOut;
  if (values.compare) {
    refuse(values, ['compare', ...always], '--compare');
    const [before, after, ...others] = positionals;
    if (before === undefined || after === undefined || others.length > 0)
      throw new UsageError('--compare takes two results: --compare before.json after.json');
    return { kind: 'compare', before, after, out };
  }
  if (positionals.length > 0) throw new UsageError(`'${positionals[0]}' is no option`);
  return values.targets === undefined
    ? scenariosParams(values, out)
    : targetsParams(values, out, environment);
}

/** Relative to the repository's root. */
const defaultOut = 'bench/results';

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message.split(/\. |\n/)[0] ?? '');
  }
}

function scenariosParams(values: Values, out: string): ScenariosParams {
  refuse(values, [...ofScenarios, ...always], 'a bench without --targets');
  const isQuick = values.quick ?? false;
  const named = (values.scenario ?? []).flatMap(list).map(scenario);
  const usual = allScenarios.filter(({ isFullOnly = false }) => !(isQuick && isFullOnly));
  const rounds = values.rounds === undefined ? undefined : whole('--rounds', values.rounds, 1, 1_000);
  const seconds = values.seconds === undefined ? undefined : positive('--seconds', values.seconds, 3_600);
  return {
    kind: 'scenarios',
    isQuick,
    scenarios: named.length > 0 ? [...new Set(named)] : usual,
    only: list(values.only ?? '').map(contestant),
    out,
    ...defined({ rounds, seconds, cpuProfiles: values['cpu-prof'] }),
  };
}

function targetsParams(
  values: Values,
  out: string,
  environment: Readonly<Record<string, string | undefined>>,
): TargetsParams {
  refuse(values, [...ofTargets, ...always], '--targets');
  const origins = (values.targets ?? []).flatMap(list).map(origin);
  if (origins.length === 0)
    throw new UsageError('--targets takes URLs: --targets http://a:8888,http://b:8888');
  if (values['read-only'] && values.spend) throw new UsageError('--read-only does not go with --spend');
  if (values.spend && values.package === undefined)
    throw new UsageError('--spend wants --package <id>: which quota may be spent');
  if (values.seconds !== undefined && values.duration !== undefined)
    throw new UsageError('--seconds does not go with --duration: it says the same');
  for (const option of ['rate', 'duration', 'seconds'] as const) {
    if (values.stages !== undefined && values[option] !== undefined)
      throw new UsageError(`--${option} does not go with --stages, which say it`);
  }
  const assertions = (values.assert ?? []).map(assertion);
  const ofPurchases = assertions.find(({ metric }) => ['finished', 'confirmed', 'goodput'].includes(metric));
  if (values['read-only'] && ofPurchases !== undefined)
    throw new UsageError(`--assert '${ofPurchases.text}' does not go with --read-only, which buys nothing`);
  const rate = values.rate === undefined ? undefined : positive('--rate', values.rate, 1_000_000);
  const stages = values.stages === undefined ? undefined : stagesOf(values.stages);
  const callers = values.callers ?? (rate === undefined && stages === undefined ? '64' : '10000');
  const duration = values.duration ?? (values.seconds === undefined ? '30s' : `${values.seconds}s`);
  const adminToken = values['admin-token'] ?? environment.ADMIN_TOKEN;
  return {
    kind: 'targets',
    origins,
    callers: whole('--callers', callers, 1, 60_000),
    seconds: stages === undefined ? durationSeconds(duration) : sum(stages.map(({ seconds }) => seconds)),
    packages: (values.package ?? [])
      .flatMap(list)
      .map((id) => whole('--package', id, 1, Number.MAX_SAFE_INTEGER)),
    isSpendingAllowed: values.spend ?? false,
    isReadOnly: values['read-only'] ?? false,
    headers: (values.header ?? []).map(header),
    isLimitAllowed: values['allow-429'] ?? false,
    assertions,
    out,
    ...defined({ rate, stages, csv: values.csv, adminToken: adminToken === '' ? undefined : adminToken }),
  };
}

/** @throws UsageError for an option without effect in this mode. */
function refuse(values: Values, allowed: readonly Option[], mode: string): void {
  for (const name of Object.keys(values) as Option[]) {
    if (!allowed.includes(name)) throw new UsageError(`--${name} does not go with ${mode}`);
  }
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function scenario(name: string): Scenario {
  const found = allScenarios.find((each) => each.name === name);
  if (found === undefined)
    throw new UsageError(
      `there is no scenario '${name}': ${allScenarios.map((each) => each.name).join(', ')}`,
    );
  return found;
}

function contestant(name: string): string {
  if (!contestants.includes(name))
    throw new UsageError(`there is no contestant '${name}': ${contestants.join(', ')}`);
  return name;
}

function origin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // The message leaves out the text, because it contains a password.
  if (url !== undefined && (url.username !== '' || url.password !== ''))
    throw new UsageError(
      '--targets takes no user or password in a URL, as none is sent: only origins like http://127.0.0.1:8888',
    );
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search !== '')
    throw new UsageError(`--targets takes origins like http://127.0.0.1:8888, not '${text}'`);
  return url.origin;
}

function assertion(text: string): Assertion {
  const parsed = parseAssertion(text);
  if (parsed === undefined)
    throw new UsageError(`--assert takes conditions like 'p99<50ms' or 'finished>=1000', not '${text}'`);
  return parsed;
}

function durationSeconds(text: string): number {
  const seconds = parseDuration(text);
  if (seconds === undefined) throw new UsageError(`--duration takes 500ms, 30s or 2m, not '${text}'`);
  return seconds;
}

function stagesOf(text: string): readonly RateStage[] {
  const stages = parseStages(text);
  if (stages === undefined)
    throw new UsageError(`--stages takes rates and times like 100:30s,500:60s, not '${text}'`);
  return stages;
}

function header(text: string): Header {
  const parsed = parseHeader(text);
  // The message leaves out the value, because it may be a secret.
  if (parsed === undefined)
    throw new UsageError(
      "--header takes 'Name: value' in ASCII, and no name that the bench sets itself, like Host or Content-Length",
    );
  return parsed;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function whole(name: string, text: string, min: number, max: number): number {
  const number = wholeNumber(text, min, max);
  if (number === undefined)
    throw new UsageError(`${name} takes a whole number from ${min} to ${max}, not '${text}'`);
  return number;
}

function positive(name: string, text: string, max: number): number {
  const number = decimalNumber(text, Number.MIN_VALUE, max);
  if (number === undefined) throw new UsageError(`${name} takes a number up to ${max}, not '${text}'`);
  return number;
}
