import { icon } from '../../../http/pages/elements.ts';
import { type Html, markup } from '../../../http/pages/markup.ts';
import type { Problem } from '../problems.ts';

export const problemsElementId = 'admin-problems';

/**
 * What is wrong, first of all. A screen reader is told `data-said` when `data-kinds` changes: figures in the headlines
 * may move every second.
 */
export function problemsFragment(problems: readonly Problem[]): Html {
  const said = problems.length === 0 ? 'All is well.' : problems.map(({ headline }) => headline).join('. ');
  return markup`
    <section id="${problemsElementId}" class="problems" aria-labelledby="problems-title"
      data-kinds="${problems.map(({ id }) => id).join(' ')}" data-said="${said}">
      <h2 id="problems-title" class="unseen">Problems</h2>
      ${problems.length === 0 ? allWell() : markup`<ul class="problem-list">${problems.map(problemCard)}</ul>`}
    </section>`;
}

function allWell(): Html {
  return markup`
    <p class="problem problem-none">${icon('check')}<span class="problem-words"><b>All is well</b>
      <span>Every instance answers and none is lost, every package has its owner, and no order is stuck.</span></span></p>`;
}

function problemCard({ id, level, headline, text, link }: Problem): Html {
  return markup`
    <li class="problem problem-${level}" id="problem-${id}">${icon(level === 'bad' ? 'alert' : 'clock')}
      <span class="problem-words"><b>${headline}</b> <span>${text}</span></span>
      ${link === undefined ? '' : markup`<a class="small-button" href="${link.href}">Show<span class="unseen"> ${link.what}</span></a>`}
    </li>`;
}
