/**
 * `npm run cost`: the tables of docs/cost.md; with three numbers (pictures, queries a month, pictures added a month) the bill of
 * that month.
 */
import { parseArgs } from 'node:util';
import { type Bill, lookalikeMonth, s3VectorsMonth, serverMonth } from './month.ts';
import { costReport } from './report.ts';
import type { Workload } from './workload.ts';

const { positionals } = parseArgs({ allowPositionals: true });
if (positionals.length === 0) {
  console.log(costReport());
} else {
  const [pictures = 0, queries = 0, added = pictures / 10] = positionals.map(Number);
  if (![pictures, queries, added].every((value) => value >= 0)) {
    console.error('usage: npm run cost -- <pictures> <queries a month> [pictures added a month]');
    process.exit(2);
  }
  const workload: Workload = {
    pictures,
    queries,
    added,
    pictureQueries: 0.5,
    dimension: 256,
    metadataBytes: 300,
    consistency: 'strong',
  };
  console.log(
    JSON.stringify(
      {
        lookalike: orWhyNot(() => lookalikeMonth(workload)),
        s3Vectors: orWhyNot(() => s3VectorsMonth(workload)),
        server: orWhyNot(() => serverMonth(workload)),
      },
      undefined,
      2,
    ),
  );
}

/** The bill, or what it does not fit. */
function orWhyNot(month: () => Bill): Bill | string {
  try {
    return month();
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}
