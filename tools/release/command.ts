import { flag, runCommand, UsageError } from '../../src/lib/command-line.ts';
import { checkRelease, makeRelease, tagOf } from './release.ts';

const command = {
  name: 'npm run release',
  about:
    'Releases a version, such as: npm run release -- 1.2.3\n' +
    'Moves what is under Unreleased in CHANGELOG.md to the version, sets the version of the packages, commits and tags\n' +
    'that, and writes a CycloneDX SBOM of what the image ships. Needs the branch main and a clean tree. Pushes nothing.\n' +
    'Exits 0 when it is done, and 2, with everything as it was, if that is not possible.',
  options: { 'dry-run': flag('Checks that the version can be released, and changes nothing.') },
};

const parameters = process.argv.slice(2);
const [version, ...others] = parameters.filter((each) => !each.startsWith('-'));

await runCommand(
  command,
  async (values) => {
    if (version === undefined || others.length > 0) throw new UsageError('Name one version, such as 1.2.3.');
    const release = { folder: process.cwd(), version, date: new Date().toISOString().slice(0, 10) };
    if (values['dry-run']) {
      await checkRelease(release);
      console.log(`${version} can be released, with the tag ${tagOf(version)}. Nothing was changed.`);
      return 0;
    }
    const sbom = await makeRelease(release);
    console.log(`Released ${version}: a commit, the tag ${tagOf(version)}, and ${sbom}.`);
    console.log('Publish it with: git push --follow-tags');
    return 0;
  },
  parameters.filter((each) => each.startsWith('-')),
);
