import { runCommand } from '../../src/lib/command-line.ts';
import { auditLockfile } from './audit.ts';

const command = {
  name: 'npm run vulnerabilities',
  about:
    'Looks the packages of package-lock.json up in the advisories of npm’s registry (npm audit). Exits 0 if none is high\n' +
    'or critical, 1 if one is, 2 if npm cannot run, and 3, with the reason, if no registry with advisories is in reach.',
  options: {},
};

await runCommand(command, async () => {
  const audit = await auditLockfile(process.cwd());
  if (audit.kind === 'leftOut') {
    console.log(`LEFT OUT: the scan for vulnerabilities: ${audit.reason}.`);
    return 3;
  }
  const { severe, affected, packages } = audit;
  for (const line of severe) console.log(line);
  const others = affected - severe.length;
  console.log(
    `Of ${packages} packages, ${severe.length} have a high or critical vulnerability, and ${others} have lower ones.`,
  );
  return severe.length === 0 ? 0 : 1;
});
