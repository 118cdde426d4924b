/** A cell of a CSV file; undefined is an empty cell. */
export type CsvCell = string | number | undefined;

/**
 * A line of a CSV file with its line break (RFC 4180).
 *
 * A text that a spreadsheet program would take for a formula gets an apostrophe in front: it shows the text instead of
 * computing it (https://owasp.org/www-community/attacks/CSV_Injection). Numbers stay numbers, also negative ones.
 */
export function csvLine(cells: readonly CsvCell[]): string {
  return `${cells.map(cellText).join(',')}\r\n`;
}

const formulaStart = /^[=+\-@\t\r\n]/;

function cellText(cell: CsvCell): string {
  if (cell === undefined) return '';
  if (typeof cell === 'number') return String(cell);
  const text = formulaStart.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
