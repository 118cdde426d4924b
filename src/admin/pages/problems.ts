import type { UnreadableError } from '../../storage/store.ts';
import { type PartnerKind, partnerKinds } from '../../suppliers/suppliers.ts';
import { recentMax } from '../dead-letter-service.ts';
import type { LostInstance } from '../instance-register.ts';
import type { InstanceStatus } from '../instance-service.ts';
import type { PackageStatus } from '../package-service.ts';
import {
  durationWords,
  formatCount,
  formatQuantity,
  formatTime,
  listed,
  msWords,
  peopleAre,
} from './format.ts';
import type { Overview } from './overview.ts';

/** A problem that an operator should look at. */
export interface Problem {
  /** Stays the same while the problem lasts. */
  readonly id: string;
  /** `bad`: the problem affects customers now. `warn`: it may affect them soon. */
  readonly level: 'bad' | 'warn';
  readonly headline: string;
  readonly text: string;
  /** The page that shows the problem. `what` is the text of the link. */
  readonly link?: { readonly href: string; readonly what: string };
}

/** Callers notice an event loop that lags this much, in ms. */
const lagMsMax = 250;

/** All problems, those that hurt customers first. Packages and orders with the same problem share one entry. */
export function problemsOf(overview: Overview): Problem[] {
  // A package without orders in progress that is not on the first page cannot hurt a customer now.
  const all = [...overview.packages, ...overview.summary.busy];
  const packages = [...new Map(all.map((each) => [each.package.id, each])).values()];
  const found = [
    ...store(overview),
    ...notReady(overview),
    ...unreadable(overview),
    ...suppliers(overview),
    ...failing(overview),
    ...silentInstances(overview),
    ...lostInstances(overview),
    ...ownerless(packages),
    ...concerned(overview, 'stuck'),
    ...paused(packages),
    ...fullLines(packages),
    ...concerned(overview, 'slow'),
    ...undelivered(overview),
    ...lagging(overview.instances),
    ...draining(overview.instances),
  ];
  return [...found.filter(({ level }) => level === 'bad'), ...found.filter(({ level }) => level === 'warn')];
}

function store({ staleSince }: Overview): Problem[] {
  if (staleSince === undefined) return [];
  return [
    {
      id: 'store',
      level: 'bad',
      headline: 'The store does not answer',
      text: `No order can be taken. ${
        staleSince === 0
          ? 'Figures appear as soon as it answers.'
          : `Some figures are from ${formatTime(staleSince)}.`
      }`,
    },
  ];
}

function notReady({ instances }: Overview): Problem[] {
  const found = instances.filter((instance) => instance.state === 'not_ready');
  if (found.length === 0) return [];
  const names = listed(found.map(({ id }) => id));
  const missing = new Set(found.flatMap((each) => ('missing' in each ? each.missing : [])));
  return [
    {
      id: 'not-ready',
      level: 'bad',
      headline: `${names} ${found.length === 1 ? 'is' : 'are'} not ready`,
      text: `Missing: ${[...missing].join('; ')}.`,
      link: { href: '#instances', what: 'instances' },
    },
  ];
}

/** The reason is that of the first document: after an incomplete upgrade all have the same one. */
function unreadable({ unreadable: found }: Overview): Problem[] {
  const orders = found.filter(({ subject }) => subject.orderId !== undefined);
  const packages = found.filter(
    ({ subject }) => subject.orderId === undefined && subject.packageId !== undefined,
  );
  const packageIds = listed(packages.map(({ subject }) => String(subject.packageId)));
  const orderIds = listed(orders.map(({ subject }) => subject.orderId ?? ''));
  return [
    ...(packages.length === 0
      ? []
      : [
          {
            id: 'unreadable-packages',
            level: 'bad' as const,
            headline: `${packages.length === 1 ? `Package ${packageIds}` : formatQuantity(packages.length, 'package')} cannot be read`,
            text: `${packages.length === 1 ? '' : `Packages ${packageIds}. `}${reasonOf(packages)} This instance serves all others.`,
          },
        ]),
    ...(orders.length === 0
      ? []
      : [
          {
            id: 'unreadable-orders',
            level: 'bad' as const,
            headline: `${orders.length === 1 ? `Order ${orderIds}` : formatQuantity(orders.length, 'order')} cannot be read`,
            text: `${orders.length === 1 ? '' : `Orders ${orderIds}. `}${reasonOf(orders)} A package with such an order that has not ended gets no owner here.`,
          },
        ]),
  ];
}

function reasonOf([first]: readonly UnreadableError[]): string {
  return first?.version === undefined
    ? 'The stored document is damaged.'
    : `A newer release wrote document version ${first.version}: run that release.`;
}

