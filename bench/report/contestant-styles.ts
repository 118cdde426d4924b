import {
  type Colour,
  type Colours,
  commonColours,
  type Style,
  seriesStyle,
  styleOf,
} from '../../tools/plots/palette.ts';

/** The style of each contestant, by its name. */
export type ContestantStyles = ReadonlyMap<string, Style>;

/** Colours of the contestants that every bench has, chosen like those of a series. */
const known: Readonly<Record<string, Colour>> = {
  'actor-mongodb': { light: '#0b63b4', dark: '#5aaef5' },
  'actor-sqlite': { light: '#0e8a9c', dark: '#4fd0e0' },
  lock: { light: '#cc4b00', dark: '#ff9257' },
  queue: { light: '#b27a00', dark: '#f2bd47' },
  atomic: { light: '#b3488c', dark: '#f09acb' },
  lua: { light: '#00805c', dark: '#43d3a5' },
  hello: { light: '#6a7280', dark: '#aab3c0' },
  restate: { light: '#6d43c0', dark: '#b99cff' },
  'actor-mongodb-limited': { light: '#3b4fa8', dark: '#8f9ff0' },
  'actor-sqlite-limited': { light: '#2f7d5b', dark: '#6fc7a0' },
  'floor-mongodb': { light: '#4a4f57', dark: '#c9ced6' },
  'floor-sqlite': { light: '#7a5c3e', dark: '#d3b48f' },
  'actor-mongodb-notices': { light: '#a33a5b', dark: '#f094ab' },
  'actor-sqlite-notices': { light: '#5c7a12', dark: '#b5d26a' },
};

/** All colours of a report. */
export const reportColours: Colours = {
  ...commonColours,
  ...Object.fromEntries(Object.entries(known).map(([name, colour]) => [`contestant-${name}`, colour])),
};

/**
 * One style for each name. Known contestants have the same style in every report, others get series styles in order.
 */
export function contestantStyles(names: readonly string[]): ContestantStyles {
  const fixed = Object.keys(known);
  const styles = new Map<string, Style>();
  for (const name of names) {
    if (styles.has(name)) continue;
    const colour = known[name];
    styles.set(
      name,
      colour === undefined
        ? seriesStyle(styles.size)
        : styleOf(`contestant-${name}`, colour, fixed.indexOf(name)),
    );
  }
  return styles;
}
