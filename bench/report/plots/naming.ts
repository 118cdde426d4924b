import { type Style, seriesStyle, variantOf } from '../../../tools/plots/palette.ts';
import type { ContestantStyles } from '../contestant-styles.ts';
import type { Group } from '../summary.ts';

export interface NamedGroup {
  readonly group: Group;
  readonly label: string;
  readonly style: Style;
}

/**
 * Gives each group a style and the shortest label that is unambiguous: the contestant's title, its parameters too if it
 * has several groups, or only the parameters if there is one contestant.
 */
export function nameGroups(
  groups: readonly Group[],
  styles: ContestantStyles,
  labelOf = defaultLabel,
): NamedGroup[] {
  const contestants = [...new Set(groups.map(({ contestant }) => contestant))];
  return groups.map((group, index) => {
    const siblings = groups.filter(({ contestant }) => contestant === group.contestant);
    const isAlone = contestants.length === 1 && groups.length > 1;
    const label = labelOf(group);
    return {
      group,
      label: isAlone && label !== '' ? label : titleOf(group, siblings.length > 1 ? label : ''),
      style: isAlone && index > 0 ? seriesStyle(index) : styleOfGroup(group, siblings.indexOf(group), styles),
    };
  });
}

/** The contestant's style; its other groups get another dash and shape. */
function styleOfGroup({ contestant }: Group, index: number, styles: ContestantStyles): Style {
  return variantOf(styles.get(contestant.name) ?? seriesStyle(index), index);
}

function titleOf({ contestant }: Group, label: string): string {
  return label === '' ? contestant.title : `${contestant.title} · ${label}`;
}

function defaultLabel({ label }: Group): string {
  return label;
}

/** Capitalizes the first word of a title, except `p99` and the like. */
export function capital(text: string): string {
  return /^p\d/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}
