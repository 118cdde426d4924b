/** A cell of a CSV file; undefined is an empty cell. */
export type CsvCell = string | number | undefined;

/**
 * A line of a CSV file with its line break (RFC 4180).
 *
 * A text that a spreadsheet program would take for a formula gets an apostrophe in front: it shows the text instead of
 * computing it (https://owasp.org/www-community/attacks/CSV_Injection). So does the part of a text behind a semicolon, a tab
 * or a line break, because in many countries programs begin a new cell there, whatever the quotes say. Numbers stay
 * numbers, also negative ones.
 */
export function csvLine(cells: readonly CsvCell[]): string {
  return `${cells.map(cellText).join(',')}\r\n`;
}

/**
 * Before what may begin a formula: the usual characters, their full-width forms, and the minus of typographers. Programs
 * may drop blanks, quotes and invisible characters in front of them.
 */
const formulaStart =
  /(?<=^|[;\t\r\n])(?=[\s"\p{Cc}\p{Cf}]*[=+\-@\uff1d\uff0b\uff0d\uff20\u2212])|^(?=[\t\r\n\0])/gu;

function cellText(cell: CsvCell): string {
  if (cell === undefined) return '';
  if (typeof cell === 'number') return String(cell);
  const text = cell.replace(formulaStart, "'");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
