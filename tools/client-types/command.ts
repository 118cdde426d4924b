import { writeFile } from 'node:fs/promises';
import { runCommand } from '../../src/lib/command-line.ts';
import { clientTypes, clientTypesFile } from './client-types.ts';

const command = {
  name: 'npm run client:types',
  about: `Writes ${clientTypesFile}, the types of the TypeScript client, after a change of the API.`,
  options: {},
};

await runCommand(command, async () => {
  await writeFile(clientTypesFile, clientTypes());
  console.log(`Wrote ${clientTypesFile}.`);
  return 0;
});
