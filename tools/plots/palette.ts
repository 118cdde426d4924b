/** How one contestant looks in every plot: told apart by shape and dash as well as by colour. */
export interface Style {
  /** Its CSS variable without the dashes. */
  readonly name: string;
  readonly light: string;
  readonly dark: string;
  readonly shape: Shape;
  readonly dash: readonly number[];
}

export type Shape = 'circle' | 'square' | 'diamond' | 'triangle-up' | 'triangle-down' | 'cross';

export const shapes: readonly Shape[] = [
  'circle',
  'square',
  'diamond',
  'triangle-up',
  'triangle-down',
  'cross',
];
export const dashes: readonly (readonly number[])[] = [
  [1, 0],
  [7, 3],
  [2, 2],
  [10, 3, 2, 3],
  [4, 4],
  [1, 3],
];

/** Grounds and inks; each light value occurs once, so that a drawn plot can be turned into one for both modes. */
export const inks = {
  ink: { light: '#1b2230', dark: '#e8ecf2' },
  soft: { light: '#566072', dark: '#a4aebd' },
  grid: { light: '#e3e7ed', dark: '#2b323d' },
  axis: { light: '#9aa4b2', dark: '#5c6675' },
  whisker: { light: '#2d3543', dark: '#cfd6e0' },
  card: { light: '#ffffff', dark: '#151a21' },
  target: { light: '#8a3ffc', dark: '#c4a5ff' },
} as const;

/** After Okabe and Ito (2008), darkened to 3:1 on white and lightened to the same on the dark ground. */
const known: Readonly<Record<string, readonly [light: string, dark: string]>> = {
  'actor-mongodb': ['#0b63b4', '#5aaef5'],
  'actor-sqlite': ['#0e8a9c', '#4fd0e0'],
  lock: ['#cc4b00', '#ff9257'],
  queue: ['#b27a00', '#f2bd47'],
  atomic: ['#b3488c', '#f09acb'],
  lua: ['#00805c', '#43d3a5'],
  hello: ['#6a7280', '#aab3c0'],
  restate: ['#6d43c0', '#b99cff'],
};

const others: readonly (readonly [light: string, dark: string])[] = [
  ['#155fa8', '#66b5f8'],
  ['#c9520a', '#ff9a61'],
  ['#08845f', '#4bd8ab'],
  ['#a83f82', '#ee91c6'],
  ['#8a6a00', '#e5c04b'],
  ['#5b4bb0', '#ac9cf5'],
  ['#3d6f7d', '#7fc4d4'],
  ['#9c4146', '#f29a9e'],
];

export type Palette = ReadonlyMap<string, Style>;

/** One style per name, the same wherever it occurs: fixed for the known contestants, in order for the others. */
export function paletteFor(names: readonly string[]): Palette {
  const fixed = Object.keys(known);
  const palette = new Map<string, Style>();
  for (const name of names) {
    if (palette.has(name)) continue;
    const isKnown = fixed.includes(name);
    const index = isKnown ? fixed.indexOf(name) : palette.size;
    const colours = known[name] ?? at(others, index);
    palette.set(name, styleOf(isKnown ? `c-${name}` : `o-${index % others.length}`, colours, index));
  }
  return palette;
}

/** Styles for the parameters of one contestant that stands alone. */
export function otherStyle(index: number): Style {
  return styleOf(`o-${index % others.length}`, at(others, index), index);
}

/** The same colour with another dash and shape: another set of parameters of the same contestant. */
export function variantOf(style: Style, index: number): Style {
  return index === 0 ? style : { ...style, shape: at(shapes, index), dash: at(dashes, index) };
}

/** The CSS variables of all colours, light or dark. */
export function cssVariables(mode: 'light' | 'dark'): string {
  return Object.entries(allColours())
    .map(([name, colours]) => `--${name}: ${colours[mode]};`)
    .join('\n');
}

/** Turns the light colours of a drawn plot into the page's variables, so that it follows the reader's mode. */
export function followMode(svg: string): string {
  const names = new Map(Object.entries(allColours()).map(([name, { light }]) => [light, name]));
  return svg.replaceAll(/(fill|stroke)="(#[0-9a-f]{6})"/g, (all, attribute: string, colour: string) => {
    const name = names.get(colour);
    return name === undefined ? all : `${attribute}="var(--${name})"`;
  });
}

function allColours(): Record<string, { light: string; dark: string }> {
  const all: Record<string, { light: string; dark: string }> = { ...inks };
  for (const [name, [light, dark]] of Object.entries(known)) all[`c-${name}`] = { light, dark };
  others.forEach(([light, dark], index) => {
    all[`o-${index}`] = { light, dark };
  });
  return all;
}

function styleOf(name: string, [light, dark]: readonly [string, string], index: number): Style {
  return { name, light, dark, shape: at(shapes, index), dash: [1, 0] };
}

function at<T>(list: readonly T[], index: number): T {
  return list[index % list.length] as T;
}
