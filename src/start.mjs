// Plain JavaScript on purpose: a Node that is too old cannot read the program itself, but it can read this.
import process from 'node:process';

const needed = [24, 0];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  console.error(
    `Node.js ${process.versions.node} is too old: ticket-booking needs ${needed[0]} or newer. ` +
      'Use `npm start` after `npm ci`, which brings its own, or install it from https://nodejs.org.',
  );
  process.exitCode = 1;
} else {
  await import('./main.ts');
}
