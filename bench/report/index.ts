export { compare, compareResults } from './compare.ts';
export { renderComparison } from './comparison-page.ts';
export { goalState, goalsTable } from './goals.ts';
export { plotsForReadme } from './main-plots.ts';
export { profileMarkdown } from './profiles.ts';
export { ResultsError, readResults } from './read.ts';
export { renderReport, writeReport } from './report.ts';
export { renderTable } from './terminal.ts';