/** Suppliers may answer only some instances, because each instance has its own circuit breakers. */
function suppliers({ instances, summary }: Overview): Problem[] {
  const heard = instances.filter((instance) => 'load' in instance);
  const shut = heard.filter((instance) => !instance.suppliersAvailable);
  if (shut.length === 0) return [];
  const isForAll = shut.length === heard.length;
  const { waiting } = summary.totals;
  return [
    {
      id: 'suppliers',
      level: 'bad',
      headline: `The suppliers do not answer${isForAll ? '' : ` ${listed(shut.map(({ id }) => id))}`}`,
      text: isForAll
        ? `They are silent for most packages, and no place of these is claimed until they answer. ${peopleAre(waiting)} in the queue.`
        : 'They are silent for most packages there, and no place of these is claimed until they answer.',
      link: { href: '#instances', what: 'instances' },
    },
  ];
}

const partnerWords: Readonly<Record<PartnerKind, string>> = {
  flights: 'flight supplier',
  hotels: 'hotel supplier',
  payments: 'payment provider',
};

/** Instances report the same package if it has no owner, or if it has moved. */
function failing({ instances, now }: Overview): Problem[] {
  const all = instances.flatMap((instance) => ('load' in instance ? instance.failing : []));
  return partnerKinds.flatMap((kind): Problem[] => {
    const found = all.filter(({ supplier }) => supplier === kind);
    const ids = [...new Set(found.flatMap(({ firstPackages }) => firstPackages))];
    const [only] = ids;
    if (only === undefined) return [];
    const isOne = ids.length === 1;
    const isComplete = found.every(({ packages, firstPackages }) => packages === firstPackages.length);
    const many = isComplete ? formatQuantity(ids.length, 'package') : `more than ${ids.length} packages`;
    const duration = durationWords(now - Math.min(...found.map(({ since }) => since)));
    return [
      {
        id: `failing-${kind}`,
        level: 'bad',
        headline: `The ${partnerWords[kind]} does not answer for ${isOne ? `package ${only}` : many}`,
        text: isOne
          ? `It has given no answer for ${duration}. No place of the package is claimed until it answers.`
          : `Packages ${listed(ids.map(String))}, the first for ${duration}. No place of these is claimed until it answers.`,
        link: isOne
          ? { href: `/admin/packages/${only}`, what: `package ${only}` }
          : { href: '#packages', what: 'packages' },
      },
    ];
  });
}

function silentInstances({ instances }: Overview): Problem[] {
  const silent = instances.filter(({ state }) => state === 'silent').map(({ id }) => id);
  if (silent.length === 0) return [];
  return [
    {
      id: 'silent',
      level: 'bad',
      headline: silent.length === 1 ? `${silent[0]} is silent` : `${silent.length} instances are silent`,
      text: `${silent.length === 1 ? 'It does' : `${listed(silent)} do`} not answer. Within seconds it answers again, or counts as lost.`,
      link: { href: '#instances', what: 'instances' },
    },
  ];
}

/** A lost instance is shown until an operator dismisses it, even if other instances already own its packages. */
function lostInstances({ instances, now }: Overview): Problem[] {
  return instances.flatMap((instance): Problem[] => {
    if (instance.state !== 'lost') return [];
    const { id, at, takenOver, unowned } = instance;
    const taken = takenOver.map((each) => `${each.instance} took over ${formatCount(each.packages)}`);
    const rest = unowned === 0 ? [] : [`${formatCount(unowned)} will find an owner with the next purchase`];
    const owners = [...taken, ...rest];
    return [
      {
        id: `lost-${id}`,
        level: 'warn',
        headline: `${id} is lost`,
        text:
          `It stopped without leaving in order, ${durationWords(now - at)} ago. ${ownedWords(instance)}` +
          (owners.length === 0 ? '' : ` ${owners.join('; ')}.`),
        link: { href: '#instances', what: 'instances' },
      },
    ];
  });
}

function ownedWords({ packages, firstPackages }: LostInstance): string {
  if (packages === 0) return 'It owned no package.';
  if (packages === 1) return `It owned package ${firstPackages[0]}.`;
  const more = packages - firstPackages.length;
  const ids =
    more > 0
      ? `${firstPackages.join(', ')} and ${formatCount(more)} more`
      : listed(firstPackages.map(String), 10);
  return `It owned ${formatCount(packages)} packages: ${ids}.`;
}

