import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  costReport,
  functionMegabytes,
  lookalikeMonth,
  s3VectorsMonth,
  serverMonth,
  type Workload,
} from './index.ts';
import { PRICES } from './prices.ts';
import { ASSUMPTIONS } from './workload.ts';

const workload: Workload = {
  pictures: 1_000_000,
  queries: 100_000,
  added: 0,
  pictureQueries: 0,
  dimension: 256,
  metadataBytes: 300,
  consistency: 'strong',
};

describe('a month of Lookalike', () => {
  test('with no traffic costs storage and what watches over it', () => {
    const { parts, total } = lookalikeMonth({ ...workload, queries: 0 });
    expect(parts.queries).toBe(0);
    expect(parts.ingestion).toBe(0);
    expect(total).toBeCloseTo((parts.storage ?? 0) + (parts.operations ?? 0), 10);
  });

  test('charges a strong query for its list request', () => {
    const strong = lookalikeMonth(workload).parts.queries ?? 0;
    const eventual = lookalikeMonth({ ...workload, consistency: 'eventual' }).parts.queries ?? 0;
    expect(strong - eventual).toBeCloseTo(100_000 * (0.005 / 1000), 10);
  });

  test('charges the memory and time of a query, by hand', () => {
    const assumed = { ...ASSUMPTIONS, queryMilliseconds: 50, scanMilliseconds: 25, coldShare: 0 };
    const bill = lookalikeMonth({ ...workload, consistency: 'eventual' }, PRICES, assumed);
    // 100,000 queries of 50 + 25 x 2 ms in 3,008 MB.
    const gigabyteSeconds = 100_000 * 0.1 * (3008 / 1024);
    expect(bill.parts.queries).toBeCloseTo(gigabyteSeconds * 0.0000133334 + 100_000 * 0.0000002, 6);
  });

  test('grows the function with the collection, and says where that ends', () => {
    expect(functionMegabytes(workload)).toBe(3008);
    // 10 million rows of 24 + 272 bytes, 350 MB for the encoder and 1,024 for a picture being decoded.
    expect(functionMegabytes({ ...workload, pictures: 10_000_000 })).toBe(4197);
    expect(functionMegabytes({ ...workload, pictures: 20_000_000 })).toBeGreaterThan(7000);
    expect(() => lookalikeMonth({ ...workload, pictures: 50_000_000 })).toThrow('a function has 10240');
  });

  test('charges the traces that Lambda samples, by hand', () => {
    const { parts } = lookalikeMonth({ ...workload, queries: 10_000_000 });
    const without = lookalikeMonth({ ...workload, queries: 10_000_000 }, { ...PRICES, trace: 0 }).parts;
    // One a second of a month of 30 days, a twentieth of the rest, and four an hour by the sweep.
    const traces = 2_592_000 + 0.05 * (10_000_000 - 2_592_000) + 2880;
    expect((parts.operations ?? 0) - (without.operations ?? 0)).toBeCloseTo(traces * 0.000005, 6);
  });

  test('costs more with more of anything', () => {
    const total = (more: Partial<Workload>) => lookalikeMonth({ ...workload, ...more }).total;
    for (const more of [
      { pictures: 2e6 },
      { queries: 2e5 },
      { added: 1e5 },
      { pictureQueries: 1 },
      { dimension: 512 },
    ]) {
      expect(total(more)).toBeGreaterThan(total({}));
    }
  });
});

test('S3 Vectors: the queries of the example on its price page', () => {
  // 40 indexes of 250,000 vectors of 5.17 KB (vector, key, filterable metadata), a million queries in all: $5.87.
  const perVector = 5.17 * 1024;
  const index = {
    ...workload,
    pictures: 250_000,
    queries: 1_000_000,
    metadataBytes: perVector - 4 * workload.dimension,
  };
  expect(s3VectorsMonth(index).parts.queries).toBeCloseTo(5.87, 1);
});

test('a server: the smallest that holds the graph', () => {
  expect(serverMonth({ ...workload, pictures: 10_000 }).server).toBe('t4g.small');
  expect(serverMonth({ ...workload, pictures: 10_000_000 }).server).toBe('t4g.xlarge');
  expect(() => serverMonth({ ...workload, pictures: 100_000_000 })).toThrow('no server');
});

test('npm run cost answers for a workload that one of the three does not take', () => {
  const print = fileURLToPath(new URL('print.ts', import.meta.url));
  const printed = execFileSync(process.execPath, [print, '20000000', '1000'], { encoding: 'utf8' });
  const { lookalike, s3Vectors } = JSON.parse(printed);
  expect(lookalike.total).toBeGreaterThan(0);
  expect(s3Vectors).toContain('10 million');
});

test('docs/cost.md has the tables that the model makes: npm run cost', () => {
  const page = readFileSync(new URL('../../../docs/cost.md', import.meta.url), 'utf8');
  expect(page).toContain(costReport());
});
