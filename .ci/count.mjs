// Prints `N passed, N failed` for all that ran, and exits 1 if anything failed: `node count.mjs <what>=<exit status> …`.
// `<what>` is the JSON report of a vitest run, or the name of another command, which counts as one test.
// Names what failed before it, with the start of each message: the rest of the output is too long to search.
import { readFileSync } from 'node:fs';
import process from 'node:process';

let passed = 0;
let failed = 0;
for (const argument of process.argv.slice(2)) {
  const [what, status] = argument.split('=');
  const isOk = status === '0';
  if (!isOk) console.log(`FAILED: ${what} (exit status ${status})`);
  const report = what.endsWith('.json') ? readReport(what) : undefined;
  if (report === undefined) {
    // A run without a report did not start, whatever its exit status says.
    if (isOk && !what.endsWith('.json')) passed++;
    else failed++;
    continue;
  }
  // A file that cannot be loaded has no tests that could fail.
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  );
  const failures = report.numFailedTests + broken.length;
  for (const file of broken) printFailure(file.name, file.message);
  for (const file of report.testResults) {
    for (const test of file.assertionResults) {
      if (test.status === 'failed')
        printFailure(`${file.name}: ${test.fullName}`, test.failureMessages.join('\n'));
    }
  }
  passed += report.numPassedTests;
  // Only the exit status tells of an error outside of every test.
  failed += failures === 0 && !isOk ? 1 : failures;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function printFailure(name, message) {
  const lines = message.split('\n').slice(0, 30);
  console.log(`FAILED: ${name}\n${lines.map((line) => `    ${line.slice(0, 300)}`).join('\n')}`);
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
