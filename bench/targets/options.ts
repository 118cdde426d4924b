import type { RateStage } from '../testbed.ts';

export type Header = readonly [name: string, value: string];

const longestSeconds = 86_400;
const stagesMax = 100;
const rateMax = 1_000_000;
/** Headers that every request has already, or that define where a body ends. */
const reserved: ReadonlySet<string> = new Set([
  ...['host', 'connection', 'content-length', 'content-type', 'expect', 'idempotency-key'],
  ...['prefer', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
]);

/** Parses `500ms`, `30s` or `2m` to seconds; undefined for anything else, and for more than a day. */
export function parseDuration(text: string): number | undefined {
  const { number, unit } = /^(?<number>\d+(?:\.\d+)?)(?<unit>ms|s|m)?$/.exec(text)?.groups ?? {};
  const seconds = Number(number) * ({ ms: 0.001, s: 1, m: 60 }[unit ?? 's'] ?? Number.NaN);
  return seconds > 0 && seconds <= longestSeconds ? seconds : undefined;
}

/** Parses `100:30s,500:60s`; undefined for anything else. */
export function parseStages(text: string): readonly RateStage[] | undefined {
  const stages = text.split(',').map((part) => {
    const { rate, time = '' } = /^\s*(?<rate>\d+(?:\.\d+)?):(?<time>\S+)\s*$/.exec(part)?.groups ?? {};
    return { rate: Number(rate), seconds: parseDuration(time) ?? Number.NaN };
  });
  const isWhole = stages.every(({ rate, seconds }) => rate > 0 && rate <= rateMax && seconds > 0);
  const seconds = stages.reduce((sum, stage) => sum + stage.seconds, 0);
  return isWhole && stages.length <= stagesMax && seconds <= longestSeconds ? stages : undefined;
}

/** Parses `Name: value` (RFC 9110, visible ASCII); undefined for anything else, and for headers that the bench sets. */
export function parseHeader(text: string): Header | undefined {
  const { name, value } =
    /^(?<name>[!#$%&'*+.^`|~\w-]+):[ \t]*(?<value>[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)[ \t]*$/.exec(
      text,
    )?.groups ?? {};
  if (name === undefined || value === undefined || reserved.has(name.toLowerCase())) return undefined;
  return [name, value];
}