function ownerless(packages: readonly PackageStatus[]): Problem[] {
  const found = packages.filter(({ owner }) => owner?.state === 'gone' || owner?.state === 'silent');
  if (found.length === 0) return [];
  const undone = sum(found, ({ inventory }) => inventory.waiting + inventory.held + inventory.cancelling);
  const owners = listed([...new Set(found.map(({ owner }) => owner?.instance ?? ''))], 2);
  return [
    {
      id: 'ownerless',
      level: undone > 0 ? 'bad' : 'warn',
      headline: `${found.length === 1 ? `${nameOf(found[0] as PackageStatus)} has` : `${formatQuantity(found.length, 'package')} have`} no owner`,
      text:
        `${owners} ${found.every(({ owner }) => owner?.state === 'gone') ? 'is gone' : 'does not answer'}. ` +
        (undone > 0
          ? `${formatQuantity(undone, 'order')} ${undone === 1 ? 'waits' : 'wait'} for the takeover.`
          : 'The next purchase finds a new one.'),
      link: linkTo(found),
    },
  ];
}

function concerned({ stuckOrSlow, now }: Overview, kind: 'stuck' | 'slow'): Problem[] {
  const found = stuckOrSlow.filter(({ health }) => health === kind);
  const oldest = Math.min(...found.map(({ since }) => since));
  if (found.length === 0) return [];
  return [
    {
      id: kind,
      level: kind === 'stuck' ? 'bad' : 'warn',
      headline: `${formatQuantity(found.length, 'order')} ${found.length === 1 ? 'is' : 'are'} ${kind}`,
      text: `The oldest has not moved for ${durationWords(now - oldest)}.`,
      link: { href: '#orders', what: 'orders' },
    },
  ];
}

function undelivered({ deadLetters }: Overview): Problem[] {
  const [newest] = deadLetters;
  if (newest === undefined) return [];
  const count = deadLetters.length;
  const many = count < recentMax ? formatQuantity(count, 'notice') : `${recentMax} notices or more`;
  return [
    {
      id: 'dead-letters',
      level: 'warn',
      headline: `${many} ${count === 1 ? 'was' : 'were'} given up`,
      text: `Mails or webhooks about orders could not be delivered, the last one with: ${newest.reason}.`,
      link: { href: '/admin/dead-letters', what: 'dead letters' },
    },
  ];
}

function paused(packages: readonly PackageStatus[]): Problem[] {
  const found = packages.filter(
    ({ package: { paused: isPaused }, inventory }) => isPaused === true && inventory.waiting > 0,
  );
  if (found.length === 0) return [];
  const waiting = sum(found, ({ inventory }) => inventory.waiting);
  return [
    {
      id: 'paused',
      level: 'warn',
      headline: `${found.length === 1 ? `${nameOf(found[0] as PackageStatus)} is` : `${formatQuantity(found.length, 'package')} are`} paused with people waiting`,
      text: `${peopleAre(waiting)} in the queue and ${waiting === 1 ? 'keeps the position' : 'keep their positions'}.`,
      link: linkTo(found),
    },
  ];
}

function fullLines(packages: readonly PackageStatus[]): Problem[] {
  const found = packages.filter(({ obstacle }) => obstacle === 'queue_full');
  if (found.length === 0) return [];
  return [
    {
      id: 'full',
      level: 'warn',
      headline:
        found.length === 1
          ? `The queue of package ${found[0]?.package.id} is full`
          : `${found.length} queues are full`,
      text: 'Customers are asked to try again later.',
      link: linkTo(found),
    },
  ];
}

function lagging(instances: readonly InstanceStatus[]): Problem[] {
  return instances.flatMap((instance) =>
    !('load' in instance) || instance.load.eventLoopLagMs < lagMsMax
      ? []
      : [
          {
            id: `lag-${instance.id}`,
            level: 'warn' as const,
            headline: `${instance.id} is slow`,
            text: `Its event loop lags by ${msWords(instance.load.eventLoopLagMs)}; ${formatQuantity(instance.load.mailbox, 'message')} ${instance.load.mailbox === 1 ? 'waits' : 'wait'}.`,
            link: { href: '#instances', what: 'instances' },
          },
        ],
  );
}

function draining(instances: readonly InstanceStatus[]): Problem[] {
  const found = instances.filter(({ state }) => state === 'draining').map(({ id }) => id);
  if (found.length === 0) return [];
  return [
    {
      id: 'draining',
      level: 'warn',
      headline: `${listed(found)} ${found.length === 1 ? 'is' : 'are'} draining`,
      text: 'Packages and viewers move to the other instances.',
      link: { href: '#instances', what: 'instances' },
    },
  ];
}

/** The name of a package in a problem, for example `Package 3`. */
function nameOf({ package: { id } }: PackageStatus): string {
  return `Package ${id}`;
}

function linkTo(found: readonly PackageStatus[]): NonNullable<Problem['link']> {
  const [only] = found;
  if (found.length === 1 && only !== undefined) {
    return { href: `/admin/packages/${only.package.id}`, what: `package ${only.package.id}` };
  }
  return { href: '#packages', what: `packages ${listed(found.map(({ package: { id } }) => String(id)))}` };
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
