import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Sums what vitest (`vitest.json`) and, where it ran, pytest (`pytest.xml`, JUnit) wrote to a folder, as one line. Fails
 * where a test failed, and where none ran: a run that tested nothing must not look like one that passed.
 */
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: count-results.ts <folder of vitest.json and pytest.xml>');

interface VitestReport {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
}

const vitest = JSON.parse(readFileSync(join(folder, 'vitest.json'), 'utf8')) as VitestReport;
let passed = vitest.numPassedTests;
let failed = vitest.numFailedTests;
let skipped = vitest.numPendingTests + vitest.numTodoTests;

const pytestReport = join(folder, 'pytest.xml');
if (existsSync(pytestReport)) {
  const suite = /<testsuite [^>]*>/.exec(readFileSync(pytestReport, 'utf8'))?.[0] ?? '';
  const count = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? Number.NaN);
  failed += count('failures') + count('errors');
  skipped += count('skipped');
  passed += count('tests') - count('failures') - count('errors') - count('skipped');
}

console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
if (!(passed > 0) || failed !== 0) process.exit(1);
