import type { z } from 'zod';
import type { TravelPackage } from '../../domain/travel-package.ts';
import { orderView, packageView } from '../../http/api/views.ts';
import type { OperatorEvent } from '../../storage/operator-log.ts';
import type { AdminOrder, InstanceStatus, PackageStatus } from '../admin-service.ts';
import type {
  changeAnswer,
  instanceAnswer,
  managedPackageAnswer,
  operatedOrderAnswer,
  packageStatusAnswer,
} from './answers.ts';

/* What operators are answered, as JSON has it: times are ISO, in UTC. */

export function managedPackageView(managed: TravelPackage): z.output<typeof managedPackageAnswer> {
  const { id, flight, stay, price, quota, version, opensAt, closesAt } = managed;
  const { paused, listed, archived } = managed;
  return {
    ...{ id, flight, stay, price, quota },
    ...(opensAt === undefined ? {} : { opensAt: iso(opensAt) }),
    ...(closesAt === undefined ? {} : { closesAt: iso(closesAt) }),
    ...(paused === true ? { paused } : {}),
    ...(listed === false ? { listed } : {}),
    ...(archived === true ? { archived } : {}),
    version,
  };
}

export function packageStatusView(status: PackageStatus): z.output<typeof packageStatusAnswer> {
  const { waitersMax, obstacle, owner, activity } = status;
  return {
    ...packageView(status),
    version: status.package.version,
    cancelling: status.inventory.cancelling,
    waitersMax,
    ...(obstacle === undefined ? {} : { obstacle }),
    ...(owner === undefined ? {} : { owner }),
    ...(activity === undefined
      ? {}
      : {
          activity: {
            ...activity,
            endedAt: iso(activity.endedAt),
            purchasesPerS: [...activity.purchasesPerS],
            batchSize: [...activity.batchSize],
            commitMs: [...activity.commitMs],
          },
        }),
  };
}

export function instanceView(status: InstanceStatus): z.output<typeof instanceAnswer> {
  if (status.state === 'silent') return status;
  if (status.state === 'lost') return lostView(status);
  return { ...status, missing: [...status.missing], startedAt: iso(status.startedAt) };
}

function lostView(lost: Extract<InstanceStatus, { state: 'lost' }>): z.output<typeof instanceAnswer> {
  const { id, isThis, state, at, noticedBy, packages, firstPackages, takenOver, unowned } = lost;
  const owned = { packages, firstPackages: [...firstPackages], takenOver: [...takenOver], unowned };
  return { id, isThis, state, lost: { since: iso(at), noticedBy, ...owned } };
}

export function operatedOrderView(operated: AdminOrder): z.output<typeof operatedOrderAnswer> {
  const { order, since, health } = operated;
  return {
    ...orderView(order),
    number: order.number,
    since: iso(since),
    ...(health === undefined ? {} : { concern: health }),
  };
}

export function changeView(event: OperatorEvent): z.output<typeof changeAnswer> {
  const { at, endedAt, ...rest } = event;
  return { ...rest, at: iso(at), ...(endedAt === undefined ? {} : { endedAt: iso(endedAt) }) };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
