import { type Bill, lookalikeMonth, s3VectorsMonth, serverMonth } from './month.ts';
import { PRICES } from './prices.ts';
import type { Workload } from './workload.ts';

const base: Omit<Workload, 'pictures' | 'queries' | 'added'> = {
  pictureQueries: 0.5,
  dimension: 256,
  metadataBytes: 300,
  consistency: 'strong',
};

const sizes = [10_000, 100_000, 1_000_000, 10_000_000];
const queriesAMonth = [1000, 100_000, 10_000_000];

const dollars = (amount: number) => `$${amount.toFixed(2)}`;
const count = (value: number) => value.toLocaleString('en-US');

function total(bill: () => Bill): string {
  try {
    return dollars(bill().total);
  } catch (error) {
    if (error instanceof RangeError) return 'does not fit';
    throw error;
  }
}

/** Markdown: a month for collections and traffic of several sizes, a tenth of the pictures new, beside the alternatives. */
export function comparisonTable(): string {
  const lines = [
    '| pictures | queries a month | Lookalike | S3 Vectors, search alone | one server, always on |',
    '| ---: | ---: | ---: | ---: | ---: |',
  ];
  for (const pictures of sizes) {
    for (const queries of queriesAMonth) {
      const workload: Workload = { ...base, pictures, queries, added: pictures / 10 };
      const cells = [
        count(pictures),
        count(queries),
        total(() => lookalikeMonth(workload)),
        total(() => s3VectorsMonth(workload)),
        serverCell(workload),
      ];
      lines.push(`| ${cells.join(' | ')} |`);
    }
  }
  return lines.join('\n');
}

function serverCell(workload: Workload): string {
  const cost = total(() => serverMonth(workload));
  return cost === 'does not fit' ? cost : `${cost} (${serverMonth(workload).server})`;
}

/** Markdown: where the money goes, for one of the rows. */
export function breakdownTable(): string {
  const workload: Workload = { ...base, pictures: 1_000_000, queries: 100_000, added: 100_000 };
  const { parts, total } = lookalikeMonth(workload);
  const rows = Object.entries(parts).map(([part, amount]) => `| ${part} | ${dollars(amount)} |`);
  return ['| part | a month |', '| --- | ---: |', ...rows, `| **total** | **${dollars(total)}** |`].join(
    '\n',
  );
}

/** Everything, as `docs/cost.md` has it. */
export function costReport(): string {
  return [
    `Prices of ${PRICES.region} as published in ${PRICES.asOf}; no free tier.`,
    '',
    comparisonTable(),
    '',
    'Where it goes, for 1,000,000 pictures and 100,000 queries:',
    '',
    breakdownTable(),
  ].join('\n');
}
