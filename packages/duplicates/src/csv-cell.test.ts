import { expect, test } from 'vitest';
import { csvCell } from './csv-cell.ts';

test.each([
  ['holiday/cat.jpg', 'holiday/cat.jpg'],
  ['a, "b".jpg', '"a, ""b"".jpg"'],
  ['two\nlines', '"two\nlines"'],
  ['=HYPERLINK("http://example.com")', '"\'=HYPERLINK(""http://example.com"")"'],
  ['+1', "'+1"],
  ['-1', "'-1"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['\t=1', "'\t=1"],
  ['\r=1', '"\'\r=1"'],
  ['\n=1', '"\'\n=1"'],
  ['a=1', 'a=1'],
  ['', ''],
  [-1, '-1'],
  [0.95, '0.95'],
])('%j is written as %s', (value, cell) => {
  expect(csvCell(value)).toBe(cell);
});
