import { type Html, markup } from '../../../http/pages/markup.ts';

export interface Column {
  /** Also its class, `col-<name>`: the stylesheet fixes its width. */
  readonly name: string;
  readonly label: string;
  /** Figures stand at the right. */
  readonly isFigure?: boolean;
  /** The head of the column is only for screen readers. */
  readonly isUnlabelled?: boolean;
}

export interface TableParts {
  readonly id?: string;
  /** What it lists, for screen readers. */
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Html[];
  /** What stands there while there are no rows. */
  readonly empty?: string;
}

/**
 * A dense table with a head that sticks, which turns into cards where there is little room: each cell carries its
 * label for that. The roles stay what they are when the stylesheet changes how it is laid out.
 */
export function table({ id, caption, columns, rows, empty = 'None.' }: TableParts): Html {
  const heads = columns.map(
    ({ name, label, isFigure = false, isUnlabelled = false }) => markup`
      <th scope="col" role="columnheader" class="col-${name}${isFigure ? ' figure' : ''}">${
        isUnlabelled ? markup`<span class="unseen">${label}</span>` : label
      }</th>`,
  );
  const none = markup`<tr role="row" class="none"><td role="cell" colspan="${columns.length}">${empty}</td></tr>`;
  return markup`
    <table class="grid" role="table"${id === undefined ? '' : markup` id="${id}"`}>
      <caption class="unseen">${caption}</caption>
      <thead role="rowgroup"><tr role="row">${heads}</tr></thead>
      <tbody role="rowgroup">${rows.length === 0 ? none : rows}</tbody>
    </table>`;
}

/** A cell that names its row. */
export function headCell(content: Html): Html {
  return markup`<th scope="row" role="rowheader">${content}</th>`;
}

export function cell(label: string, content: Html | string, className = ''): Html {
  return markup`<td role="cell" class="${className}" data-label="${label}">${content}</td>`;
}

export function figureCell(label: string, content: Html | string, className = ''): Html {
  return cell(label, content, `figure ${className}`.trim());
}

/** What stands where there is no figure. */
export function dash(): Html {
  return markup`<span class="dash" aria-hidden="true">–</span><span class="unseen">none</span>`;
}
