import { formatCount } from '../../../http/pages/format.ts';
import { type Html, markup } from '../../../http/pages/markup.ts';
import { rateWords } from '../format.ts';
import type { Overview } from '../overview.ts';

export const totalsElementId = 'admin-totals';

/** The whole sale in six figures. */
export function totalsFragment({ packages, instances }: Overview): Html {
  const total = (of: (each: Overview['packages'][number]) => number) =>
    packages.reduce((sum, each) => sum + of(each), 0);
  const ready = instances.filter(({ state }) => state === 'ready').length;
  return markup`
    <dl id="${totalsElementId}" class="totals">
      ${tile('Purchases', rateWords(total(({ activity }) => activity?.recent.purchasesPerS ?? 0)), 'per second')}
      ${tile('Waiting', formatCount(total(({ inventory }) => inventory.waiting)), 'in all queues')}
      ${tile('Held', formatCount(total(({ inventory }) => inventory.held)), 'being booked')}
      ${tile('Confirmed', formatCount(total(({ inventory }) => inventory.confirmed)), `of ${formatCount(total((each) => each.package.quota))}`)}
      ${tile('Instances', `${ready} / ${instances.length}`, 'ready')}
      ${suppliersTile(instances)}
    </dl>`;
}

/** Each instance has a breaker of its own. */
function suppliersTile(instances: Overview['instances']): Html {
  const heard = instances.filter((instance) => 'load' in instance);
  const open = heard.filter(({ suppliersAvailable }) => suppliersAvailable).length;
  if (open === heard.length) return tile('Suppliers', 'Open', 'they answer');
  if (open === 0) return tile('Suppliers', 'Shut', 'the breaker is open');
  return tile('Suppliers', `${open} / ${heard.length}`, 'are answered');
}

function tile(label: string, figure: string, note: string): Html {
  return markup`
    <div class="tile"><dt>${label}</dt><dd><b>${figure}</b> <span>${note}</span></dd></div>`;
}
