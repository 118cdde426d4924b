import type { Unit } from './figure-names.ts';

/** Median and range of a measure over the valid rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
}

/** @throws Error when there are no values. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [min, max] = [sorted.at(0), sorted.at(-1)];
  if (min === undefined || max === undefined) throw new Error('no values to take a median of');
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? max;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? min) + upper) / 2;
  return { median, min, max, rounds: sorted.length };
}

/** Rounds to three significant digits, or to whole numbers from 100 on: `0.048`, `0.60`, `4.27`, `31.5`, `13,642`. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value < 0) return `−${formatNumber(-value)}`;
  if (value === 0) return '0';
  if (value < 1) return value.toPrecision(2);
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** The number with its unit: `13,642 /s`, `4.27 ms`, `71.3 MB`, `99.8 %`. */
export function formatValue(value: number, unit: Unit | (string & {})): string {
  if (unit === 'bytes') return formatBytes(value);
  if (unit === 'share') return `${formatNumber(value * 100)} %`;
  if (unit === '×') return `${formatNumber(value)}×`;
  return unit === '' ? formatNumber(value) : `${formatNumber(value)} ${unit}`;
}

/** In SI units: 1 KB is 1,000 bytes. */
export function formatBytes(bytes: number): string {
  const per = bytesPer(bytes);
  return `${formatNumber(bytes / per)} ${byteUnits[per]}`;
}

const byteUnits: Readonly<Record<number, string>> = { 1: 'B', 1e3: 'KB', 1e6: 'MB', 1e9: 'GB' };

/** The unit, in bytes, in which the value has the fewest digits. */
function bytesPer(bytes: number): number {
  return [1e9, 1e6, 1e3].find((per) => Math.abs(bytes) >= per) ?? 1;
}

/** `median (min–max)`, or only the median if all rounds agree or there was one. */
export function formatSpread(spread: Spread, unit: Unit): string {
  const range = formatRange(spread, unit);
  return range === '' ? formatValue(spread.median, unit) : `${formatValue(spread.median, unit)} (${range})`;
}

/** `min–max` in the unit of the median, which is not repeated. Empty if all rounds agree or there was one. */
export function formatRange({ median, min, max, rounds }: Spread, unit: Unit): string {
  if (rounds < 2 || min === max) return '';
  const scale = unit === 'share' ? 100 : unit === 'bytes' ? 1 / bytesPer(median) : 1;
  return `${formatNumber(min * scale)}–${formatNumber(max * scale)}`;
}

/** `+4.2 %`, `−12 %`, or `±0 %` for no change. */
export function formatChange(share: number): string {
  if (!Number.isFinite(share)) return '–';
  if (Math.abs(share) < 0.0005) return '±0 %';
  const size = Math.abs(share) * 100;
  return `${share > 0 ? '+' : '−'}${size >= 10 ? Math.round(size).toLocaleString('en-GB') : size.toFixed(1)} %`;
}

/** `95 s`, `4 min 12 s`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`;
}
