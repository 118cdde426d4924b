export interface Colour {
  readonly light: string;
  readonly dark: string;
}

/** The colours of a page, by the names of their CSS variables without the dashes. */
export type Colours = Readonly<Record<string, Colour>>;

/** Backgrounds, text and lines. Each light value occurs once, so `followMode` can tell which variable it stands for. */
export const inks = {
  ink: { light: '#1b2230', dark: '#e8ecf2' },
  soft: { light: '#566072', dark: '#a4aebd' },
  grid: { light: '#e3e7ed', dark: '#2b323d' },
  axis: { light: '#9aa4b2', dark: '#5c6675' },
  whisker: { light: '#2d3543', dark: '#cfd6e0' },
  card: { light: '#ffffff', dark: '#151a21' },
  lane: { light: '#f1f3f7', dark: '#1d232c' },
  target: { light: '#8a3ffc', dark: '#c4a5ff' },
} as const satisfies Colours;

/** How one series looks in every plot. Shape and dash distinguish it too, for readers who cannot tell colours apart. */
export interface Style extends Colour {
  /** The name of its CSS variable, without the dashes. */
  readonly name: string;
  readonly shape: Shape;
  readonly dash: readonly number[];
}

export type Shape = (typeof shapes)[number];

const shapes = ['circle', 'square', 'diamond', 'triangle-up', 'triangle-down', 'cross'] as const;
const dashes: readonly (readonly number[])[] = [
  [1, 0],
  [7, 3],
  [2, 2],
  [10, 3, 2, 3],
  [4, 4],
  [1, 3],
];

/** After Okabe and Ito (2008): at least 3:1 against the card, darkened for light pages and lightened for dark ones. */
const series: readonly Colour[] = [
  { light: '#155fa8', dark: '#66b5f8' },
  { light: '#c9520a', dark: '#ff9a61' },
  { light: '#08845f', dark: '#4bd8ab' },
  { light: '#a83f82', dark: '#ee91c6' },
  { light: '#8a6a00', dark: '#e5c04b' },
  { light: '#5b4bb0', dark: '#ac9cf5' },
  { light: '#3d6f7d', dark: '#7fc4d4' },
  { light: '#9c4146', dark: '#f29a9e' },
];

/** The colours that every page has. */
export const commonColours: Colours = {
  ...inks,
  ...Object.fromEntries(series.map((colour, index) => [`series-${index}`, colour])),
};

/** The style of the series at this position, for series without a colour of their own. */
export function seriesStyle(index: number): Style {
  return styleOf(`series-${index % series.length}`, at(series, index), index);
}

/** A style with a solid line. @param index chooses the shape of its markers. */
export function styleOf(name: string, { light, dark }: Colour, index: number): Style {
  return { name, light, dark, shape: at(shapes, index), dash: at(dashes, 0) };
}

/** The same colour with another shape and dash: another set of parameters of the same contestant. */
export function variantOf(style: Style, index: number): Style {
  return index === 0 ? style : { ...style, shape: at(shapes, index), dash: at(dashes, index) };
}

/** The CSS variables of these colours. */
export function cssVariables(colours: Colours, mode: 'light' | 'dark'): string {
  return Object.entries(colours)
    .map(([name, colour]) => `--${name}: ${colour[mode]};`)
    .join('\n');
}

/** Replaces the light colours of a drawn plot by the page's variables, so that the plot follows the reader's mode. */
export function followMode(svg: string, colours: Colours): string {
  const names = new Map(Object.entries(colours).map(([name, { light }]) => [light, name]));
  return svg.replaceAll(/(fill|stroke)="(#[0-9a-f]{6})"/g, (all, attribute: string, colour: string) => {
    const name = names.get(colour);
    return name === undefined ? all : `${attribute}="var(--${name})"`;
  });
}

function at<T>(list: readonly T[], index: number): T {
  return list[index % list.length] as T;
}
