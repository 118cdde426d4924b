// Prints `N passed, N failed` from vitest's JSON report and from the exit statuses of the test command and of each
// proof after it, which counts as one test: `node count.mjs <report> <status of the tests> <status of a proof> …`.
import { readFileSync } from 'node:fs';
import process from 'node:process';

const [, , file, status, ...proofs] = process.argv;
const report = JSON.parse(readFileSync(file, 'utf8'));
// A file that cannot even be loaded has no tests in it to fail, yet it failed.
const broken = report.testResults.filter(
  (suite) => suite.status === 'failed' && suite.assertionResults.length === 0,
);
const counted = report.numFailedTests + broken.length;
// An error outside of every test shows in the exit status alone.
const failedTests = counted === 0 && status !== '0' ? 1 : counted;
const failedProofs = proofs.filter((each) => each !== '0').length;
const failed = failedTests + failedProofs;

console.log(`${report.numPassedTests + proofs.length - failedProofs} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
