/**
 * A cell of a CSV file, quoted by RFC 4180 where it has to be. Text that a spreadsheet would run as a formula (it begins with `=`, `+`, `-`,
 * `@` or a control character that is skipped before one) gets an apostrophe in front: names of pictures may come from anybody.
 */
export function csvCell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
