import { markdownTable } from '../markdown-table.ts';
import type { Figures } from './evaluate.ts';
import type { Half } from './transformations.ts';

export interface MethodReport {
  name: string;
  note: string;
  dimension: number;
  /** By transformation. */
  transformations: Record<string, Figures & { half: Half }>;
  halves: Record<'easy' | 'hard', { plain: Figures; normalised?: Figures; behindCheapTier?: Figures }>;
}

export interface AccuracyReport {
  corpus: string;
  missing: string[];
  methods: MethodReport[];
  cheapTier: {
    hash: string;
    distance: number;
    /** Share of queries with a match that it settles, of those the share it settles right, by half. */
    halves: Record<'easy' | 'hard', { settled: number; right: number }>;
    /** Queries without a match that it settles, wrongly. */
    unmatchedSettled: number;
    milliseconds: { hash: number; encoder: number };
  };
}

const percent = (value: number) => (100 * value).toFixed(1);
const MEASURES = [
  ['µAP', 'microAveragePrecision'],
  ['recall@1', 'recallAt1'],
  ['recall at precision 0.999', 'recallAtPrecision999'],
] as const;

/** Rows of the halves in which `method` has the highest µAP, alone or with others. */
export function rowsLed(
  report: AccuracyReport,
  method: MethodReport,
): { led: number; rows: number; lost: string[] } {
  const rows = Object.entries(method.transformations).filter(([, { half }]) => half !== 'beyond');
  const best = (name: string) =>
    Math.max(...report.methods.map((other) => other.transformations[name]?.microAveragePrecision ?? 0));
  const lost = rows
    .filter(([name, figures]) => figures.microAveragePrecision < best(name))
    .map(([name]) => name);
  return { led: rows.length - lost.length, rows: rows.length, lost };
}

function summaryTable(report: AccuracyReport): string {
  const header = [
    'method',
    ...['easy', 'hard'].flatMap((half) => MEASURES.map(([title]) => `${half}: ${title}`)),
    'rows led',
  ];
  const rows = report.methods.flatMap((method) =>
    (['plain', 'normalised', 'behindCheapTier'] as const).flatMap((way) => {
      if (!method.halves.easy[way]) return [];
      const title = {
        plain: '',
        normalised: ', scores normalised',
        behindCheapTier: ', behind the cheap tier',
      }[way];
      const figures = (['easy', 'hard'] as const).flatMap((half) =>
        MEASURES.map(([, key]) => percent(method.halves[half][way]?.[key] ?? Number.NaN)),
      );
      const { led, rows: count } = rowsLed(report, method);
      return [[method.name + title, ...figures, way === 'plain' ? `${led}/${count}` : '']];
    }),
  );
  return markdownTable(header, rows);
}

function transformationTable(report: AccuracyReport, key: keyof Figures): string {
  const [first] = report.methods;
  const rows = Object.entries(first?.transformations ?? {}).map(([name, { half }]) => [
    `${half}: ${name}`,
    ...report.methods.map((method) => percent(method.transformations[name]?.[key] ?? Number.NaN)),
  ]);
  return markdownTable(['transformation', ...report.methods.map(({ name }) => name)], rows);
}

export function markdownReport(report: AccuracyReport): string {
  const { cheapTier } = report;
  const { hash, encoder } = cheapTier.milliseconds;
  const tier = (['easy', 'hard'] as const).map((half) => {
    const { settled, right } = cheapTier.halves[half];
    return `of the ${half} half's queries it settles ${percent(settled)}%, ${percent(right)}% of them right`;
  });
  return [
    '# Accuracy',
    report.corpus,
    ...report.missing.map((what) => `Not compared: ${what}`),
    'All figures in percent. µAP: micro average precision over all query-reference pairs, queries without a match included. The halves pool all their transformations under one threshold; recall at precision 0.999 is there the share of copies found by the lowest threshold that keeps one wrong pair in a thousand. "beyond" counts in no half. Rows led: transformations of the halves with the highest µAP of all plain methods, ties included.',
    report.methods
      .map(({ name, note, dimension }) => `- **${name}**: ${note} (${dimension} numbers or bits)`)
      .join('\n'),
    '## Halves',
    summaryTable(report),
    `Cheap tier: ${cheapTier.hash} within ${cheapTier.distance} of 256 bits answers before the encoder is asked. It saves the encoder where it settles: ${tier.join('; ')}; it settles ${percent(cheapTier.unmatchedSettled)}% of the queries that match nothing. A hash takes ${hash.toFixed(1)} ms where the encoder takes ${encoder.toFixed(1)} ms (one thread each, this run). SHA-256 settles byte-identical files only: none of these copies is one.`,
    ...MEASURES.flatMap(([title, key]) => [
      `## ${title} by transformation`,
      transformationTable(report, key),
    ]),
  ].join('\n\n');
}
