// Prints `N passed, N failed` from vitest's JSON report: `node count.mjs <report> <exit status of the test command>`.
import { readFileSync } from 'node:fs';
import process from 'node:process';

const [, , file, status] = process.argv;
const report = JSON.parse(readFileSync(file, 'utf8'));
// A file that cannot even be loaded has no tests in it to fail, yet it failed.
const broken = report.testResults.filter(
  (suite) => suite.status === 'failed' && suite.assertionResults.length === 0,
);
const counted = report.numFailedTests + broken.length;
// An error outside of every test shows in the exit status alone.
const failed = counted === 0 && status !== '0' ? 1 : counted;

console.log(`${report.numPassedTests} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
