import { type Html, markup } from '../../../http/pages/markup.ts';

export interface Column {
  /** The column's class is `col-<name>`. The stylesheet sets its width. */
  readonly name: string;
  readonly label: string;
  /** Numbers are aligned to the right. */
  readonly isNumeric?: boolean;
  /** Only screen readers see the label. */
  readonly isUnlabelled?: boolean;
}

export interface TableParts {
  readonly id?: string;
  /** Describes the table for screen readers. */
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Html[];
  /** The text of a table without rows. */
  readonly empty?: string;
}

/**
 * A dense table with a sticky head. On narrow screens the stylesheet turns rows into cards, so each cell has its label as
 * an attribute. The explicit roles keep it a table for screen readers.
 */
export function table({ id, caption, columns, rows, empty = 'None.' }: TableParts): Html {
  const heads = columns.map(
    ({ name, label, isNumeric = false, isUnlabelled = false }) => markup`
      <th scope="col" role="columnheader" class="col-${name}${isNumeric ? ' figure' : ''}">${
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

/** The cell that names a row. */
export function headCell(content: Html): Html {
  return markup`<th scope="row" role="rowheader">${content}</th>`;
}

export function cell(label: string, content: Html | string, className = ''): Html {
  return markup`<td role="cell" class="${className}" data-label="${label}">${content}</td>`;
}

export function numberCell(label: string, content: Html | string, className = ''): Html {
  return cell(label, content, `figure ${className}`.trim());
}

/** Stands for a missing number. */
export function dash(): Html {
  return markup`<span class="dash" aria-hidden="true">–</span><span class="unseen">none</span>`;
}
