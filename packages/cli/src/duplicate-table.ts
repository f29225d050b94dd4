import { styleText } from 'node:util';
import { byteSize } from './byte-size.ts';
import { counted } from './counted.ts';
import {
  type ComparedFiles,
  type DuplicateReport,
  type ReportedGroup,
  type ReportedItem,
  redundantItems,
  rounded,
} from './duplicate-report.ts';

/** Groups for a person to read; `color` for terminals. */
export function reportTable(report: DuplicateReport, { color }: { color: boolean }): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    color ? styleText(style, text, { validateStream: false }) : text;
  const lines: string[] = [];
  for (const [number, group] of report.groups.entries()) {
    lines.push(paint('bold', groupHeading(number + 1, group)));
    const widths = columnWidths(group);
    for (const item of group.items) {
      const kept = item.path === group.keep;
      const verdict = kept ? paint('green', 'keep     ') : paint('yellow', 'duplicate');
      const cells = itemCells(item, kept).map((cell, column) => cell.padStart(widths[column] as number));
      lines.push(`  ${verdict}  ${cells.join('  ')}  ${printable(item.path)}`);
    }
    lines.push('');
  }
  return lines.map((line) => `${line}\n`).join('') + summary(report);
}

function groupHeading(number: number, { items, weakest, reason }: ReportedGroup): string {
  const least =
    weakest.similarity < 1
      ? `, least alike ${rounded(weakest.similarity).toFixed(2)}${
          items.length > 2 ? ` (${printable(weakest.a)} and ${printable(weakest.b)})` : ''
        }`
      : '';
  return `Group ${number}: ${items.length} files${least}; keep: ${reason}`;
}

function itemCells(item: ReportedItem, kept: boolean): string[] {
  const { kind, similarity, by, bytes, transform = 'none' } = item;
  const near = transform === 'none' ? (by === 'perceptual-hash' ? 'near by hash' : 'near') : transform;
  const relation = kept ? '' : { exact: 'same bytes', pixels: 'same pixels', near }[kind];
  return [relation, kept ? '' : rounded(similarity).toFixed(4), sizeText(item), byteSize(bytes)];
}

/** `640 x 480`, `640 x 480, 3 frames`, or that it has no size in pixels to tell. */
export function sizeText({ width, height, frames = 1 }: ReportedItem): string {
  if (width === undefined) return 'not decoded';
  return `${width} x ${height}${frames > 1 ? `, ${frames} frames` : ''}`;
}

function columnWidths({ keep, items }: ReportedGroup): number[] {
  const rows = items.map((item) => itemCells(item, item.path === keep));
  return [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => (row[column] as string).length)));
}

function summary(report: DuplicateReport): string {
  const redundant = redundantItems(report);
  const among = `among ${comparedText(report)} (${levelText(report)})`;
  if (redundant.length === 0) return `No duplicates ${among}.\n`;
  const bytes = redundant.reduce((sum, item) => sum + item.bytes, 0);
  const groups = counted(report.groups.length, 'group');
  return `${groups}, ${counted(redundant.length, 'duplicate')} (${byteSize(bytes)}) ${among}.\n`;
}

/** `204 pictures against 60 in library`: what can be a duplicate, and of what. */
export function comparedText(report: DuplicateReport): string {
  const count = ({ pictures, undecoded }: ComparedFiles) =>
    counted(pictures, 'picture') +
    (undecoded > 0 ? ` and ${counted(undecoded, 'file')} compared by bytes only` : '');
  const { against } = report;
  return count(report) + (against ? ` against ${count(against)} in ${against.folder}` : '');
}

/** What counted as alike. */
export function levelText({ threshold, precision }: DuplicateReport): string {
  const estimate =
    precision === undefined ? '' : `, an estimated ${(100 * precision).toFixed(1)} % of pairs right`;
  return `similarity of at least ${rounded(threshold)}${estimate}`;
}

/** A file name with control characters must not move the cursor or recolour the terminal. */
export function printable(path: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  return path.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}
