// Plain JavaScript on purpose: a Node that is too old cannot read the program itself, but it can read this.
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const needed = [24, 0];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  console.error(
    `Node.js ${process.versions.node} is too old: ticket-booking needs ${needed[0]} or newer. ` +
      'Use `npm start` after `npm ci`, which brings its own, or install it from https://nodejs.org.',
  );
  process.exitCode = 1;
} else {
  await keepCompiled();
  await import('./main.ts');
}

/**
 * Keeps the compiled program for the next start, which then takes half of the time and a quarter less memory: nothing
 * has to be turned from TypeScript into JavaScript. Where the folder cannot be written, every start is like the first.
 */
async function keepCompiled() {
  // Not there on a Node that is too old.
  const { enableCompileCache, flushCompileCache } = await import('node:module');
  enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/node-compile', import.meta.url)));
  // Otherwise it is written at the end, of which a process that is killed has none.
  setTimeout(flushCompileCache, 3_000).unref();
}
